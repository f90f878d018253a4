"""A worker holds its generation for as long as its process lives, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.host import host as host_module
from viloapp_core.store import Store
from viloapp_core.store.garbage import collect

Run = Callable[[Callable[[], Awaitable[None]]], None]

SOURCE = """
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("hello.where")
    def where(self) -> str:
        return __file__

    @command("hello.deface")
    def deface(self) -> str:
        try:
            with open(__file__, "a") as module:
                module.write("evil")
        except OSError as error:
            return error.strerror
        return "written"
"""


def test_gc_leaves_what_a_worker_runs_and_takes_it_when_that_ended(
    store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two generations on, the one that runs is still there; killed, it is free at once."""
    # A host that sees the new generations in time ends the worker of the old one, which has another test.
    monkeypatch.setattr(host_module, "_POLL_S", 3600.0)
    plant("hello", SOURCE, version="1.0")
    first = f"hello/{store.plugin('hello').generation.name}"

    async def test() -> None:
        async with Host(store.root, control=False, allow_unsandboxed=True) as host:
            running = await host.call("hello.where")
            plant("hello", SOURCE, version="2.0")
            plant("hello", SOURCE, version="3.0")
            held = await asyncio.to_thread(collect, store)
            assert held.held == (first,)
            assert held.generations == ()
            assert os.path.exists(running)
            (row,) = host.plugins()
            os.kill(row["pid"], signal.SIGKILL)
            while any(row["pid"] for row in host.plugins()):
                await asyncio.sleep(0.01)
            freed = await asyncio.to_thread(collect, store)
            assert freed.generations == (first,)
            assert not os.path.exists(running)

    run(test)


def test_a_sandboxed_plugin_cannot_write_to_its_generation(plant: Plant, store: Store, run: Run) -> None:
    """What is linked into many virtualenvs is on a read-only mount, whoever the worker runs as."""
    plant("hello", SOURCE)

    async def test() -> None:
        async with Host(store.root, control=False, allow_unsandboxed=True) as host:
            said = await host.call("hello.deface")
            (row,) = host.plugins()
            assert said in ("Read-only file system", "Permission denied") or row["sandbox"] == "none"

    run(test)
