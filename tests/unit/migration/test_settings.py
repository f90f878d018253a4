"""Settings of each old form, step by step: the specification's mapping exactly, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomllib
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.migration import (
    SETTINGS,
    Chain,
    Finding,
    MigrationError,
    Moved,
    NewerVersionError,
    NotSettingsError,
    Step,
    migrate,
    read_ini,
)
from viloapp_core.services.adoption import compare
from viloapp_core.services.settings import CORE
from viloapp_sdk.manifest.values import problem

FIXTURES = Path(__file__).parents[2] / "fixtures" / "settings"
TO_2 = Chain(SETTINGS.steps[:1])
TERMINAL = {
    "shell": "auto",
    "fontSize": 14,
    "fontFamily": "monospace",
    "theme": "dark",
    "cursorStyle": "block",
    "scrollback": 1000,
}
EDITOR = {
    "fontSize": 14,
    "fontFamily": "monospace",
    "tabSize": 4,
    "wordWrap": False,
    "lineNumbers": True,
    "theme": "dark",
}


def _declared() -> dict[str, Any]:
    """Return what viloxterm and viloedit declare of their settings."""
    found = {}
    for name in ("viloxterm", "viloedit"):
        text = (Path(__file__).parents[3] / "plugins" / name / "pyproject.toml").read_text()
        found[name] = tomllib.loads(text)["tool"]["viloapp"]["configuration"]
    return found


def _read(name: str) -> dict[str, Any]:
    text = (FIXTURES / name).read_text()
    document = read_ini(text) if name.endswith(".ini") else json.loads(text)
    assert isinstance(document, dict)
    return document


def test_the_specifications_mapping() -> None:
    """A document of 1.0 with every key of the specification becomes its 2.0, in its order."""
    old: dict[str, Any] = {
        "terminal": {
            "shell": "zsh",
            "font_size": 16,
            "font_family": "Hack",
            "theme": "light",
            "cursor_style": "bar",
            "scrollback": 5,
        },
        "editor": {
            "font_size": 9,
            "font_family": "Mono",
            "tab_size": 8,
            "word_wrap": True,
            "line_numbers": False,
            "theme": "light",
        },
        "theme": "light",
        "layout": {"a": 1},
        "keybindings": [],
        "workspace": None,
    }
    moved = migrate(old, TO_2)
    assert moved.log == ("Migrated from 1.0",)
    assert moved.findings == ()
    assert json.dumps(moved.document) == json.dumps(
        {
            "version": "2.0",
            "core": {"theme": "light", "layout": {"a": 1}, "keybindings": [], "workspace": None},
            "plugins": {
                "viloxterm": {
                    "shell": "zsh",
                    "fontSize": 16,
                    "fontFamily": "Hack",
                    "theme": "light",
                    "cursorStyle": "bar",
                    "scrollback": 5,
                },
                "viloedit": {
                    "fontSize": 9,
                    "fontFamily": "Mono",
                    "tabSize": 8,
                    "wordWrap": True,
                    "lineNumbers": False,
                    "theme": "light",
                },
            },
        }
    )


def test_missing_keys_get_the_specifications_defaults() -> None:
    """A section that is there but empty gets them all; one that is not there stays away."""
    assert migrate({"terminal": {}, "editor": {}}, TO_2).document["plugins"] == {
        "viloxterm": TERMINAL,
        "viloedit": EDITOR,
    }
    assert migrate({}, TO_2).document == {"version": "2.0", "core": {}, "plugins": {}}


@pytest.mark.parametrize(
    ("name", "terminal", "editor", "theme"),
    [
        (
            "nested-1.0.json",
            {
                "shell": "/bin/zsh -l",
                "fontSize": 16,
                "fontFamily": 'Consolas, "Courier New", monospace',
                "theme": "dark",
                "cursorStyle": "bar",
                "scrollback": 10000,
            },
            {
                "fontSize": 13,
                "fontFamily": "Fira Code",
                "tabSize": 2,
                "wordWrap": True,
                "lineNumbers": False,
                "theme": "light",
            },
            "dark",
        ),
        (
            "flat-1.0.json",
            TERMINAL
            | {
                "shell": "/usr/bin/fish",
                "fontSize": 18,
                "fontFamily": "Hack",
                "cursorStyle": "underline",
                "scrollback": 250,
            },
            EDITOR | {"tabSize": 8, "wordWrap": True, "lineNumbers": False},
            "light",
        ),
        (
            "qt-1.0.ini",
            TERMINAL
            | {
                "shell": "/bin/bash",
                "fontSize": 15,
                "fontFamily": 'Consolas, "Courier New", monospace',
                "cursorStyle": "bar",
                "scrollback": 5000,
            },
            EDITOR | {"tabSize": 3, "wordWrap": True, "lineNumbers": False},
            "light",
        ),
    ],
)
def test_each_shape_reaches_today(
    name: str, terminal: dict[str, Any], editor: dict[str, Any], theme: str
) -> None:
    """Nested, flat and INI: the settings are today's, and everything else is kept where it was."""
    old = _read(name)
    untouched = deepcopy(old)
    moved = migrate(old, SETTINGS)
    assert old == untouched
    assert (moved.origin, moved.log) == ("1.0", ("Migrated from 1.0", "Migrated from 2.0"))
    assert moved.document["version"] == "3.0"
    assert moved.document["plugins"] == {"viloxterm": terminal, "viloedit": editor}
    assert moved.document["core"] == {"theme": theme}
    assert _lost(old, moved.document) == []
    assert compare({}, moved.document, {"core": CORE, **_declared()}).refused == {}


