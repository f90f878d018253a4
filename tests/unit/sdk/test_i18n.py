"""Texts of a plugin by language."""

from __future__ import annotations

import json
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_sdk._filling import fill
from viloapp_sdk._messages import Choice, Value, parse, placeholders, problems, write
from viloapp_sdk.i18n import PluginI18n

EXAMPLE = {
    "terminal.new": "New Terminal",
    "terminal.clear": "Clear Terminal",
    "terminal.copy": "Copy",
    "terminal.paste": "Paste",
    "terminal.session_ended": "Terminal session ended",
    "terminal.connection_error": "Failed to connect to terminal: {error}",
    "terminal.settings.shell": "Shell",
    "terminal.settings.font_size": "Font Size",
    "terminal.settings.cursor_style": "Cursor Style",
}
"""The specification's."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with catalogues."""
    catalogues: dict[str, dict[str, object]] = {
        "en": {**EXAMPLE, "only.english": "Only", "said": "it's {name}'s {thing}, {{name}} {0} {} {"},
        "pt": {"terminal.new": "Novo terminal", "terminal.copy": "Copiar"},
        "pt-BR": {"terminal.new": "Novo terminal (BR)", "number": 3},
    }
    (tmp_path / "locales").mkdir()
    for locale, texts in catalogues.items():
        (tmp_path / "locales" / f"{locale}.json").write_text(json.dumps(texts))
    return tmp_path


def test_the_specifications_example(package: Path) -> None:
    """It loads unchanged, and a key that nobody has stands for itself."""
    i18n = PluginI18n(package)
    assert {key: i18n.t(key) for key in EXAMPLE} == EXAMPLE
    assert i18n.t("terminal.connection_error", error="no") == "Failed to connect to terminal: no"
    assert i18n.t("no.such.key", a=1) == "no.such.key"
    assert (i18n.current_locale, i18n.locales) == ("en", ["en", "pt", "pt-BR"])


def test_from_a_variety_to_the_default(package: Path) -> None:
    """`pt-BR`, `pt`, `en`, then the key."""
    i18n = PluginI18n(package)
    assert i18n.set_locale("pt_br") == "pt-BR"
    assert i18n.t("terminal.new") == "Novo terminal (BR)"
    assert i18n.t("terminal.copy") == "Copiar"
    assert i18n.t("only.english") == "Only"
    assert i18n.t("number") == "number"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert i18n.set_locale("pt-PT") == "pt"


def test_an_unknown_locale_warns_and_is_the_default(package: Path) -> None:
    """It really is used then, at the line of who asked."""
    i18n = PluginI18n(package)
    i18n.set_locale("pt")
    with pytest.warns(UserWarning, match="locale tlh is not available, using en") as caught:
        assert i18n.set_locale("tlh") == "en"
    assert caught[0].filename == __file__
    assert i18n.t("terminal.copy") == "Copy"


@pytest.mark.parametrize(
    "value", ["{thing}", "{name}", "%(name)s", "<b>&", "it's", "${name}", "{0.__class__}"]
)
def test_values_are_text(package: Path, value: str) -> None:
    """They are put in as they are, once; what has no argument stays as it was written."""
    i18n = PluginI18n(package)
    assert i18n.t("said", name=value, thing="{name}") == f"it's {value}'s {{name}}, {{{value}}} {{0}} {{}} {{"
    assert i18n.t("said") == "it's {name}'s {thing}, {{name}} {0} {} {"
    assert i18n.t("said", key="x", self="y").startswith("it's {name}'s")


def test_a_broken_catalogue_disturbs_no_other(package: Path) -> None:
    """It is named, and the others are there."""
    (package / "locales" / "de.json").write_text("{")
    (package / "locales" / "fr.json").write_text("[]")
    with pytest.warns(RuntimeWarning, match="cannot be used") as caught:
        i18n = PluginI18n(package)
    assert [str(each.message).partition(" ")[0] for each in caught] == ["locales/de.json", "locales/fr.json"]
    assert i18n.t("terminal.copy") == "Copy"
    assert PluginI18n(package / "nowhere").t("a") == "a"


def test_who_listens_hears_of_a_change(package: Path) -> None:
    """Once for each, until they end it; the workspace's language is followed without a warning."""
    heard: list[str] = []
    i18n = PluginI18n(package)
    end = i18n.on_change(heard.append)
    i18n.follow("pt-BR")
    i18n.follow("pt-BR")
    i18n.follow("xx")
    end()
    end()
    i18n.follow("pt")
    assert heard == ["pt-BR", "en"]


@pytest.fixture
def choices(tmp_path: Path) -> PluginI18n:
    """Plurals in languages with few and with many forms."""
    texts = {
        "en": "{n, plural, =0 {nothing} one {# file} other {# files}} of "
        "{who, select, me {mine} other {{who}'s}}",
        "pl": "{n, plural, one {# plik} few {# pliki} many {# plików} other {# pliku}}",
        "ar": "{n, plural, zero {z} one {o} two {t} few {f} many {m} other {x}}",
    }
    (tmp_path / "locales").mkdir()
    for locale, text in texts.items():
        (tmp_path / "locales" / f"{locale}.json").write_text(json.dumps({"files": text}))
    return PluginI18n(tmp_path)


