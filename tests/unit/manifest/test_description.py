"""A manifest as data: what is filled in, and that a receipt gives back what it was given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.manifest import Manifest, ManifestError, read_wheel

MINIMAL = {"schema": 1, "api_version": "1.0"}
_IDS = st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}", fullmatch=True)


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the content of a `plugin.json` that is in order."""
    commands = [{"id": name, "title": f"T {name}"} for name in draw(st.lists(_IDS, unique=True, max_size=4))]
    widgets = [{"id": name, "kind": "text"} for name in draw(st.lists(_IDS, unique=True, max_size=4))]
    content: dict[str, Any] = MINIMAL | {"commands": commands, "widgets": widgets}
    if draw(st.booleans()):
        content["permissions"] = [{"id": "network.connect.api.example.com:443"}]
        content["activation_events"] = ["onStartup"]
    if draw(st.booleans()):
        content["configuration"] = {"size": {"type": "integer", "default": draw(st.integers(0, 9))}}
        content["limits"] = {"cpu_percent": draw(st.integers(1, 100)), "startup_time": 2.5}
    return content


@given(manifests())
def test_a_receipt_gives_back_the_manifest(content: dict[str, Any]) -> None:
    """Through JSON and back a manifest is equal, and written again it is the same text."""
    manifest = Manifest.from_json(content)
    text = json.dumps(manifest.to_json())
    assert Manifest.from_json(json.loads(text)) == manifest
    assert json.dumps(Manifest.from_json(json.loads(text)).to_json()) == text


def test_without_activation_events_each_command_and_widget_is_one() -> None:
    """An author who says nothing gets a worker that starts when it is needed."""
    content = MINIMAL | {"commands": [{"id": "a.b"}], "widgets": [{"id": "a.w"}]}
    assert Manifest.from_json(content).activation_events == ("onCommand:a.b", "onWidget:a.w")
    declared = content | {"activation_events": ["onStartup"]}
    assert Manifest.from_json(declared).activation_events == ("onStartup",)


def test_absent_keys_of_entries_are_filled_in() -> None:
    """Who shows a command or opens a widget finds every key."""
    content = MINIMAL | {
        "commands": [{"id": "a.b", "parameters": [{"name": "x"}]}],
        "widgets": [{"id": "a.w"}],
        "keybindings": [{"key": "f5", "command": "a.b"}],
    }
    manifest = Manifest.from_json(content)
    assert manifest.commands[0] == {
        "id": "a.b",
        "title": "a.b",
        "description": "",
        "async": False,
        "parameters": [{"name": "x", "type": "any", "required": False}],
    }
    assert manifest.widgets[0]["position"] == "main"
    assert manifest.keybindings[0]["when"] == ""


def test_a_receipt_that_somebody_edited_is_refused() -> None:
    """What a receipt holds is checked like what a wheel holds."""
    with pytest.raises(ManifestError, match="receipt of hello: 1 issue"):
        Manifest.from_json(MINIMAL | {"permission": []}, "receipt of hello")


def test_a_description_is_json(wheel: Any) -> None:
    """`viloapp info --json` prints it: requirements, versions and specifiers are strings."""
    found = read_wheel(wheel())
    shown = json.loads(json.dumps(found.to_json()))
    assert shown["requires_dist"][0] == "viloapp-sdk<2,>=1"
    assert shown["entry_point"] == {"name": "hello", "value": "hello.plugin:Hello"}
    assert shown["manifest"] == found.manifest.to_json()
