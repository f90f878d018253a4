"""Safe mode and `$VILOAPP_ONLY`: enabled plugins that a host leaves out, and nothing of it in the store."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core.foundation.files import read_json
from viloapp_core.host import Host
from viloapp_core.host.holding import Holding, only_in
from viloapp_core.host.start_marker import StartMarker
from viloapp_core.store import Store
from viloapp_sdk.errors import UnknownCommandError

Run = Callable[[Callable[[], Awaitable[None]]], None]
SOURCE = """
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("hello.greet")
    def greet(self) -> str:
        return "hello"
"""


@dataclass
class _Row:
    requires_plugins: tuple[str, ...] = ()


def test_safe_mode_holds_back_all_but_our_own() -> None:
    """What the core brings along runs, the rest says how it is started all the same."""
    holding = Holding(safe=True)
    assert holding.why("viloxterm") == holding.why("viloedit") == ""
    assert holding.why("hello") == "held back: safe mode; use: viloapp enable hello"
    assert not Holding()
    assert Holding().why("hello") == ""


def test_what_is_released_brings_along_what_it_requires() -> None:
    """All the way down, and nothing else; what is not installed is nobody's error here."""
    plugins = {"a": _Row(("b>=1",)), "b": _Row(("c", "gone")), "c": _Row(), "d": _Row()}
    holding = Holding(safe=True)
    assert holding.release(["a"], plugins) == ["a", "b", "c"]
    assert [name for name in plugins if holding.why(name)] == ["d"]
    assert holding.release(["a"], plugins) == []


@pytest.mark.parametrize(
    ("environ", "only"),
    [({}, None), ({"VILOAPP_ONLY": ""}, set()), ({"VILOAPP_ONLY": "a, b,"}, {"a", "b"})],
)
def test_the_environment_names_what_may_run(environ: dict[str, str], only: set[str] | None) -> None:
    """No word of it means no choice, an empty one that nothing may run."""
    assert only_in(environ) == only


def test_a_safe_host_runs_what_is_enabled_one_by_one(
    plant: Plant, run: Run, store: Store, isolated_home: Path
) -> None:
    """Held back with the reason until it is released, for this host alone: the store's state stays."""
    plant("hello", SOURCE)
    state = read_json(store.layout.state)

    async def test() -> None:
        async with Host(control=False, safe=True) as host:
            (row,) = host.plugins()
            assert (row["enabled"], row["held"], row["state"]) == (False, True, "stopped")
            assert "viloapp enable hello" in row["reason"]
            with pytest.raises(UnknownCommandError, match="hello, which is held back"):
                await host.call("hello.greet")
            await host.refresh()  # a change of the store releases nothing
            assert host.commands() == []
            assert (await host.release(["hello"]))["added"] == ["hello"]
            assert await host.call("hello.greet") == "hello"
        assert read_json(store.layout.state) == state
        async with Host(control=False) as host:
            assert [row["held"] for row in host.plugins()] == [False]

    run(test)


def test_a_host_runs_only_what_the_environment_names(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that a program makes without a word of it: so `viloapp bisect` can try any program."""
    plant("hello", SOURCE)
    plant("other", SOURCE.replace("hello.", "other."))
    monkeypatch.setenv("VILOAPP_ONLY", "other")

    async def test() -> None:
        async with Host(control=False) as host:
            assert {row["id"]: row["held"] for row in host.plugins()} == {"hello": True, "other": False}
            assert host.held() == ["hello"]

    run(test)


HANGS = """
import time
from viloapp_sdk import Plugin

class P(Plugin):
    def initialize(self, context):
        time.sleep(600)
"""


def test_only_a_start_that_never_became_ready_leaves_a_trace(plant: Plant, run: Run, store: Store) -> None:
    """Not one that got ready, and not one that a person ended while a plugin still hung."""
    marker, trace = StartMarker(store.root), store.root / "starting.json"

    async def test() -> None:
        async with Host(control=False, mark_start=True) as host:
            assert trace.exists()
            assert not marker.left_over()  # it may yet become ready
            await host.started()
            assert not trace.exists()
        plant("hangs", HANGS, activation_events=["onStartup"])
        async with Host(control=False, mark_start=True):
            assert trace.exists()
        assert not trace.exists()
        async with Host(control=False):  # nobody asked for one
            assert not trace.exists()

    run(test)


def test_a_host_that_is_killed_while_it_starts_leaves_a_trace(plant: Plant, run: Run, store: Store) -> None:
    """The next one finds it, and takes it away once it is ready itself."""
    plant("hello", SOURCE)
    marker = StartMarker(store.root)
    code = (
        "import os, pathlib, sys; from viloapp_core.host.start_marker import StartMarker; "
        "StartMarker(pathlib.Path(sys.argv[1])).begin(safe=False); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, store.root]).returncode == -signal.SIGKILL
    assert marker.left_over()

    async def test() -> None:
        async with Host(control=False, mark_start=True) as host:
            await host.started()
        assert not marker.left_over()

    run(test)
