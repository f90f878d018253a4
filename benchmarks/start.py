"""Plugins from nothing to a first answer, one and many at once, with and without the sandbox.

Everybody starts the same plugin in turn: this project through `Host`; the interpreter alone, doing nothing;
the interpreter alone in the very sandbox that a worker has, with the same mounts and namespaces; and peers
(`benchmarks/start_peers.py`). What is counted ends with the first answer; what was started is stopped
outside of that.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks import many, rounds
from benchmarks.effort import Effort
from benchmarks.points import Curve, of_comparisons
from benchmarks.report import Outcome, Target, say
from benchmarks.starters import BARE, CONFINED, INSIDE, OUTSIDE, Contenders

SINGLES = 3
"""Starts of one plugin in each turn."""
BESIDE = 5
"""The same, where they are compared with many at once."""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Plant plugins and start them.

    Args:
        folder: an empty one.
        effort: how many at once, and in how many rounds.
        rounds: tenfold of these of one plugin, twofold of ten.
    """
    full = {1: 10 * rounds, 10: 2 * rounds, 50: rounds, 100: rounds}
    times = effort.choose({1: 1, 2: 1}, {1: 8, 10: 2}, full)
    counts = tuple(times)
    say(f"start: planting {max(counts)} plugins")
    with ExitStack() as stack:
        contenders = Contenders(stack, folder / "store", many.plant(folder / "store", max(counts)))
        found = {}
        for count in counts:
            say(f"start: {count} at once, {times[count]} rounds")
            found[count] = _compared(contenders, count, times[count])
        most, together = max(counts), effort.choose(1, 2, 4 * rounds)
        say(f"start: {most} at once beside single starts, {together} rounds")
        beside = _beside(contenders, most, together)
    outcome = Outcome("From nothing to a first answer", comparisons=[*found.values(), beside])
    outcome.targets = [*_targets(found[1]), *_targets_of_many(beside, most)]
    lines = of_comparisons(found, lambda count, us: us / 1000 / count)
    title = "Plugins started at once, until all have answered"
    outcome.curves = [Curve("starts", title, "plugins started at once", "ms for each", lines)]
    cores = os.cpu_count() or 1
    outcome.notes = [
        f"the plugins declare cpu_percent = 100; {cores} processors; times are of all plugins together",
        "the limits run as many at a time as there are processors, and end by themselves",
        f"Python {sys.version.split()[0]}, the same for all",
    ]
    return outcome


def _compared(contenders: Contenders, count: int, times: int) -> rounds.Comparison:
    turns: dict[str, rounds.Turn] = {
        name: lambda turn=turn: [turn(count) for _ in range(SINGLES if count == 1 else 1)]  # type: ignore[misc]  # a closure's own
        for name, turn in contenders.turns.items()
    }
    what = f"{count} plugins at once" if count > 1 else "one plugin"
    return rounds.compare(what, turns, times, contenders.missing)


def _beside(contenders: Contenders, most: int, times: int) -> rounds.Comparison:
    """Compare many at once with single starts of the same round: a machine's speed changes within minutes."""
    turns: dict[str, rounds.Turn] = {}
    for name in (OUTSIDE, INSIDE):
        if turn := contenders.turns.get(name):
            turns[_alone(name)] = lambda turn=turn: [turn(1) for _ in range(BESIDE)]  # type: ignore[misc]  # a closure's own
            turns[_each(name)] = lambda turn=turn: [turn(most) / most]  # type: ignore[misc]
    return rounds.compare(f"each of {most} plugins, and one alone", turns, times, contenders.missing)


def _alone(name: str) -> str:
    return f"alone: {name}"


def _each(name: str) -> str:
    return f"each of many at once: {name}"


def _targets(single: rounds.Comparison) -> list[Target]:
    bare = _median_ms(single, BARE)
    return [
        Target.ratio("start without sandbox, to the interpreter alone", single, OUTSIDE, 1.5),
        Target(
            "start in the sandbox, to 1.5 times the interpreter alone in it and 10 ms",
            single.ratio(INSIDE) * bare / (1.5 * single.ratio(CONFINED) * bare + 10),
            1.0,
        ),
    ]


def _targets_of_many(beside: rounds.Comparison, most: int) -> list[Target]:
    cores = os.cpu_count() or 1
    targets = []
    for name in (OUTSIDE, INSIDE):
        low, middle, high = (cores * each for each in beside.spread(_each(name), _alone(name)))
        what = f"{most} at once, {name}, to the sum of single starts by the processors"
        targets.append(Target(what, middle, 1.2, low=low, high=high))
    return targets


def _median_ms(comparison: rounds.Comparison, name: str) -> float:
    return next((row.median_us / 1000 for row in comparison.rows if row.name == name), float("nan"))
