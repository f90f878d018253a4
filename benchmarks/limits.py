"""What keeping plugins to their limits costs, and how well it holds: the real limits, the real windows.

A plugin that takes all it can get (``tests/fixtures/plugins/devours``) meets the defaults: memory, several
ways, and processor time over two minutes. Twenty idle plugins show what the host pays for looking at them,
and calls with and without a watch, in turns, what a call pays.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.building import build
from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, Target, say
from tests.fixtures.wheels import PROJECTS
from viloapp_core import Host
from viloapp_core.supervise.monitor import BUSY_S
from viloapp_sdk.errors import LimitExceededError

_PROJECT = """\
[build-system]
requires = ["setuptools>=77", "viloapp-sdk>=1,<2"]
build-backend = "setuptools.build_meta"

[project]
name = "idle-{number:02}"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["viloapp-sdk>=1,<2"]

[project.entry-points."viloapp.plugins"]
idle-{number:02} = "idle_{number:02}:Idle"

[tool.setuptools]
py-modules = ["idle_{number:02}"]

[tool.viloapp]
api_version = "1.0"
"""
_MODULE = '''\
"""A plugin that does nothing."""

from viloapp_sdk import Plugin, command


class Idle(Plugin):
    """The plugin."""

    @command("idle{number:02}.nothing")
    def nothing(self) -> None:
        """Do nothing."""
'''
_ATTACKS: dict[str, dict[str, int]] = {
    "heap": {"size_mb": 2000},
    "shared_map": {"size_mb": 2000},
    "children": {"count": 8, "size_mb": 90},
}


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install the plugins, then measure.

    Args:
        folder: for the store and the plugins.
        effort: how long a processor is used, how many attacks and idle plugins.
        rounds: of each attack, threefold.
    """
    store = folder / "store"
    os.environ["VILOAPP_HOME"] = str(store)
    idle = effort.choose(1, 20, 20)
    wheels = _wheels(folder, idle)
    viloapp = Path(sys.executable).with_name("viloapp")
    unsigned = [word for wheel in wheels for word in ("--allow-unsigned", wheel.name.split("-")[0])]
    words = [str(viloapp), "install", "--yes", *unsigned, *map(str, wheels)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    outcome = Outcome("Limits of plugins")
    for measure in (_memory, _processor, _idle, _calls):
        _with_host(store, lambda host, measure=measure: measure(host, outcome, effort, rounds))  # type: ignore[misc]
    return outcome


def _with_host(store: Path, work: Callable[[Host], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Host(store, control=False) as host:
            await work(host)

    asyncio.run(main())


async def _memory(host: Host, outcome: Outcome, effort: Effort, rounds: int) -> None:
    """How much a plugin of 100 MB had when it was ended, or refused more."""
    # It is ended again and again, and is to come back at once each time.
    host.settings.set("core.supervise.max_retries", 1000)
    host.settings.set("core.supervise.delay_s", 0)
    for name, arguments in [*_ATTACKS.items()][: effort.choose(1, 3, 3)]:
        seen = []
        for _ in range(effort.choose(1, 2, 3 * rounds)):
            say(f"memory: {name}")
            try:
                await host.call(f"devours.{name}", arguments)
            except LimitExceededError as error:
                found = re.search(r"it used (\d+) MB", error.detail)
                seen.append(int(found[1]) if found else 100)
            else:
                raise AssertionError(f"{name} was not stopped")
        seen.sort()
        what = f"memory at the end: {name}, 100 MB allowed"
        outcome.counts[f"{what}, median MB"] = seen[len(seen) // 2]
        outcome.counts[f"{what}, most MB"] = seen[-1]


async def _processor(host: Host, outcome: Outcome, effort: Effort, rounds: int) -> None:
    """What a busy plugin gets of a processor: a minute's worth in advance, then 25 %."""
    seconds = effort.choose(1.0, 20.0, 150.0)
    say(f"processor time, {seconds:.0f} s")
    host.settings.set("devours.limits.execution_time", 600)
    call = asyncio.ensure_future(host.call("devours.spin_processes", {"count": 2, "seconds": seconds}))
    began, before = time.monotonic(), time.process_time()
    marks: list[tuple[float, float]] = []
    while not call.done():
        await asyncio.sleep(0.5)
        marks.append((time.monotonic() - began, _row(host, "devours")["usage"]["cpu_s"]))
    passed, own = time.monotonic() - began, time.process_time() - before
    used = marks[-1][1]
    spent = next((at for at, cpu in marks if cpu >= 15), passed)
    outcome.counts["CPU-seconds used at 25 %, hundredths"] = round(used * 100)
    outcome.counts["of seconds"] = round(passed)
    allowed = 0.25 * (passed + 60)
    outcome.targets.append(Target("CPU-seconds used, of those allowed", used / allowed, 1.05))
    later = [(at, cpu) for at, cpu in marks if at > spent + 10]
    if len(later) > 20:
        (t0, c0), (t1, c1) = later[0], later[-1]
        outcome.notes.append(f"once the budget is spent: {(c1 - c0) / (t1 - t0):.1%} of a processor")
    outcome.notes.append(f"the host used {own / passed:.2%} of a processor to hold it")


async def _idle(host: Host, outcome: Outcome, effort: Effort, rounds: int) -> None:
    """What the host uses while twenty plugins run and do nothing."""
    idle = [row["id"] for row in host.plugins() if row["id"].startswith("idle-")]
    for plugin_id in idle:
        await host.call(f"{plugin_id.replace('-', '')}.nothing")
    settling, seconds = effort.choose((0, 1), (5, 10), (5, 60))
    await asyncio.sleep(settling)
    say(f"{len(idle)} idle plugins, {seconds} s")
    before = time.process_time()
    await asyncio.sleep(seconds)
    share = (time.process_time() - before) / seconds
    outcome.targets.append(
        Target(f"the host with {len(idle)} idle plugins, % of a processor", share * 100, 1, "%")
    )


async def _calls(host: Host, outcome: Outcome, effort: Effort, rounds: int) -> None:
    """A call with its plugin watched, and with the watch at rest, in turns of a hundred."""
    await host.call("idle01.nothing")
    life = host._workers["idle-01"]._life
    assert life is not None
    watch = life.watch
    times: dict[str, list[float]] = {"a call, watched": [], "a call, not watched": []}
    for turn in range(effort.choose(2, 20, 60)):
        watched = turn % 2 == 0
        if watched:
            watch._schedule(BUSY_S)
        elif watch._timer is not None:
            watch._timer.cancel()
        runs = times["a call, watched" if watched else "a call, not watched"]
        for _ in range(100):
            began = time.perf_counter()
            await host.call("idle01.nothing")
            runs.append(time.perf_counter() - began)
    watch._schedule(BUSY_S)
    with_it, without = (Series(what, tuple(runs)) for what, runs in times.items())
    outcome.times += [with_it, without]
    outcome.targets.append(Target("a call, watched and not", with_it.median_s / without.median_s, 1.1))


def _row(host: Host, plugin_id: str) -> dict[str, Any]:
    return next(row for row in host.plugins() if row["id"] == plugin_id)


def _wheels(folder: Path, idle: int) -> list[Path]:
    projects = [PROJECTS / "devours"]
    for number in range(1, idle + 1):
        project = folder / "projects" / f"idle_{number:02}"
        project.mkdir(parents=True)
        (project / "pyproject.toml").write_text(_PROJECT.format(number=number), "utf-8")
        (project / f"idle_{number:02}.py").write_text(_MODULE.format(number=number), "utf-8")
        projects.append(project)
    return list(build(projects, folder / "wheels").values())
