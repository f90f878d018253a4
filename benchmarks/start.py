"""What the sandbox costs: a worker's start to its first answer, and a call, with and without it, in turns.

Both hosts live in this process, on stores of their own with the same plugin. One is told that nothing
confines plugins here, as on a machine without a sandbox where the person allowed that.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Outcome, Series, Target, say
from tests.fixtures.wheels import PROJECTS, Builder
from viloapp_core import Host
from viloapp_core.resolve import wheelhouse
from viloapp_core.sandbox import Probe, probe
from viloapp_core.supervise import launching

COMMAND, PLUGIN = "hello.greet", "hello"
STARTS, CALLS, BATCH = 40, 40, 100
MOST_MS = 30.0
NOTHING = Probe("none", "none", "as asked", "")


def run(folder: Path, *, quick: bool, rounds: int) -> Outcome:
    """Install the plugin twice, then measure.

    Args:
        folder: an empty one.
        quick: a quarter of the starts and calls.
        rounds: not used; a start is short.
    """
    say("start: installing")
    wheel = Builder(folder, wheelhouse()["viloapp-sdk"]).build([PROJECTS / PLUGIN], folder / "wheels")[PLUGIN]
    stores = {name: folder / name for name in ("inside", "outside")}
    for store in stores.values():
        words = ("install", "--yes", "--allow-unsigned", PLUGIN, str(wheel))
        command = [str(Path(sys.executable).with_name("viloapp")), *words]
        subprocess.run(command, check=True, env={**os.environ, "VILOAPP_HOME": str(store)}, stdout=2)
    say("start: measuring")
    share = 4 if quick else 1
    return asyncio.run(_measured(stores, STARTS // share, CALLS // share))


async def _measured(stores: dict[str, Path], starts: int, calls: int) -> Outcome:
    found = probe()
    if found.backend != "bubblewrap":
        return Outcome("Starting in the sandbox", notes=[f"not measured: {found.reason}"])
    started: dict[str, list[float]] = {name: [] for name in stores}
    called: dict[str, list[float]] = {name: [] for name in stores}
    async with (
        Host(stores["inside"], control=False, allow_unsandboxed=True) as inside,
        Host(stores["outside"], control=False, allow_unsandboxed=True) as outside,
    ):
        hosts = {"inside": inside, "outside": outside}
        # A host asks this at each start; it answers from memory, and for the other host not the truth.
        answers = {"inside": found, "outside": NOTHING}
        original = launching.probe
        try:
            for round_number in range(starts + 1):
                for name, host in hosts.items():
                    launching.probe = lambda name=name: answers[name]  # type: ignore[assignment,misc]  # see above
                    await host.restart_plugin(PLUGIN)
                    began = time.perf_counter()
                    await host.call(COMMAND, {})
                    if round_number:  # the first one fills caches
                        started[name].append(time.perf_counter() - began)
            for _ in range(calls):
                for name, host in hosts.items():
                    began = time.perf_counter()
                    for _ in range(BATCH):
                        await host.call(COMMAND, {})
                    called[name].append((time.perf_counter() - began) / BATCH)
        finally:
            launching.probe = original
    return _outcome(started, called)


def _outcome(started: dict[str, list[float]], called: dict[str, list[float]]) -> Outcome:
    times = {
        name: (
            Series(f"start to first answer, {name}", tuple(started[name])),
            Series(f"a call, {name}", tuple(called[name])),
        )
        for name in started
    }
    (start_in, call_in), (start_out, call_out) = times["inside"], times["outside"]
    return Outcome(
        "Starting in the sandbox",
        times=[start_in, start_out, call_in, call_out],
        targets=[
            Target(
                "added to a start, median", 1000 * (start_in.median_s - start_out.median_s), MOST_MS, "ms"
            ),
            Target("a call inside, to one outside", call_in.median_s / call_out.median_s, 1.1),
        ],
        notes=["in turns; the plugin and everything else are the same"],
    )
