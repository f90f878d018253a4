"""The host's own start with few and many plugins installed: its time is to follow what is used.

Stores of generated plugins (`benchmarks/list.py`), of which none is started. A host is ready when it could
take a call; the workspace, when it has served its page to somebody who asks again and again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from benchmarks.commands import BenchmarkError, measure, script
from benchmarks.effort import Effort
from benchmarks.list import generate
from benchmarks.points import Curve, of_series
from benchmarks.report import Outcome, Series, Target, say
from benchmarks.rounds import quartiles

COUNTS = (10, 100, 1000)
GROWTH_LIMIT = 1.25
_PAUSE_S, _PATIENCE_S = 0.002, 60.0
# Prints the seconds from a `Host` that is made to one that is ready.
_HOST = """
import asyncio, sys, time
from pathlib import Path
from viloapp_core import Host
async def main():
    began = time.perf_counter()
    async with Host(Path(sys.argv[1]), control=False, allow_unsandboxed=True) as host:
        await host.started()
        print(time.perf_counter() - began)
asyncio.run(main())
"""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Start hosts on stores of several sizes in turn.

    Args:
        folder: for the stores.
        effort: how many rounds.
        rounds: not used.
    """
    stores = {}
    counts = effort.choose(COUNTS[:1], COUNTS, COUNTS)
    for count in counts:
        say(f"scale: generating a store of {count} plugins")
        stores[count] = generate(folder / str(count), count)
    times: dict[str, list[float]] = {}
    for turn in range(effort.choose(1, 5, 15) + 1):
        for count, store in stores.items() if turn % 2 else reversed(stores.items()):
            for what, took in (("host ready", _host(store)), ("page served", _page(store))):
                if turn:
                    times.setdefault(f"{what}, {count:,} installed", []).append(took)
    outcome = Outcome("The host's start, by what is installed")
    outcome.times = [Series(what, tuple(runs)) for what, runs in sorted(times.items())]
    lines = {
        what: of_series({count: times[f"{what}, {count:,} installed"] for count in counts})
        for what in ("host ready", "page served")
    }
    outcome.curves = [Curve("host", "The host's own start", "plugins installed", "ms", lines, limited=False)]
    outcome.targets = [_growth(times, what, counts[-1]) for what in ("host ready", "page served")]
    return outcome


def _growth(times: Mapping[str, list[float]], what: str, many: int) -> Target:
    few, most = (times[f"{what}, {count:,} installed"] for count in (COUNTS[0], many))
    low, ratio, high = quartiles([b / a for a, b in zip(few, most, strict=True)])
    told = f"{what}, {many:,} installed to {COUNTS[0]}, median of the rounds"
    return Target(told, ratio, GROWTH_LIMIT, low=low, high=high)


def _host(store: Path) -> float:
    return float(measure([sys.executable, "-c", _HOST, store], {}).stdout)


def _page(store: Path) -> float:
    """Return the seconds from `viloapp run` until its page came."""
    words = [script("viloapp"), "run", "--no-browser", "--allow-unsandboxed", str(store.parent)]
    began = time.perf_counter()
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environ(store)
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address.startswith("http"):
                raise BenchmarkError(f"{' '.join(words)} said {address!r} and no address")
            _fetch(address.partition("#")[0], began)
            return time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGINT)


def _fetch(url: str, began: float) -> None:
    """Ask until there is a page."""
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url) as page:
            if b"<html" in page.read():
                return
        if time.perf_counter() - began > _PATIENCE_S:
            raise BenchmarkError(f"{url} has no page")
        time.sleep(_PAUSE_S)


def _environ(store: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    return {**kept, "VILOAPP_HOME": str(store)}
