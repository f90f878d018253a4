"""Contenders in turn, round by round, and how each compares with the limit beside it in the same round.

Machines differ and are never quiet; what befalls one contender in a round befalls those beside it too. So a
figure is a median of ratios, each within a round, and the quartiles of these say how far to trust it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Comparison", "Row", "Turn", "compare", "quartiles"]

Turn = Callable[[], Sequence[float]]
"""One contender's part of a round: seconds of each thing that it did."""


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile; of one value that, three times."""
    if len(values) == 1:
        return (values[0],) * 3
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, statistics.median(values), high


@dataclass(frozen=True)
class Row:
    """One contender over all rounds; times in microseconds, ratios to the limit of the same round."""

    name: str
    median_us: float
    p99_us: float
    ratio: float
    low: float
    high: float
    rounds_us: tuple[float, ...]
    """The median of each round."""

    @classmethod
    def of(cls, name: str, rounds: Sequence[Sequence[float]], limit: Sequence[float]) -> Row:
        """Put the seconds of all rounds together; `limit` has the median of each."""
        every = sorted(1e6 * seconds for each in rounds for seconds in each)
        medians = tuple(1e6 * statistics.median(each) for each in rounds)
        ratios = [each / 1e6 / beside for each, beside in zip(medians, limit, strict=True)]
        low, middle, high = quartiles(ratios)
        p99 = every[min(len(every) - 1, round(0.99 * len(every)))]
        return cls(name, statistics.median(every), p99, middle, low, high, medians)


@dataclass(frozen=True)
class Comparison:
    """A question and everybody's answer; the first row is the limit.

    Args:
        what: the question.
        rows: the limit, then the others.
        rounds: how many there were.
        missing: contenders that could not be asked, with why.
    """

    what: str
    rows: Sequence[Row]
    rounds: int
    missing: Mapping[str, str] = field(default_factory=dict)

    def ratio(self, name: str, to: str | None = None) -> float:
        """Return how often longer one takes than another, or than the limit; NaN when one is missing."""
        return self.spread(name, to)[1]

    def spread(self, name: str, to: str | None = None) -> tuple[float, float, float]:
        """Return the lower quartile, the median and the upper quartile of that ratio, of the rounds."""
        found = {row.name: row.rounds_us for row in self.rows}
        beside = to if to is not None else self.rows[0].name
        if name not in found or beside not in found:
            return (math.nan,) * 3
        return quartiles([a / b for a, b in zip(found[name], found[beside], strict=True)])

    def to_json(self) -> dict[str, Any]:
        """Return it for a file."""
        rows = [vars(row) for row in self.rows]
        return {"what": self.what, "rounds": self.rounds, "rows": rows, "missing": dict(self.missing)}

    def table(self) -> list[str]:
        """Return it as lines of Markdown."""
        lines = [f"| {self.what} ({self.rounds} rounds) | median us | p99 us | times the limit | quartiles |"]
        lines.append("|---|---:|---:|---:|---:|")
        for row in self.rows:
            times = f"{row.median_us:.1f} | {row.p99_us:.1f} | {row.ratio:.2f}"
            lines.append(f"| {row.name} | {times} | {row.low:.2f} to {row.high:.2f} |")
        lines += [f"| {name} | not measured: {why} | | | |" for name, why in self.missing.items()]
        return [*lines, ""]


def compare(
    what: str, turns: Mapping[str, Turn], rounds: int, missing: Mapping[str, str] | None = None
) -> Comparison:
    """Ask everybody in each round, after one that is not counted.

    Args:
        what: the question.
        turns: everybody by name; the first is the limit.
        rounds: that count.
        missing: see `Comparison`.
    """
    seconds: dict[str, list[Sequence[float]]] = {name: [] for name in turns}
    for number in range(rounds + 1):
        # Each comes first every other time: whoever comes second finds other caches.
        for name in list(turns) if number % 2 else reversed(list(turns)):
            took = turns[name]()
            if number:
                seconds[name].append(took)
    limit = [statistics.median(each) for each in next(iter(seconds.values()))]
    rows = [Row.of(name, each, limit) for name, each in seconds.items()]
    return Comparison(what, rows, rounds, missing or {})
