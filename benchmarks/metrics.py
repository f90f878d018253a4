"""What measuring costs: counting a call, which every call pays, and a report, made when somebody asks.

Times are of the processor, so that what else the machine does is no part of them; shown for a million.
"""

from __future__ import annotations

import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, Target
from viloapp_core.metrics import Latencies, PluginMetrics

MOST_NS = 1000.0


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Measure.

    Args:
        folder: not used; nothing is written.
        effort: how many repetitions.
        rounds: not used.
    """
    number, repeat = effort.choose((200, 3), (2_000, 15), (20_000, 50))
    metrics = PluginMetrics("hello")

    def count() -> None:
        metrics.latencies.record_all((0.0002,))  # as a peer does for an answer that is alone

    counted = _a_million(count, number, repeat)
    empty = _a_million(lambda: None, number, repeat)
    reports = _a_million(metrics.report, 100, repeat)
    called = metrics.latencies
    return Outcome(
        "Measuring plugins",
        times=[
            Series("counting a million calls", counted),
            Series("a million empty functions, beside it", empty),
            Series("a million reports of one plugin, its quantiles included", reports),
        ],
        targets=[Target("counting one call, the quickest round", min(counted) * 1e3, MOST_NS, "ns")],
        notes=[
            f"the latencies of a plugin take {_bytes(called):,} bytes, "
            f"after {called.count:,} calls as after one"
        ],
    )


def _bytes(latencies: Latencies) -> int:
    recent = latencies._recent
    return latencies._buckets.__sizeof__() + recent.__sizeof__() + sum(map(sys.getsizeof, recent))


def _a_million(function: Callable[[], object], number: int, repeat: int) -> tuple[float, ...]:
    """Return the seconds that a million runs would take, of each round."""
    rounds = timeit.repeat(function, number=number, repeat=repeat, timer=time.process_time)
    return tuple(each / number * 1e6 for each in rounds)