def test_what_looks_like_a_template_is_text() -> None:
    """Nothing in a value is filled in, on no way through."""
    kept = migrate(_read("qt-1.0.ini"), SETTINGS).document["kept"]["1.0"]
    assert kept["terminal"]["greeting"] == "100%(name)s ${HOME} {0}"
    kept = migrate(_read("nested-1.0.json"), SETTINGS).document["kept"]["2.0"]
    assert kept["core"]["workspace"]["exclude"][2] == "{not}_a_template %(either)s ${nor} {this!r}"


def test_from_the_specifications_2() -> None:
    """What the workspace has no setting for is kept; a plugin's own other settings stay with it."""
    moved = migrate(_read("specification-2.0.json"), SETTINGS)
    assert moved.log == ("Migrated from 2.0",)
    assert moved.document["core"] == {"theme": "dark", "worker_nice": 7}
    terminal = moved.document["plugins"]["viloxterm"]
    assert (terminal["theme"], terminal["scrollback"]) == ("dark", 1000)
    assert terminal["profiles"] == {"build": {"shell": "/bin/bash"}}
    assert moved.document["plugins"]["hello"] == {"greeting": "Hi"}
    assert {finding.path: finding.kind for finding in moved.findings} == {
        "core.layout": "kept",
        "core.keybindings": "kept",
        "core.workspace": "kept",
        "plugins.viloxterm.theme": "replaced",
        "plugins.viloxterm.scrollback": "replaced",
    }
    assert moved.document["kept"]["2.0"]["plugins"]["viloxterm"] == {
        "theme": "solarized-dark",
        "scrollback": 200000,
    }


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("terminal", "font_size", "16"),
        ("terminal", "font_size", True),
        ("terminal", "font_size", 14.5),
        ("terminal", "shell", ["/bin/sh"]),
        ("editor", "word_wrap", 1),
        ("editor", "tab_size", None),
        ("editor", "theme", {}),
    ],
)
def test_wrong_types_are_told_with_path_and_default(section: str, key: str, value: object) -> None:
    """The default stands, the value is kept, and the finding names path, value and default."""
    moved = migrate({section: {key: value}}, TO_2)
    plugin, plain = ("viloxterm", TERMINAL) if section == "terminal" else ("viloedit", EDITOR)
    assert moved.document["plugins"][plugin] == plain
    assert moved.document["kept"]["1.0"] == {section: {key: value}}
    (finding,) = moved.findings
    assert (finding.kind, finding.path) == ("replaced", f"{section}.{key}")
    assert repr(value)[:40] in finding.detail
    assert finding.detail.endswith("is used")


