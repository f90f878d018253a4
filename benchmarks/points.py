"""Curves: how a figure changes with how much there is, and where it bends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from benchmarks.rounds import Comparison, quartiles

__all__ = ["Curve", "Goal", "Point", "bend", "of_comparisons", "of_series"]

_TURN = 0.3
"""Below such a change of slope a line counts as straight, and below what the quartiles leave in doubt."""


@dataclass(frozen=True)
class Point:
    """A figure with its quartiles."""

    x: float
    y: float
    low: float
    high: float

    @classmethod
    def of(cls, x: float, values: Sequence[float]) -> Point:
        """Put the rounds' values together."""
        low, middle, high = quartiles(values)
        return cls(x, middle, low, high)


@dataclass(frozen=True)
class Goal:
    """What a figure is to reach at one place."""

    x: float
    y: float
    what: str


@dataclass(frozen=True)
class Curve:
    """Lines over one quantity.

    Args:
        name: of its file.
        title: for people.
        x: what the quantity is; ``bytes`` are shown as such.
        y: the unit of the figure.
        lines: by name.
        goals: what is to be reached.
        limited: whether the first line is what the system itself can do.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[Point]]
    goals: Sequence[Goal] = ()
    limited: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return it for a file, with where each line bends."""
        return {**asdict(self), "bends": {name: bend(points) for name, points in self.lines.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Curve:
        """Read what `to_json` wrote."""
        lines = {name: [Point(**each) for each in points] for name, points in value["lines"].items()}
        goals = [Goal(**each) for each in value["goals"]]
        kept = {name: value[name] for name in ("name", "title", "x", "y", "limited")}
        return cls(lines=lines, goals=goals, **kept)

    def table(self) -> list[str]:
        """Return it as lines of Markdown."""
        places = sorted({point.x for points in self.lines.values() for point in points})
        lines = [
            f"| {self.title}: {self.y}, by {self.x} | {' | '.join(f'{x:,.0f}' for x in places)} | bends at |",
            f"|---|{'---:|' * (len(places) + 1)}",
        ]
        for name, points in self.lines.items():
            found = {point.x: f"{point.y:,.0f}" if point.y >= 100 else f"{point.y:.3g}" for point in points}
            turn = bend(points)
            cells = [*(found.get(x, "") for x in places), "" if turn is None else f"{turn:,.0f}"]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return [*lines, ""]


def bend(points: Sequence[Point]) -> float | None:
    """Return where a line changes its direction most, on logarithmic axes; None when it is straight.

    There a power of the quantity is a straight line, so that a bend is where another cost begins to prevail.
    """
    slopes, doubts = [], []
    for a, b in pairwise(points):
        step = math.log(b.x / a.x)
        slopes.append(math.log(b.y / a.y) / step)
        doubts.append(math.log(a.high / a.low * b.high / b.low) / 2 / step)
    turns = {}
    for number, ((a_slope, b_slope), (a_doubt, b_doubt)) in enumerate(
        zip(pairwise(slopes), pairwise(doubts), strict=True)
    ):
        turn = abs(b_slope - a_slope)
        if turn > max(_TURN, a_doubt + b_doubt):
            turns[points[number + 1].x] = turn
    return max(turns, key=lambda x: turns[x]) if turns else None


def of_comparisons(
    found: Mapping[int, Comparison], figure: Callable[[float, float], float]
) -> dict[str, list[Point]]:
    """Make a line of each contender.

    Args:
        found: what was measured, by the quantity.
        figure: makes the figure of the quantity and the microseconds of a round.
    """
    lines: dict[str, list[Point]] = {}
    for x, comparison in found.items():
        for row in comparison.rows:
            lines.setdefault(row.name, []).append(Point.of(x, [figure(x, each) for each in row.rounds_us]))
    return lines


def of_series(seconds: Mapping[int, Sequence[float]]) -> list[Point]:
    """Make a line in milliseconds of runs in seconds, by the quantity."""
    return [Point.of(x, [1000 * each for each in runs]) for x, runs in seconds.items()]
