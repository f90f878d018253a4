"""What is lost, left over and slower while twenty plugins fail in nine ways and fifty callers go on.

The plugins are real wheels in a real store, each in the real sandbox; see `tests/fixtures/chaos`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, Target, say
from tests.fixtures import chaos
from tests.fixtures.chaos.figures import percentile

FAULTS = 1000


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install the plugins, then torment them.

    Args:
        folder: for the store and the plugins.
        effort: how many faults; a thousand are all.
        rounds: not used; one run is long enough.
    """
    seed = os.environ.get("VILOAPP_SEED")
    faults = effort.choose(4, 50, int(os.environ.get("VILOAPP_FAULTS", FAULTS)))
    plan = chaos.Plan(faults, rounds=effort.choose(1, 2, 10), **({"seed": int(seed)} if seed else {}))
    say("chaos: installing")
    store = chaos.install(folder)
    say(f"chaos: {faults} faults, at most {plan.per_second:g} a second, seed {plan.seed}")
    return _outcome(asyncio.run(chaos.torment(store, plan)))


def _outcome(figures: chaos.Figures) -> Outcome:
    before, during = figures.p99
    counts = {
        "faults": figures.faults.total(),
        "of them a second, hundredths": round(100 * figures.faults.total() / max(figures.seconds, 1)),
        "calls": figures.calls,
        "calls answered": figures.answers,
        **{f"calls ended as {code}": count for code, count in sorted(figures.errors.items())},
    }
    zero = {
        "faults after which a plugin did not come back": len(figures.stuck),
        "calls that never ended": figures.lost,
        "calls with another's answer": figures.wrong,
        "calls that ended with no typed error": figures.untyped.total(),
        "calls that ended more than 1 s after their deadline": len([x for x in figures.overruns if x > 1]),
        "exceptions that nobody handled": len(figures.unhandled),
        "processes that outlived their replacement": figures.survivors,
        "processes that outlived the host": len(figures.orphans),
        **figures.growth(),
    }
    return Outcome(
        "Faults on purpose",
        times=[Series(f"back after: {fault}", tuple(times)) for fault, times in figures.recoveries.items()],
        counts=counts,
        targets=[
            *(Target(what, value, 0, "") for what, value in zero.items()),
            Target("p99 of healthy plugins, ms", during * 1000, figures.p99_limit * 1000, "ms"),
        ],
        notes=[
            f"healthy plugins: p50 {statistics.median(figures.before) * 1000:.2f} ms before, "
            f"{percentile(figures.during, 0.5) * 1000:.2f} ms meanwhile; p99 {before * 1000:.2f} ms before, "
            f"{during * 1000:.2f} ms meanwhile",
            f"the host held {figures.held_before} before and {figures.held_after} after",
            f"seed {figures.seed}",
        ],
    )
