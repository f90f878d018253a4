"""What is a manifest and what is not, and that nothing makes the check itself fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import viloapp_sdk.manifest
from viloapp_sdk.manifest import Issue, ManifestError, schema, validate

MINIMAL: dict[str, Any] = {"schema": 1, "api_version": "1.0"}
FULL: dict[str, Any] = MINIMAL | {
    "permissions": [{"id": "process.spawn.terminal", "reason": "run your shell"}],
    "activation_events": [
        "onCommand:hello.greet",
        "onWidget:hello.panel",
        "onStartup",
        "onEvent:theme.changed",
    ],
    "requires_plugins": ["viloxterm>=0.1", "other >=1,<2 ; python_version > '3.10'"],
    "conflicts": ["rival"],
    "load_after": ["viloxterm"],
    "load_before": ["viloedit"],
    "limits": {
        "memory_mb": 100,
        "cpu_percent": 25,
        "file_handles": 50,
        "execution_time": 30,
        "startup_time": 30,
    },
    "restart": {"policy": "on_failure", "max_retries": 3},
    "configuration": {
        "greeting": {
            "type": "string",
            "default": "Hello",
            "description": "Said first.\nThen the name.",
            "enum": ["Hello", "Hi"],
        },
        "size": {"type": "integer", "default": 3, "minimum": 1, "maximum": 9},
    },
    "keybindings": [{"key": "ctrl+alt+h", "command": "hello.greet", "when": ""}],
    "menus": [{"menu": "palette", "command": "hello.greet"}],
    "commands": [
        {
            "id": "hello.greet",
            "title": "Say hello",
            "description": "Greet.",
            "async": False,
            "parameters": [{"name": "größe", "type": "string", "required": False, "default": "world"}],
        }
    ],
    "widgets": [
        {
            "id": "hello.panel",
            "title": "Hello",
            "icon": "",
            "kind": "text",
            "position": "main",
            "description": "",
        }
    ],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)


def paths(changes: dict[str, Any]) -> list[str]:
    """Return the paths of what is wrong with a minimal manifest with changes."""
    return [issue.path for issue in validate(MINIMAL | changes)]


def test_the_least_and_the_most_are_in_order() -> None:
    """Two keys are enough, and every key is known."""
    assert validate(MINIMAL) == []
    assert validate(FULL) == []


def test_unknown_keys_are_issues_with_a_suggestion() -> None:
    """At the top and below, a typing error is told with the word that was meant."""
    found = validate(MINIMAL | {"permisions": [], "limits": {"memory": 1}})
    assert [str(issue) for issue in found] == [
        "permisions: unknown key; did you mean 'permissions'?",
        "limits.memory: unknown key; did you mean 'memory_mb'?",
    ]


@pytest.mark.parametrize(
    "identifier",
    [
        "network.connect.api.example.com:443",
        "network.connect.*.example.com",
        "filesystem.*.workspace",
        "filesystem.read./a b/c",
        "process.execute.*",
        "ui.open.hello.*",
    ],
)
def test_permissions_of_the_vocabulary_are_accepted(identifier: str) -> None:
    """`category.scope.resource`; a resource may have dots, `*` stands where the vocabulary says."""
    assert paths({"permissions": [{"id": identifier}]}) == []


def test_a_permission_that_there_is_not_is_an_issue_with_a_suggestion() -> None:
    """Each is told at its place, with the word that was probably meant; all at once."""
    wrong = ["network.conect.example.com", "filesystem.read.workspce", "process.execute.x y"]
    found = validate(MINIMAL | {"permissions": [{"id": id} for id in wrong]})
    assert [str(issue) for issue in found] == [
        "permissions[0].id: 'network.conect.example.com' is no permission: network has no scope 'conect'; "
        "did you mean 'connect'?",
        "permissions[1].id: 'filesystem.read.workspce' is no permission: 'workspce' is no place; "
        "did you mean 'workspace'?",
        "permissions[2].id: 'process.execute.x y' is no permission: 'x y' is no program: write its name, "
        "or its absolute path",
    ]


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "network",
        "network.connect",
        "network.connect.",
        "network..x",
        "disk.read.x",
        "*.read.x",
        "Network.connect.x",
        "network.CONNECT.x",
        "network.connect. x",
        "network.connect.x\n",
        "network.c.\x1b[2J",
    ],
)
def test_other_permissions_are_refused(identifier: str) -> None:
    """A category that nobody enforces would promise something; odd characters would mislead a reader."""
    assert paths({"permissions": [{"id": identifier}]}) == ["permissions[0].id"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schema": 2}, ["schema"]),
        ({"schema": True}, ["schema"]),
        ({"api_version": 1.0}, ["api_version"]),
        ({"api_version": "1"}, ["api_version"]),
        ({"permissions": {}}, ["permissions"]),
        ({"permissions": ["x"]}, ["permissions[0]"]),
        ({"permissions": [{"id": "ui.open.x"}, {"id": "ui.open.x"}]}, ["permissions[1].id"]),
        (
            {"activation_events": ["onStart", "onCommand:", "onCommand:a b"]},
            [f"activation_events[{i}]" for i in range(3)],
        ),
        (
            {"requires_plugins": ["x @ https://example.org/x.whl", "x>=", "-x"]},
            [f"requires_plugins[{i}]" for i in range(3)],
        ),
        ({"load_after": ["x>1"]}, ["load_after[0]"]),
        ({"limits": {"memory_mb": 0}}, ["limits.memory_mb"]),
        ({"limits": {"cpu_percent": float("nan")}}, ["limits.cpu_percent"]),
        ({"limits": {"file_handles": 50.5}}, ["limits.file_handles"]),
        ({"restart": {"policy": "sometimes"}}, ["restart.policy"]),
        ({"configuration": {"a.b": {"type": "string"}}}, ["configuration['a.b']"]),
        ({"configuration": {"a": {}}}, ["configuration.a.type"]),
        ({"configuration": {"a": {"type": "integer", "default": "1"}}}, ["configuration.a.default"]),
        ({"configuration": {"a": {"type": "integer", "default": True}}}, ["configuration.a.default"]),
        (
            {"configuration": {"a": {"type": "number", "default": 5, "maximum": 4}}},
            ["configuration.a.default"],
        ),
        ({"configuration": {"a": {"type": "string", "enum": ["x", 1]}}}, ["configuration.a.enum[1]"]),
        (
            {"configuration": {"a": {"type": "string", "enum": ["x"], "default": "y"}}},
            ["configuration.a.default"],
        ),
        ({"configuration": {"a": {"type": "string", "minimum": 1}}}, ["configuration.a"]),
        (
            {"configuration": {"a": {"type": "integer", "minimum": 2, "maximum": 1}}},
            ["configuration.a.minimum"],
        ),
        (
            {"configuration": {"a": {"type": "object", "default": {"d": 2**70}}}},
            ["configuration.a.default.d"],
        ),
        ({"keybindings": [{"key": "ctrl+", "command": "a.b"}]}, ["keybindings[0].key"]),
        ({"commands": [{"id": "a.b"}, {"id": "a.b"}]}, ["commands[1].id"]),
        ({"commands": [{"id": "a:b"}]}, ["commands[0].id"]),
        (
            {"commands": [{"id": "a.b", "parameters": [{"name": "x", "type": "integer", "default": "y"}]}]},
            ["commands[0].parameters[0].default"],
        ),
        (
            {"commands": [{"id": "a.b", "parameters": [{"name": "x"}, {"name": "x"}]}]},
            ["commands[0].parameters[1].name"],
        ),
        ({"widgets": [{"title": "x"}]}, ["widgets[0].id"]),
    ],
)
def test_each_fault_is_one_issue_with_its_path(changes: dict[str, Any], expected: list[str]) -> None:
    """What is wrong is named where it stands, once."""
    assert paths(changes) == expected


def test_every_issue_is_reported_at_once() -> None:
    """Faults at several depths do not hide each other."""
    found = validate(
        {"api_version": "x", "limits": {"memory_mb": "1"}, "menus": [{"menu": "palette"}], "z": 1}
    )
    assert {issue.path for issue in found} == {
        "schema",
        "api_version",
        "limits.memory_mb",
        "menus[0].command",
        "z",
    }


@given(JSON)
def test_any_value_has_an_answer(value: Any) -> None:
    """Whatever a stranger sends, the answer is a list of issues, and none that breaks a line."""
    for issue in validate(value):
        assert issue.path
        assert str(issue).isprintable()


@given(st.sampled_from([field for field in FULL if field != "schema"]), JSON)
def test_any_value_of_a_field_has_an_answer(name: str, value: Any) -> None:
    """A field of any value is accepted or named; no other field is blamed."""
    for issue in validate(FULL | {name: value}):
        assert issue.path.startswith(name)
        assert str(issue).isprintable()


def test_nesting_is_bounded() -> None:
    """A default of any depth ends in an issue, not in the interpreter's limit."""
    value: Any = 1
    for _ in range(50_000):
        value = [value]
    found = validate(MINIMAL | {"configuration": {"a": {"type": "array", "default": value}}})
    assert [issue.message for issue in found] == ["is nested deeper than 16"]


def test_a_flood_is_bounded() -> None:
    """A hundred thousand keys or entries do not become as many lines, nor minutes of suggestions."""
    flood = {f"permission{number}": 1 for number in range(100_000)}
    assert len(validate(MINIMAL | flood)) < 150
    assert len(validate(MINIMAL | {"permissions": [{}] * 100_000})) < 300


def test_the_published_schema_is_the_one_of_the_table() -> None:
    """`plugin.schema.json` is generated; write it again with `schema()` when the table changes."""
    published = Path(viloapp_sdk.manifest.__file__).with_name("plugin.schema.json")
    assert json.loads(published.read_text("utf-8")) == schema()


def test_the_error_shows_at_most_fifty_issues_and_keeps_all() -> None:
    """A person reads a page; a program gets everything."""
    error = ManifestError(Issue(f"a[{number}]", "is wrong") for number in range(80))
    assert len(error.issues) == 80
    assert error.detail.splitlines()[0] == "plugin.json: 80 issues"
    assert error.detail.splitlines()[-1] == "  and 30 more"