def test_sections_that_are_none() -> None:
    """All of them are told at once, with nothing lost."""
    old = {"terminal": 7, "editor": "big", "theme": 3}
    moved = migrate(old, SETTINGS)
    assert {finding.path for finding in moved.findings} == {"terminal", "editor", "core.theme"}
    assert moved.document["plugins"] == {"viloxterm": TERMINAL, "viloedit": EDITOR}
    assert _lost(old, moved.document) == []
    old = {"version": "2.0", "core": [1], "plugins": {"viloxterm": "x", "other": 2}}
    moved = migrate(old, SETTINGS)
    assert {finding.path for finding in moved.findings} == {"core", "plugins.viloxterm", "plugins.other"}
    assert moved.document["kept"]["2.0"] == {"core": [1], "plugins": {"viloxterm": "x", "other": 2}}


@pytest.mark.parametrize(
    ("version", "steps"),
    [("1.0", 2), ("1", 2), (1, 2), ("0.9", 2), ("1.10", 2), ("2.0", 1), (2.0, 1), ("2.0.0", 1), ("2.9", 1)],
)
def test_versions_are_compared_as_versions(version: object, steps: int) -> None:
    """1.10 comes after 1.9, 2.0.0 is 2.0, and what is between two steps still takes the second."""
    assert len(migrate({"version": version}, SETTINGS).log) == steps


@pytest.mark.parametrize("version", ["3.0", "3", "3.7"])
def test_today_and_minor_versions_of_it_stay(version: str) -> None:
    """There is nothing to do, and the document is the same."""
    old = {"version": version, "core": {"theme": "light"}, "new": 1}
    assert migrate(old, SETTINGS) == (old, str(version), (), ())


@pytest.mark.parametrize("version", ["4.0", "10.0", 10])
def test_a_later_major_version_is_refused(version: object) -> None:
    """As text 10.0 would come before 2.0."""
    with pytest.raises(NewerVersionError, match=r"knows up to 3\.0"):
        migrate({"version": version}, SETTINGS)


@pytest.mark.parametrize("version", ["new", True, None, [1], "{0}", float("nan")])
def test_what_is_no_version(version: object) -> None:
    """It is refused, with what was found."""
    with pytest.raises(NotSettingsError, match="is no version"):
        migrate({"version": version}, SETTINGS)


def test_a_step_cannot_be_changed() -> None:
    """Steps are frozen, and the chain goes by them alone."""
    step = Step("3.0", "4.0", lambda document: Moved(document | {"version": "4.0"}, ()))
    with pytest.raises(AttributeError):
        step.source = "2.0"  # type: ignore[misc]
    chain = Chain((*SETTINGS.steps, step))
    assert migrate({}, chain).document["version"] == "4.0"


def test_bounds_are_those_of_todays_plugins() -> None:
    """Whatever the last step lets through, the plugins declare as fit; what it refuses, they refuse."""
    declared = _declared()
    values: list[Any] = [0, 1, 5, 6, 14, 16, 17, 72, 73, 1000, 100000, 100001, True, "auto", "dark", "light"]
    values += ["high-contrast", "block", "bar", "underline", "x", "", 1.5, [], None]
    for plugin, names in (("viloxterm", TERMINAL), ("viloedit", EDITOR)):
        for name in names:
            for value in values:
                old = {"version": "2.0", "plugins": {plugin: {name: value}}}
                moved = migrate(old, SETTINGS).document["plugins"][plugin][name]
                assert problem(declared[plugin][name], moved) == ""
                assert (moved == value and type(moved) is type(value)) is (
                    problem(declared[plugin][name], value) == ""
                )


_NAMES = (
    "terminal editor Terminal theme Theme layout kept version_ app_defaults x font_size fontSize shell "
    "terminal_font_size terminal.fontSize TERMINAL/theme editor.tab.size terminal_ scrollback_lines "
    "font size core plugins a.b"
)
_names = st.sampled_from(_NAMES.split()) | st.text(max_size=4)
_scalars = st.none() | st.booleans() | st.integers(-5, 200) | st.text(max_size=6)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=8,
)
_documents = st.dictionaries(_names, _values, max_size=6)


@given(_documents, st.sampled_from([None, "1.0", "2.0"]))
def test_nothing_is_lost(old: dict[str, Any], version: str | None) -> None:
    """Whatever a document holds is in its place or kept at its path, and a second run changes nothing."""
    old = {key: value for key, value in old.items() if key != "version"}
    given = old if version is None else {**old, "version": version}
    untouched = deepcopy(given)
    moved = migrate(given, SETTINGS)
    assert given == untouched
    assert _lost(old, moved.document, version or "1.0") == []
    assert migrate(moved.document, SETTINGS) == (moved.document, "3.0", (), ())
    json.dumps(moved.document)
    for finding in moved.findings:
        assert isinstance(finding, Finding)
        assert finding.path or "" in old