@pytest.mark.parametrize(
    ("locale", "number", "shown"),
    [
        ("en", 0, "nothing of mine"),
        ("en", 1, "1 file of mine"),
        ("en", 2, "2 files of mine"),
        ("pl", 1, "1 plik"),
        ("pl", 3, "3 pliki"),
        ("pl", 5, "5 plików"),
        ("pl", 22, "22 pliki"),
        ("pl", 1.5, "1,5 pliku"),
        ("ar", 0, "z"),
        ("ar", 2, "t"),
        ("ar", 7, "f"),
        ("ar", 11, "m"),
        ("ar", 100, "x"),
    ],
)
def test_plurals_are_those_of_the_language(
    choices: PluginI18n, locale: str, number: float, shown: str
) -> None:
    """By CLDR, from Babel."""
    choices.set_locale(locale)
    assert choices.t("files", n=number, who="me") == shown


def test_values_in_a_choice_are_text(choices: PluginI18n) -> None:
    """Neither a placeholder nor a choice in one counts; what has no value stays as it was written."""
    assert choices.t("files", n="{who}", who="{n}") == "{who} files of {n}'s"
    assert choices.t("files", n=2) == "2 files of {who, select, me {mine} other {{who}'s}}"
    assert choices.t("files", n=True, who="me") == "True files of mine"


