"""How calls and events change with how many are under way, how much they carry and how many receive them.

Every place of a curve is a comparison of its own, whose contenders take turns as everywhere. `start`,
`memory`, `list` and `scale` have curves of what they measure anyway.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks import events
from benchmarks.calls import GRPC, LIMIT, OURS, PIPE, PLUGIN
from benchmarks.effort import Effort
from benchmarks.embedded import Embedded, plugins
from benchmarks.limit import Pipe, Raw
from benchmarks.peers import Peer, peers
from benchmarks.points import Curve, Goal, Point, of_comparisons
from benchmarks.report import Outcome, say
from benchmarks.rounds import Comparison, Turn, compare

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SIZES = (100, 1024, 10 * 1024, 64 * 1024, 256 * 1024, 1 << 20, 4 << 20)
RECEIVERS = (1, 2, 5, 10, 20, 50)
SMALL = 100
SHOWN = (GRPC, "execnet")
"""The peers that did best: those of all sizes and widths would hide the lines."""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install, then measure.

    Args:
        folder: an empty one.
        effort: how many places, rounds, and calls in each.
        rounds: fivefold of these.
    """
    widths = effort.choose((1, 8), (1, 4, 16, 64, 256), WIDTHS)
    sizes = effort.choose((SMALL, 64 * 1024), (SMALL, 64 * 1024, 1 << 20), SIZES)
    receivers = effort.choose((1, 2), (1, 5, 20), RECEIVERS)
    turns = effort.choose(1, 3, 5 * rounds)
    say("curves: installing")
    wheels, loop = plugins(folder, [PLUGIN]), "uvloop" if find_spec("uvloop") else "asyncio"
    with contextlib.ExitStack() as stack:
        host = Embedded(stack, folder / "store", wheels, loop)
        found, _ = peers(stack, folder)
        others = {name: found[name] for name in SHOWN if name in found}
        share = effort.choose(0.02, 0.3, 1.0)
        by_width = {
            width: _in_flight(stack, host, OURS[loop], others, width, turns, share) for width in widths
        }
        by_size = {size: _of_size(stack, host, OURS[loop], others, size, turns, share) for size in sizes}
    (folder / "events").mkdir()
    to_many = events.by_receivers(
        folder / "events", receivers, effort.choose(3, 20, 50), effort.choose(1, 3, 3 * rounds)
    )
    return Outcome(
        "Curves",
        curves=[_rates(by_width), _times(by_size), _events(to_many)],
        notes=[f"medians of {turns} rounds; host on {loop}; sandbox, permissions, deadlines and metrics on"],
    )


def _in_flight(
    stack: contextlib.ExitStack,
    host: Embedded,
    ours: str,
    others: Mapping[str, Peer],
    width: int,
    rounds: int,
    share: float,
) -> Comparison:
    say(f"curves: {width} in flight")
    text = "x" * SMALL
    count, few = (max(width, int(calls * share) // width * width) for calls in (10240, 512))
    turns: dict[str, Turn] = {
        LIMIT: partial(Raw(stack, SMALL, SMALL).at_once, count, width),
        ours: partial(host.at_once, f"{PLUGIN}.echo", {"text": text}, count, width),
        PIPE: partial(Pipe(stack, text).at_once, count, width),
        **{name: partial(peer.at_once, text, few, width) for name, peer in others.items()},
    }
    return compare(f"{width} in flight", turns, rounds)


def _of_size(
    stack: contextlib.ExitStack,
    host: Embedded,
    ours: str,
    others: Mapping[str, Peer],
    size: int,
    rounds: int,
    share: float,
) -> Comparison:
    say(f"curves: {size:,} bytes")
    # As many as take about as long, whatever they carry.
    text, count = "x" * size, max(3, int(400 * share * min(1.0, 64 * 1024 / size)))
    turns: dict[str, Turn] = {
        LIMIT: partial(Raw(stack, size, size).one_by_one, count),
        ours: partial(host.one_by_one, f"{PLUGIN}.echo", {"text": text}, count),
        PIPE: partial(Pipe(stack, text).one_by_one, count),
        **{name: partial(peer.one_by_one, text, max(3, count // 4)) for name, peer in others.items()},
    }
    return compare(f"{size} bytes", turns, rounds)


def _rates(found: Mapping[int, Comparison]) -> Curve:
    lines = of_comparisons(found, lambda _, us: 1e6 / us)
    goals = []
    if 64 in found:
        pipe = next(point.y for point in lines[PIPE] if point.x == 64)
        goals = [Goal(64, 1.6 * pipe, "target: 1.6 times Pipe")]
    return Curve(
        "calls", "Calls of 100 bytes in a second", "calls in flight", "calls per second", lines, goals
    )


def _times(found: Mapping[int, Comparison]) -> Curve:
    lines = of_comparisons(found, lambda _, us: us)
    goals = _of_limit(lines[LIMIT], {100: 2.0, 64 * 1024: 2.4})
    return Curve("payload", "Time of a call, one at a time", "bytes", "microseconds", lines, goals)


def _events(found: Mapping[int, Comparison]) -> Curve:
    lines = of_comparisons(found, lambda _, us: us)
    goals = _of_limit(next(iter(lines.values())), {20: 2.0})
    title = "One event, until the last receiver has it"
    return Curve("events", title, "receiving plugins", "microseconds", lines, goals)


def _of_limit(limit: Sequence[Point], times: Mapping[int, float]) -> list[Goal]:
    """Return what is to be reached where it is so many times the limit."""
    return [
        Goal(point.x, times[int(point.x)] * point.y, f"target: {times[int(point.x)]:g} times the limit")
        for point in limit
        if point.x in times
    ]
