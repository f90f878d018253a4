"""Texts of a plugin by language."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_sdk._messages import fill, placeholders, problems
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
        ("pl", 1.5, "1.5 pliku"),
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
    monkeypatch.setitem(sys.modules, "babel", None)
    assert choices.t("files", n=1, who="me") == "1 file of mine"
    choices.set_locale("pl")
    assert choices.t("files", n=3) == "3 pliku"


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("{n, plural, one {#} other {#}}", False),
        ("{n, plural, one {#}}", True),
        ("{n, plural, one {# other {#}}", True),
        ("{n, plural, other #}", True),
        ("{n, select, other {a {n, plural, one {x}} b}}", True),
        ("plain, plural, text", False),
        ("{a} {b} it's {", False),
    ],
)
def test_a_broken_choice_is_told_its_author_and_shown_as_it_is(text: str, broken: bool) -> None:
    """Never an error at a person's screen."""
    assert bool(problems(text)) is broken
    assert fill(text, {"n": 1}, lambda number: "one")


@given(st.text("{}#,n =pluralselectother'", max_size=60), st.text(max_size=5))
def test_no_text_fails(text: str, value: str) -> None:
    """Whatever a translator wrote."""
    for number in (value, 1):
        assert isinstance(fill(text, {"n": number, "": value}, lambda number: "one"), str)
    placeholders(text)
    problems(text)
    deep = "{n, select, other " + "{" * 3000
    assert fill(deep, {"n": 1}, lambda number: "one") == deep
