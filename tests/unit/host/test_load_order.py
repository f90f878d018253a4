"""Plugins that start with the host start in the load order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.unit.host.conftest import Plant
from viloapp_core import Host

Run = Callable[[Callable[[], Awaitable[None]]], None]

QUIET = """
from viloapp_sdk import Plugin
class P(Plugin):
    pass
"""
BROKEN = """
from viloapp_sdk import Plugin
class P(Plugin):
    def initialize(self, context):
        raise RuntimeError("no")
"""


async def _started(ids: set[str]) -> list[tuple[str, str]]:
    """Return the states of plugins of a host, in their order, from its start until these have all run."""
    states: list[tuple[str, str]] = []
    running = asyncio.Event()
    host = Host(control=False)

    def told(name: str, data: dict[str, Any]) -> None:
        if name == "plugin.state":
            states.append((data["plugin"], data["state"]))
            if ids <= {plugin for plugin, state in states if state == "running"}:
                running.set()
        elif name == "notification" and data["level"] == "warning":
            states.append(("warning", data["message"]))

    host.subscribe(told)
    async with host:
        await running.wait()
    return states


def test_what_is_needed_has_started_before_what_needs_it(plant: Plant, run: Run) -> None:
    """By each kind of edge, through one that does not start, and after one that fails; not before."""
    startup = ["onStartup"]
    plant("a", QUIET, requires_plugins=["b>=1"], activation_events=startup)
    plant("b", QUIET, load_after=["lazy"])
    plant("lazy", QUIET, load_after=["c", "absent"])
    plant("c", QUIET, load_after=["broken"], activation_events=startup)
    plant("broken", BROKEN, activation_events=startup)
    plant("free", QUIET, activation_events=startup)

    async def test() -> None:
        states = await _started({"a", "c", "free"})
        assert not {plugin for plugin, _ in states} & {"b", "lazy"}
        assert states.index(("a", "starting")) > states.index(("c", "running"))
        assert states.index(("c", "starting")) > states.index(("broken", "crashed"))
        assert states.index(("free", "starting")) < states.index(("broken", "crashed"))

    run(test)


def test_a_cycle_in_a_store_keeps_nothing_from_starting(plant: Plant, run: Run) -> None:
    """No command makes such a store; a host that meets one says so, with the chain."""
    plant("a", QUIET, activation_events=["onStartup"], load_after=["b"])
    plant("b", QUIET, activation_events=["onStartup"], load_after=["a"])

    async def test() -> None:
        states = await _started({"a", "b"})
        (message,) = (text for plugin, text in states if plugin == "warning")
        assert message.endswith("a is to load after b; b is to load after a")

    run(test)