def test_without_babel(choices: PluginI18n, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for 1 and other for the rest, in every language."""
    monkeypatch.setitem(sys.modules, "viloapp_sdk._formats", None)
    monkeypatch.delattr("viloapp_sdk._formats", raising=False)
    assert choices.t("files", n=1, who="me") == "1 file of mine"
    choices.set_locale("pl")
    assert choices.t("files", n=3) == "3 pliku"


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("{n, plural, one {#} other {#}}", ""),
        ("{n, plural, offset:1 =0 {a} one {#} other {#}} {d, date, long} {l, list, or}", ""),
        ("{n, selectordinal, one {#st} other {#th}} {p, number, ::currency/EUR}", ""),
        ("plain, plural, text", ""),
        ("{a} {b} it's { or } or {} or {{c}}", ""),
        ("if (x) { return 1 }", ""),
        ("{n, plural, one {#}}", "needs a case `other"),
        ("{n, plural, one {# other {#}}", "{n is not closed"),
        ("{n, plural, other #}", "is no choice"),
        ("{n, plural}", "needs a case"),
        ("{n, plural, one {#} one {#} other {#}}", "the case one twice"),
        ("{n, plural, single {#} other {#}}", "single is none of zero, one"),
        ("{n, select, other {a {n, plural, one {x}} b}}", "needs a case"),
        ("{n, plurl, other {#}}", "there is no 'plurl'"),
        ("{n, date, tomorrow}", "the style is one of short"),
        ("{n, number, ::currency/euro}", "the style is one of"),
        ("Hello {name", "{name is not closed"),
        ("Hello { name, date", "{ name is not closed"),
        ("Hello name}, you", "name} closes what is not open"),
        ("{name.__class__}", "Python's formatting"),
        ("{n:.2f} {n!r} {n[0]}", "Python's formatting"),
    ],
)
def test_what_is_broken_is_said_to_its_author(text: str, issue: str) -> None:
    """And only that: a brace that begins nothing is a brace."""
    found = "; ".join(problems(text))
    assert issue in found
    assert bool(found) is bool(issue)


def test_a_broken_text_is_not_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The default language's is, else the key; the log says so once."""
    (tmp_path / "locales").mkdir()
    english = {"a": "{n, plural, one {#} other {#s}}", "b": "{oh", "c": "text"}
    german = {"a": "{n, plural, one {#}", "b": "{nein", "c": ""}
    (tmp_path / "locales" / "en.json").write_text(json.dumps(english))
    (tmp_path / "locales" / "de.json").write_text(json.dumps(german))
    i18n = PluginI18n(tmp_path)
    i18n.set_locale("de")
    assert [[i18n.t("a", n=2), i18n.t("b"), i18n.t("c")] for _ in range(3)] == [["2s", "b", "text"]] * 3
    told = [record.getMessage() for record in caplog.records]
    assert [each.partition(" cannot")[0] for each in told] == [
        "locales/de.json: a",
        "locales/de.json: b",
        "locales/en.json: b",
    ]


class _Plain:
    """Rules without any library."""

    def plural(self, number: object, ordinal: bool) -> str:
        return "one" if number == 1 else "other"

    def show(self, value: object, kind: str, style: str) -> str | None:
        return None


_ALPHABET = "{}#,:. =nabpluralselectotherdate'<\u202e"


@given(st.text(_ALPHABET, max_size=80), st.one_of(st.text(max_size=5), st.floats(), st.integers(), st.none()))
def test_no_text_fails(text: str, value: object) -> None:
    """Whatever a translator wrote and whatever the value is; written again, it is the same message."""
    nodes, _ = parse(text)
    assert isinstance(fill(nodes, {"n": value, "a": value, "": value}, _Plain()), str)
    again = write(nodes)
    assert parse(again)[0] == nodes
    assert write(parse(again)[0]) == again
    assert "".join(each if isinstance(each, str) else each.source for each in nodes) == text
    assert placeholders(again) == placeholders(text)


_TEXTS = st.text("ab .!'é\u05d0", min_size=1, max_size=6)
_NAMES = st.sampled_from(["n", "name", "größe"])
_VALUES = st.builds(Value, _NAMES) | st.builds(Value, _NAMES, st.just("date"), st.sampled_from(["", "long"]))


def _messages(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4).map(
        # Two texts in a row would be one.
        lambda nodes: tuple(
            each
            for at, each in enumerate(nodes)
            if not (at and isinstance(each, str) and isinstance(nodes[at - 1], str))
        )
    )


_CHOICES = st.recursive(
    _messages(_TEXTS | _VALUES),
    lambda message: _messages(
        _TEXTS
        | _VALUES
        | st.builds(
            lambda name, kind, case, other: Choice(name, kind, 0, {"one": case, "other": other}),
            _NAMES,
            st.sampled_from(["plural", "select", "selectordinal"]),
            message,
            message,
        )
    ),
    max_leaves=12,
)


@given(_CHOICES)
def test_what_is_written_is_read(nodes: Any) -> None:
    """Every message comes out as it went in, without an issue."""
    assert parse(write(nodes)) == (nodes, [])


def test_long_and_deep_texts() -> None:
    """Read in one pass; what is too deep is text."""
    deep = "{n, select, other " + "{" * 3000
    assert fill(parse(deep)[0], {"n": 1}, _Plain()) == deep
    nested = "{n, select, other {" * 400 + "x" + "}}" * 400
    assert problems(nested) == ["{n, select, …} is in more than 10 others"]
    assert isinstance(fill(parse(nested)[0], {"n": 1}, _Plain()), str)


def test_a_number_sign_in_braces_is_no_value() -> None:
    """It is the number in a plural, and a sign elsewhere; the braces are braces."""
    nodes, issues = parse("{#} {n, plural, other {{#}}}")
    assert (fill(nodes, {"n": 2}, _Plain()), issues) == ("{#} {2}", [])


class _Sly:
    """An object that must be shown as its text and nothing else."""

    secret = "secret"

    def __str__(self) -> str:
        return "{self.secret} {n, plural, other {#}} <b>"

    def __format__(self, spec: str) -> str:
        raise AssertionError("nobody asked for that")


def test_nested_choices_that_are_none_are_read_once() -> None:
    """Each lacks its `other`: were what is in one read again, 5 KB would take longer than anybody has."""
    levels = 300
    nodes, issues = parse("{a, plural, one {" * levels + "}}" * levels)
    assert "".join(map(str, nodes)) == "{a, plural, one {" * levels + "}}" * levels
    assert "{a, plural, …} is no choice: it needs a case `other {…}`" in issues


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{n, plural, =" + "9" * 5000 + " {a} other {b}}", 3),
        ("{n, plural, offset:" + "9" * 5000 + " one {a} other {b}}", 3),
        ("{n, plural, =1 {a} other {b}}", Decimal("sNaN")),
        ("{n, plural, offset:1 =1 {a} other {b}}", Decimal("sNaN")),
    ],
)
def test_numbers_that_are_none_break_no_text(tmp_path: Path, text: str, value: object) -> None:
    """More digits than Python reads, and what no number is compared with."""
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "en.json").write_text(json.dumps({"files": text}))
    assert PluginI18n(tmp_path).t("files", n=value) in ("files", "b")


def test_nothing_of_a_value_is_reached(tmp_path: Path) -> None:
    """No attribute, no item and no format; its own text is not read as a message."""
    (tmp_path / "locales").mkdir()
    texts = {
        "a": "{x} {x.secret} {x.__class__}",
        "b": "{x} {n, plural, other {{x}}}",
        "c": "{x, number} {x, date}",
    }
    (tmp_path / "locales" / "en.json").write_text(json.dumps(texts))
    i18n = PluginI18n(tmp_path)
    shown = str(_Sly())
    assert i18n.t("a", x=_Sly()) == "a"
    assert i18n.t("b", x=_Sly(), n=1) == f"{shown} {shown}"
    assert i18n.t("c", x=_Sly()) == f"{shown} {shown}"


class _Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_value_without_a_text_does_not_break_the_screen(choices: PluginI18n) -> None:
    """It is shown as the object that it is."""
    assert "_Broken object" in choices.t("files", n=1, who=_Broken())
