"""Programs for plugins while they are being started: the moment in which nobody has them yet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.broker.gate import Grants
from viloapp_core.broker import programs
from viloapp_core.broker.programs import Programs
from viloapp_core.process import Spawner
from viloapp_core.sandbox import Launch
from viloapp_sdk.errors import PermissionDeniedError

PLUGIN, SLEEP = "hello", "process.execute.sleep"


class Scene:
    """Programs whose sandbox is made when the test says so; what starts then sleeps."""

    def __init__(self, tmp_path: Path) -> None:
        self.gate = Grants(SLEEP)
        self.spawner = Spawner()
        self.programs = Programs(self.spawner, self.gate, self._plan)
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self._folder = tmp_path

    async def _plan(
        self, plugin_id: str, script: Path, arguments: tuple[str, ...], fds: tuple[int, ...]
    ) -> Launch:
        self.asked.set()
        await self.go.wait()
        own = os.open(os.devnull, os.O_RDONLY)  # the plan's, which the launch gives back
        return Launch(("sleep", "1000"), {"PATH": os.environ["PATH"]}, self._folder, "none", (*fds, own))

    def run(self) -> asyncio.Task[int]:
        """Have a program run."""
        work = self.programs.run(PLUGIN, b"sleep", [b"sleep", b"1000"], lambda fd: 1)
        return asyncio.ensure_future(work)

    async def gone(self) -> None:
        """Wait until no program is left."""
        while self.programs.pids(PLUGIN):
            await asyncio.sleep(0.01)


def play(tmp_path: Path, scene: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a scene; it leaves no process and no descriptor."""

    async def bounded() -> None:
        stage = Scene(tmp_path)
        try:
            async with asyncio.timeout(30):
                await scene(stage)
        finally:
            await stage.programs.aclose()
            stage.spawner.close()

    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(bounded())
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_permission_that_is_taken_back_meanwhile(tmp_path: Path) -> None:
    """What was allowed when it was asked for does not run when it is not any more."""

    async def scene(stage: Scene) -> None:
        starting = stage.run()
        await stage.asked.wait()
        stage.gate.change(PLUGIN)
        stage.go.set()
        await starting
        await stage.gone()
        assert ("process.execute.sleep", "process.run", "ended", "the permission was taken back") in (
            stage.gate.lines
        )

    play(tmp_path, scene)


def test_a_permission_that_is_taken_back_while_it_waits_for_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More in a second than may be wait; what waits does not start afterwards."""
    monkeypatch.setattr(programs, "_PER_SECOND", 1.0)
    monkeypatch.setattr(programs, "_BURST", 1)

    async def scene(stage: Scene) -> None:
        stage.go.set()
        waiting = [stage.run() for _ in range(5)]
        await asyncio.sleep(0)
        stage.gate.change(PLUGIN)
        results = await asyncio.gather(*waiting[1:], return_exceptions=True)
        assert all(isinstance(each, PermissionDeniedError) for each in results), results
        await stage.gone()

    play(tmp_path, scene)


def test_a_plugin_that_dies_meanwhile(tmp_path: Path) -> None:
    """Its request is given up in the middle of a start: the child ends, and its descriptors with it."""

    async def scene(stage: Scene) -> None:
        for _ in range(20):
            stage.asked.clear()
            stage.go.clear()
            starting = stage.run()
            await stage.asked.wait()
            stage.go.set()
            await asyncio.sleep(0)
            starting.cancel()
            stage.programs.drop(PLUGIN)
            await asyncio.gather(starting, return_exceptions=True)
            await stage.gone()

    play(tmp_path, scene)
