"""State of the old application: entries for the plugins, and the tabs as the workspace's arrangement."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.migration import (
    STATE,
    NotSettingsError,
    arrange,
    migrate,
    migrate_editor_buffers,
    migrate_terminal_sessions,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "state"


def _read(name: str) -> dict[str, Any]:
    document = json.loads((FIXTURES / name).read_text())
    assert isinstance(document, dict)
    return document


def test_sessions_have_the_specifications_shape() -> None:
    """Names, order and defaults."""
    (sessions, _findings), kept = migrate_terminal_sessions({"terminals": [{"id": "a"}]})
    assert json.dumps(sessions) == json.dumps(
        {
            "plugin": "viloxterm",
            "version": "1.0",
            "sessions": [
                {
                    "id": "a",
                    "title": "Terminal",
                    "cwd": None,
                    "shell": None,
                    "environment": {},
                    "history": [],
                }
            ],
        }
    )
    assert kept == []
    assert migrate_terminal_sessions({})[0].document["sessions"] == []


def test_buffers_have_the_specifications_shape() -> None:
    """Names, order and defaults."""
    (buffers, _findings), kept = migrate_editor_buffers({"editors": [{"id": "a"}]})
    assert json.dumps(buffers) == json.dumps(
        {
            "plugin": "viloedit",
            "version": "1.0",
            "buffers": [
                {
                    "id": "a",
                    "file_path": None,
                    "content": "",
                    "cursor_position": {"line": 0, "column": 0},
                    "selection": None,
                    "modified": False,
                    "syntax": "plain",
                }
            ],
        }
    )
    assert kept == []


def test_the_stored_state() -> None:
    """Everything that is right comes over, everything that is not is told and kept; none of it is fatal."""
    old = _read("state-2.0.json")
    untouched = deepcopy(old)
    moved = migrate(old, STATE)
    assert old == untouched
    assert (moved.origin, moved.log) == ("2.0", ("Migrated from 2.0",))
    sessions = moved.document["plugins"]["viloxterm"]["sessions"]
    assert [session["id"] for session in sessions] == ["t1", "t2", "7", "t9"]
    assert sessions[0] == {
        "id": "t1",
        "title": "Server",
        "cwd": "/opt/app",
        "shell": "/bin/bash -l",
        "environment": {"APP_ENV": "dev", "PATH_EXTRA": "/opt/x"},
        "history": ["git status", "make test", "echo '{not} %(a)s ${template}'", "tail -f log/dev.log"],
    }
    assert {finding.path: finding.kind for finding in moved.findings} == {
        "terminals[0].rows": "kept",
        "terminals[0].cols": "kept",
        "terminals[3]": "left",
        "terminals[4].env_vars": "replaced",
        "terminals[4].command_history": "replaced",
        "editors[1].fold_state": "kept",
        "editors[4].cursor": "replaced",
        "editors[4].is_modified": "replaced",
        "window_state": "kept",
        "timestamp": "kept",
    }
    assert moved.document["workspace"] == old["workspace"]
    kept = moved.document["kept"]["2.0"]
    assert kept["terminals"][1] == old["terminals"][3]
    assert kept["terminals"][2] == {"id": "t9", "env_vars": {"A": 1}, "command_history": "ls"}
    assert kept["window_state"] == old["window_state"]
    assert migrate(moved.document, STATE) == (moved.document, "3.0", (), ())


def _shape(tree: dict[str, Any]) -> Any:
    """Return a tree as ``[axis, [share, …], …]``, its leaves as the kinds that stand in them."""
    if "views" in tree:
        return tree["views"]
    return [tree["axis"], *((child["share"], _shape(child)) for child in tree["children"])]


def test_the_tabs_become_one_area() -> None:
    """The tab with most panes gives the splits; split twice the same way is one row; nothing is left out."""
    arrangement = arrange(migrate(_read("state-2.0.json"), STATE).document)
    panels = {panel["id"]: panel for panel in arrangement.layout["panels"]}
    names = {id: panel["title"] for id, panel in panels.items()}

    def told(shape: Any) -> Any:
        if isinstance(shape, list) and shape and shape[0] in ("horizontal", "vertical"):
            return [shape[0], *((share, told(inner)) for share, inner in shape[1:])]
        return [names[id] for id in shape]

    # The placeholder has no place: what stood beside it has its room. What is in no tab comes last.
    assert told(_shape(arrangement.layout["tree"])) == [
        "horizontal",
        (0.6, ["notes.md", "Server", "Settings"]),
        (
            0.4,
            [
                "vertical",
                (0.25, ["Terminal"]),
                (0.75, ["app.py", "Build", "Odd", "Untitled", "draft.txt", "x.txt"]),
            ],
        ),
    ]
    front = arrangement.layout["tree"]["children"][0]
    assert names[front["active"]] == "Server"
    assert [finding.path for finding in arrangement.findings] == [
        "workspace.tabs[1].second.second.second",
        "workspace.tabs[3]",
    ]
    assert panels["local-settings"] == {"id": "local-settings", "kind": "settings", "title": "Settings"}
    states = arrangement.states
    assert len(states) == 9
    first = next(panel for panel in panels.values() if panel["title"] == "notes.md")
    assert (first["widget"], first["plugin"], first["kind"]) == ("viloedit.editor", "viloedit", "editor")
    assert states[first["instance"]]["buffer"]["content"] == "# Notes\n\nnot saved <b>yet</b>\n"


def test_without_tabs_everything_is_one_row_of_tabs() -> None:
    """The specification's file has entries alone."""
    arrangement = arrange(migrate(_read("specification-1.0.json"), STATE).document)
    (part,) = arrangement.layout["tree"]["children"]
    assert len(part["views"]) == len(arrangement.states) == 9


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("where", ["workspace", "workspace_state", None])
def test_wherever_the_tabs_are(where: str | None, as_text: bool) -> None:
    """Under a key, as Qt's text of it, or beside the entries."""
    old = _read("state-2.0.json")
    tree = old.pop("workspace")
    del old["version"]
    if where is None:
        old |= tree
    else:
        old[where] = json.dumps(tree) if as_text else tree
    moved = migrate(old, STATE)
    assert moved.log == ("Migrated from 1.0", "Migrated from 2.0")
    assert moved.document["workspace"] == tree