_fields = {
    "terminal": {
        "shell": st.text(max_size=9),
        "font_size": st.integers(6, 72),
        "font_family": st.text(max_size=9),
        "theme": st.sampled_from(["auto", "dark", "light", "high-contrast"]),
        "cursor_style": st.sampled_from(["block", "underline", "bar"]),
        "scrollback": st.integers(0, 100000),
    },
    "editor": {
        "font_size": st.integers(6, 72),
        "font_family": st.text(max_size=9),
        "tab_size": st.integers(1, 16),
        "word_wrap": st.booleans(),
        "line_numbers": st.booleans(),
        "theme": st.sampled_from(["auto", "dark", "light", "high-contrast"]),
    },
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.fixed_dictionaries({}, optional=keys) for name, keys in _fields.items()}
    )
)
def test_every_shape_says_the_same(nested: dict[str, dict[str, Any]]) -> None:
    """The same settings written flat in either way come out as they do nested; each is where it belongs."""
    moved = migrate(nested, SETTINGS)
    assert moved.findings == ()
    for section, values in nested.items():
        plugin = "viloxterm" if section == "terminal" else "viloedit"
        for name, value in values.items():
            assert moved.document["plugins"][plugin][_camel(name)] == value
    pairs = [(section, name, value) for section in nested for name, value in nested[section].items()]
    filled = {section: values for section, values in nested.items() if values}
    expected = migrate(filled, SETTINGS).document
    for flat in (
        {f"{section}_{name}": value for section, name, value in pairs},
        {f"{section}.{_camel(name)}": value for section, name, value in pairs},
        {f"{section}/{name}": value for section, name, value in pairs},
    ):
        assert migrate(flat, SETTINGS).document == expected


@pytest.mark.parametrize(
    "text",
    ["font_size=1", "[a\nb=1", "[a]\nb", "[a]\nb=1\nb=2", "[a]\n[a]", "[General]\na=1\n[a]\nb=2", "\0"],
)
def test_what_is_no_ini_file(text: str) -> None:
    """It is refused in one line, not half read."""
    with pytest.raises(MigrationError) as caught:
        read_ini(text)
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("16", 16),
        ("-3", -3),
        ("007", "007"),
        ("1.5", "1.5"),
        ("true", True),
        ("True", "True"),
        ("a, b", "a, b"),
        (r'"\x20ac \"q\" \\ \n"', '\u20ac "q" \\ \n'),
        ("%d $x {y}", "%d $x {y}"),
        ("", ""),
    ],
)
def test_values_of_an_ini_file(written: str, value: object) -> None:
    """Only what has one way to be written becomes a number; escapes are Qt's."""
    assert read_ini(f"[s]\nk={written}\n") == {"s": {"k": value}}


def _lost(old: Any, new: dict[str, Any], version: str = "1.0") -> list[tuple[str, ...]]:
    """Return the paths of the old document whose value is neither kept at its path nor a setting now."""
    kept = new.get("kept", {})
    settings = [new.get("core", {}), *new.get("plugins", {}).values()]
    values = [value for section in settings for value in section.values()]
    second = [value for value in _flat(kept.get("2.0", {}))]
    lost = []
    for path, value in _paths(old):
        there = kept.get(version, {}) if version == "1.0" else kept.get("2.0", {})
        if _at(there, path) == [value] or any(_same(value, each) for each in values):
            continue
        if any(_same(value, each) for each in second) or _carried(new, path, value):
            continue
        if value in ("line", "beam", "vscode-dark", "vscode_dark", "vscode-light"):
            continue
        lost.append(path)
    return lost


def _carried(new: dict[str, Any], path: tuple[str, ...], value: Any) -> bool:
    """Tell whether it is where it was: what a plugin of a 2.0 has beside the known, and what was kept."""
    return any(_same(each, value) for each in _at(new, path))


def _paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _paths(each, (*above, key))
    elif above and value != {}:
        yield above, value


def _flat(value: Any) -> Iterator[Any]:
    for _, each in _paths(value):
        yield each


def _at(value: Any, path: tuple[str, ...]) -> list[Any]:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return []
        value = value[key]
    return [value]


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)
