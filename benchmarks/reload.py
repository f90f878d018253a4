"""From an author's save to the new code's first answer, with the watcher and the reload of `viloapp dev`.

The plugin is installed from its folder. After each save its command is called until the new code answers; a
call waits while one process gives way to the next, so what is measured is what an author waits for. Half a
second of it is the rule that saving must have stopped.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, Target, say
from viloapp_core import Host
from viloapp_core.devtools.reloading import Reloader
from viloapp_core.devtools.watching import QUIET_S, changes
from viloapp_sdk.errors import ViloError

PLUGIN, COMMAND = "bench-reload", "bench-reload.saved"
SAVES, TWICE = 30, 5
MOST_S = 1.0
PATIENCE_S = 30.0
BETWEEN_WRITES_S = 0.2
SOURCE = '''"""A plugin that is saved often."""

from viloapp_sdk import Plugin, command


class Saved(Plugin):
    """Says which save it is."""

    @command("bench-reload.saved")
    def saved(self) -> int:
        """Return the number of the save."""
        return {number}
'''
PYPROJECT = """[build-system]
requires = ["setuptools>=77", "viloapp-sdk>=1,<2"]
build-backend = "setuptools.build_meta"

[project]
name = "bench-reload"
version = "1.0"
dependencies = ["viloapp-sdk>=1,<2"]

[project.entry-points."viloapp.plugins"]
bench-reload = "bench_reload:Saved"

[tool.viloapp]
api_version = "1.0"
"""


@dataclass
class _Steps:
    """When each step of the latest reload happened, in seconds of `time.perf_counter`."""

    noticed: float = 0.0
    started: float = 0.0
    done: float = 0.0
    reloads: int = 0
    runs: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        self.runs.setdefault(name, []).append(seconds)


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install the plugin from its folder, then save it.

    Args:
        folder: an empty one.
        effort: how many saves.
        rounds: not used; a save is short.
    """
    say("reload: installing")
    project, store = folder / "project", folder / "store"
    (project / "src/bench_reload").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    _save(project, 0)
    command = [str(Path(sys.executable).with_name("viloapp")), "install", "--yes", "--dev", str(project)]
    subprocess.run(command, check=True, env={**os.environ, "VILOAPP_HOME": str(store)}, stdout=2)
    say("reload: measuring")
    saves, twice = effort.choose((2, 1), (SAVES // 3, TWICE), (SAVES, TWICE))
    return asyncio.run(_measured(store, project, saves, twice))


async def _measured(store: Path, project: Path, saves: int, written_twice: int) -> Outcome:
    steps = _Steps()
    async with Host(store, workspace=project, control=False) as host:
        await host.call(COMMAND)
        async with _watching(host, project, steps):
            await _first(host, project, steps)
            for number in range(1, saves + 1):
                await _one(host, project, number, steps)
            before = steps.reloads
            for number in range(saves + 1, saves + 1 + written_twice):
                await _written_twice(host, project, number)
            reloads = steps.reloads - before
    return _outcome(steps, reloads / written_twice)


@asynccontextmanager
async def _watching(host: Host, project: Path, steps: _Steps) -> AsyncIterator[None]:
    """Reload as `viloapp dev` does, noting when."""
    stop = asyncio.Event()

    def told(level: str, message: str) -> None:
        if level == "error":
            say(message)

    reloader = Reloader(host, project, PLUGIN, _not_installed, told, host.store.root / "sources")
    reloader.begin()

    def observed(name: str, data: dict[str, object]) -> None:
        if name == "plugin.life" and data["what"] == "started":
            steps.started = time.perf_counter()

    host.subscribe(observed)

    async def reload() -> None:
        async for paths in changes(project, stop):
            steps.noticed = time.perf_counter()
            await reloader.saved(paths)
            steps.done = time.perf_counter()
            steps.reloads += 1

    reloading = asyncio.ensure_future(reload())
    try:
        yield
    finally:
        stop.set()
        await reloading


def _not_installed(given_up: threading.Event) -> None:
    raise AssertionError("nothing of pyproject.toml is saved here")


async def _first(host: Host, project: Path, steps: _Steps) -> None:
    """Save until it is seen: the watcher begins some time after it was asked to."""
    while steps.reloads == 0:
        _save(project, 0)
        deadline = time.perf_counter() + 4 * QUIET_S
        while steps.reloads == 0 and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)


async def _one(host: Host, project: Path, number: int, steps: _Steps) -> None:
    """Save once, call until the new code answers, and note what took how long."""
    await asyncio.sleep(0.1)  # as an author does; the reload before is over
    began, reloads = time.perf_counter(), steps.reloads
    _save(project, number)
    await _answered(host, number)
    answered = time.perf_counter()
    while steps.reloads == reloads:
        await asyncio.sleep(0.001)
    steps.add("from the save to the first answer of the new code", answered - began)
    steps.add("of that: until saving has stopped", steps.noticed - began)
    steps.add("reading the manifest, trying the import, the old process's end", steps.started - steps.noticed)
    steps.add("the new process, until it has answered", answered - steps.started)


async def _written_twice(host: Host, project: Path, number: int) -> None:
    """Write as an editor does that saves twice: a half of the file first, the whole a moment later."""
    path = project / "src/bench_reload/__init__.py"
    text = SOURCE.format(number=number)
    path.write_text(text[: len(text) // 2], "utf-8")
    await asyncio.sleep(BETWEEN_WRITES_S)
    path.write_text(text, "utf-8")
    await _answered(host, number)
    await asyncio.sleep(2 * QUIET_S)  # a second reload would come in this time


async def _answered(host: Host, number: int) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while True:
        try:
            if await host.call(COMMAND) == number:
                return
        except ViloError:  # it met the end of the old process
            pass
        if time.perf_counter() > deadline:
            raise TimeoutError(f"save {number} was not answered")
        await asyncio.sleep(0.002)


def _save(project: Path, number: int) -> None:
    """Save as most editors do: a new file in the place of the old one."""
    new = project / "src/bench_reload/.new"
    new.write_text(SOURCE.format(number=number), "utf-8")
    new.replace(project / "src/bench_reload/__init__.py")


def _outcome(steps: _Steps, reloads: float) -> Outcome:
    times = [Series(what, tuple(runs)) for what, runs in steps.runs.items()]
    whole = sorted(times[0].runs_s)
    cuts = statistics.quantiles(whole, n=100, method="inclusive")
    return Outcome(
        "Reloading what was saved",
        times=times,
        targets=[
            Target("from a save to the new code's answer, median", times[0].median_s, MOST_S, "s"),
            Target("the same, 90 of 100", cuts[89], MOST_S, "s"),
            Target("reloads for a file that is written twice", reloads, 1.0, "reloads"),
        ],
        notes=[f"from a save to the answer, 99 of 100: {cuts[98]:.3f} s"],
    )