def test_panes_without_an_entry_open_afresh() -> None:
    """A terminal that nobody kept anything of is a new one; each entry is shown once."""
    leaf = {"type": "leaf", "widget_type": "terminal"}
    root = {
        "type": "split",
        "first": {**leaf, "id": "a"},
        "second": {"type": "split", "first": {**leaf, "id": "a"}},
    }
    old = {"terminals": [{"id": "a", "title": "A"}], "tabs": [{"split_state": {"root": root}}]}
    arrangement = arrange(migrate(old, STATE).document)
    assert [panel["title"] for panel in arrangement.layout["panels"]] == ["A", "Terminal"]
    assert len(arrangement.states) == 1
    assert [child["share"] for child in arrangement.layout["tree"]["children"]] == [0.5, 0.5]


def test_too_deep_is_refused() -> None:
    """A file that no application wrote ends in an error with a name, not in a stack that overflows."""
    node: dict[str, Any] = {"type": "leaf"}
    for _ in range(400):
        node = {"type": "split", "first": node, "second": {"type": "leaf"}}
    with pytest.raises(NotSettingsError, match="nested deeper than 100 levels"):
        migrate({"tabs": [{"root": node}]}, STATE)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_ids = st.sampled_from(["a", "b", "c", 1, 2, "", None, True]) | st.text(max_size=2)
_entries = st.lists(
    _json
    | st.fixed_dictionaries(
        {},
        optional={
            "id": _ids,
            "title": st.text() | _json,
            "working_directory": st.text() | _json,
            "env_vars": st.dictionaries(st.text(), st.text() | _json, max_size=2),
            "command_history": st.lists(st.text() | _json, max_size=3),
            "path": st.text() | _json,
            "content": st.text() | _json,
            "cursor": st.fixed_dictionaries({"line": st.integers(), "column": st.integers()}) | _json,
            "is_modified": st.booleans() | _json,
            "x": _json,
        },
    ),
    max_size=5,
)
_nodes = st.recursive(
    st.fixed_dictionaries(
        {
            "type": st.just("leaf"),
            "id": _ids,
            "widget_type": st.sampled_from(["terminal", "text_editor", "x"]),
        }
    )
    | _json,
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.just("split"),
            "orientation": st.sampled_from(["horizontal", "vertical", 3]),
            "ratio": st.floats() | _json,
            "first": inner,
            "second": inner,
        }
    ),
    max_leaves=8,
)
_tabs = st.lists(st.fixed_dictionaries({"split_state": st.fixed_dictionaries({"root": _nodes})}) | _json)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "terminals": _entries | _json,
            "editors": _entries | _json,
            "workspace": st.fixed_dictionaries({"tabs": _tabs, "current_tab": _json}) | _json,
            "other": _json,
        },
    )
)
def test_nothing_is_lost(old: dict[str, Any]) -> None:
    """Every entry is in the plugins' or kept whole, every part of it too; the former are shown once each."""
    moved = migrate(old, STATE).document
    kept = moved.get("kept", {}).get("2.0", {})
    assert kept.get("other", old.get("other")) == old.get("other")
    assert moved.get("workspace") == old.get("workspace") or isinstance(old.get("workspace"), str)
    shown = []
    for name, plugin, list_, names in (
        ("terminals", "viloxterm", "sessions", {"title": "title", "command_history": "history"}),
        ("editors", "viloedit", "buffers", {"path": "file_path", "content": "content"}),
    ):
        new = {entry["id"]: entry for entry in moved["plugins"][plugin][list_]}
        shown += list(new)
        entries = old.get(name, [])
        if not isinstance(entries, list):
            assert kept[name] == [entries]
            continue
        for entry in entries:
            if entry in kept.get(name, []):
                continue
            rest = [
                each
                for each in kept.get(name, [])
                if isinstance(each, dict) and each.get("id") == entry["id"]
            ]
            for before, after in names.items():
                if before in entry:
                    values = [new[str(entry["id"])][after], *(each.get(before) for each in rest)]
                    assert entry[before] in values
            assert "x" not in entry or entry["x"] in [each.get("x") for each in rest]
    arrangement = arrange(moved)
    states = [state.get("session") or state.get("buffer") for state in arrangement.states.values()]
    assert sorted(str(state["id"]) for state in states if state) == sorted(shown)
    panels = [panel["id"] for panel in arrangement.layout["panels"]]
    assert sorted(_views(arrangement.layout["tree"])) == sorted(panels)
    json.dumps([moved, arrangement.layout, arrangement.states])


def _views(tree: dict[str, Any]) -> list[str]:
    inner = [view for child in tree.get("children", []) for view in _views(child)]
    return [*tree.get("views", []), *inner]
