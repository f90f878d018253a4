"""Which version of the wire two sides speak, and which API a plugin may ask for."""

from __future__ import annotations

import os
from typing import Any

import pytest

from viloapp_sdk import PluginContext, _wire
from viloapp_sdk._wire import HELLO, agreed, greeting, in_words, spoken
from viloapp_sdk.manifest.api_version import asked_of, is_newer, lower, speaks
from viloapp_sdk.services import Services
from viloapp_sdk.worker._channel import Channel


@pytest.mark.parametrize(
    ("ours", "theirs", "version"),
    [
        ((1, 1), {"protocol": 1}, 1),  # of the first release, which said no more
        ((1, 1), {"protocol": 1, "protocols": [1, 3]}, 1),
        ((1, 3), {"protocol": 1, "protocols": [1, 2]}, 2),
        ((2, 4), {"protocol": 3, "protocols": [3, 9]}, 4),
        ((2, 3), {"protocol": 1}, 0),
        ((1, 1), {"protocol": 2, "protocols": [2, 3]}, 0),
        ((1, 1), {"protocol": 2}, 0),
    ],
)
def test_the_newest_version_that_both_know_is_spoken(
    ours: tuple[int, int], theirs: dict[str, Any], version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides come to the same answer, whichever of them is older; 0 is none."""
    monkeypatch.setattr(_wire, "PROTOCOLS", ours)
    assert agreed(theirs) == version
    mine = greeting()[1]
    monkeypatch.setattr(_wire, "PROTOCOLS", spoken(theirs))
    assert agreed(mine) == version


@pytest.mark.parametrize(
    "told", [None, "1", True, 0, -1, [1], [1, 2, 3], [2, 1], [0, 1], [1, None], {"a": 1}, 1.0]
)
def test_a_greeting_that_makes_no_sense_agrees_to_nothing(told: Any) -> None:
    """A worker may be hostile: nothing of it is believed, and nothing raises."""
    assert agreed({"protocols": told} if told is not None else {}) == 0
    assert agreed({"protocol": told}) == 0 or told == 1
    assert "no version" in in_words(spoken({"protocol": None}))


def test_the_first_release_finds_what_it_looks_for() -> None:
    """It compares `protocol` with the one version it knows, and passes over all else."""
    kind, hello = greeting(core="9", news={"x": 1})
    assert (kind, hello["protocol"]) == (HELLO, 1)


def test_a_worker_says_by_itself_why_it_ends() -> None:
    """In its log, for whom the host's answer does not reach; with both versions."""
    ours, theirs = os.pipe(), os.pipe()
    os.write(ours[1], _wire.pack([HELLO, {"protocol": 8, "protocols": [8, 9], "core": "7.6"}]))
    try:
        with pytest.raises(SystemExit, match=r"sdk \S+ speaks wire 1, and viloapp-core 7\.6 wire 8 to 9"):
            Channel(ours[0], theirs[1]).serve()
    finally:
        for fd in (*ours, *theirs):
            os.close(fd)


@pytest.mark.parametrize(
    ("asked", "known", "does"), [("1.0", "1.3", True), ("1.4", "1.3", False), ("0.9", "1.0", False)]
)
def test_a_core_does_what_its_minor_version_has(asked: str, known: str, does: bool) -> None:
    """The same major version, and no later minor one."""
    assert speaks(asked, known) is does
    assert is_newer(asked, known) == (asked == "1.4")


@pytest.mark.parametrize("data", [5, {}, {"api_version": 1}, {"api_version": "1"}, {"api_version": "1.x"}])
def test_what_is_no_version_is_left_to_the_check_of_the_manifest(data: Any) -> None:
    """An issue of its own says what is wrong with it."""
    assert asked_of(data)[1] == ""


def test_a_plugin_is_told_what_both_sides_know() -> None:
    """The older of the SDK's version and the host's; a host that does not say has the first."""
    start = {"plugin_id": "p", "version": "1", "data_dir": ".", "resource_dir": ".", "settings": {}}
    services = Services(lambda *a: a, lambda *a: a, lambda *a: lambda: None)
    assert PluginContext(start, services).api_version == "1.0"
    assert PluginContext({**start, "api_version": "0.9"}, services).api_version == "0.9"
    assert PluginContext({**start, "api_version": "1.7"}, services).api_version == "1.0"
    assert lower("1.10", "1.9") == "1.9"
