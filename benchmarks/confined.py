"""What the sandbox costs: a worker's start to its first answer, and a call, with and without it, in turns.

Both hosts live in this process, on stores of their own with the same plugin. One is told that nothing
confines plugins here, as on a machine without a sandbox where the person allowed that.

Calls are measured in short batches, in turns, and each batch inside is compared with the one outside beside
it: what else the machine does meanwhile meets both. Beside that stands what the plugin's process itself used
of a processor, which waiting for others is no part of.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest import mock

from benchmarks.building import build
from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, Target, say
from tests.fixtures.wheels import PROJECTS
from viloapp_core import Host
from viloapp_core.sandbox import Probe, probe
from viloapp_core.supervise import launching

COMMAND, PLUGIN = "hello.greet", "hello"
STARTS, BATCHES, BATCH = 40, 400, 25
MOST_MS = 30.0
NOTHING = Probe("none", "none", "as asked", "")


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install the plugin twice, then measure.

    Args:
        folder: an empty one.
        effort: how many starts and calls.
        rounds: not used; a start is short.
    """
    say("start: installing")
    wheel = build([PROJECTS / PLUGIN], folder / "wheels")[PLUGIN]
    stores = {name: folder / name for name in ("inside", "outside")}
    for store in stores.values():
        words = ("install", "--yes", "--allow-unsigned", PLUGIN, str(wheel))
        command = [str(Path(sys.executable).with_name("viloapp")), *words]
        subprocess.run(command, check=True, env={**os.environ, "VILOAPP_HOME": str(store)}, stdout=2)
    say("start: measuring")
    share = effort.choose(20, 4, 1)
    return asyncio.run(_measured(stores, STARTS // share, BATCHES // share))


async def _measured(stores: dict[str, Path], starts: int, batches: int) -> Outcome:
    found = probe()
    if found.backend != "bubblewrap":
        return Outcome("Starting in the sandbox", notes=[f"not measured: {found.reason}"])
    async with (
        Host(stores["inside"], control=False, allow_unsandboxed=True) as inside,
        Host(stores["outside"], control=False, allow_unsandboxed=True) as outside,
    ):
        hosts = {"inside": inside, "outside": outside}
        started = await _starts(hosts, {"inside": found, "outside": NOTHING}, starts)
        called, used = await _calls(hosts, batches)
    return _outcome(started, called, used)


async def _starts(
    hosts: Mapping[str, Host], answers: Mapping[str, Probe], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each start by host; both are started in the end."""
    started: dict[str, list[float]] = {name: [] for name in hosts}
    for round_number in range(rounds + 1):
        for name, host in hosts.items():
            # A host asks this at each start; it answers from memory, and for the other host not the truth.
            with mock.patch.object(launching, "probe", return_value=answers[name]):
                await host.restart_plugin(PLUGIN)
                began = time.perf_counter()
                await host.call(COMMAND, {})
            if round_number:  # the first one fills caches
                started[name].append(time.perf_counter() - began)
    return started


async def _calls(
    hosts: Mapping[str, Host], batches: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return seconds for a call, and of a processor for a call, of each batch by host."""
    called: dict[str, list[float]] = {name: [] for name in hosts}
    used: dict[str, list[float]] = {name: [] for name in hosts}
    workers = {name: _worker(host) for name, host in hosts.items()}
    for number in range(batches):
        # Each is first every other time: whoever comes second finds other caches.
        for name in list(hosts) if number % 2 else reversed(list(hosts)):
            host, before, began = hosts[name], _processor_s(workers[name]), time.perf_counter()
            for _ in range(BATCH):
                await host.call(COMMAND, {})
            called[name].append((time.perf_counter() - began) / BATCH)
            used[name].append((_processor_s(workers[name]) - before) / BATCH)
    return called, used


def _worker(host: Host) -> int:
    """Return the process that runs the plugin: the innermost of its sandbox."""
    (row,) = (row for row in host.plugins() if row["id"] == PLUGIN)
    pid = int(row["pid"])
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
        pid = int(children[0])
    return pid


def _processor_s(pid: int) -> float:
    """Return what a process has used of a processor, exactly. Source: the kernel's sched-stats.rst."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9


def _outcome(
    started: dict[str, list[float]], called: dict[str, list[float]], used: dict[str, list[float]]
) -> Outcome:
    start_in, start_out = (Series(f"start to first answer, {name}", tuple(started[name])) for name in started)
    call_in, call_out = (Series(f"a call, {name}", tuple(called[name])) for name in called)
    wall, wall_told = _compared("a call, inside to outside", called)
    own, own_told = _compared("the plugin's processor time for a call, inside to outside", used)
    added = 1000 * (start_in.median_s - start_out.median_s)
    return Outcome(
        "Starting in the sandbox",
        times=[start_in, start_out, call_in, call_out],
        targets=[
            Target("added to a start, median", added, MOST_MS, "ms"),
            Target("a call inside, to one outside, median of batches in turn", wall, 1.05),
            Target("processor time of the plugin for a call, the same", own, 1.05),
        ],
        notes=["in turns; the plugin and everything else are the same", wall_told, own_told],
    )


def _compared(what: str, seconds: Mapping[str, Sequence[float]]) -> tuple[float, str]:
    """Return the median of how batches side by side compare, and a line with its spread."""
    pairs = zip(seconds["inside"], seconds["outside"], strict=True)
    ratios = [inside / outside for inside, outside in pairs if outside]
    low, median, high = statistics.quantiles(ratios, n=4)
    micro = {name: 1e6 * statistics.median(each) for name, each in seconds.items()}
    told = f"{micro['inside']:.1f} and {micro['outside']:.1f} us"
    return median, f"{what}: {median:.3f} ({low:.3f} to {high:.3f}, quartiles of {len(ratios)}); {told}"
