"""Calls between a host and a plugin, beside a bare socket pair and beside those who do the same.

Everything that a call passes is on: the public API, permission checks, deadlines, metrics, the sandbox.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.embedded import LOOPS, Embedded, plugins, variable
from benchmarks.limit import Pipe, Raw
from benchmarks.peers import Peer, peers
from benchmarks.report import Outcome, Target, say
from benchmarks.rounds import Comparison, Turn, compare

SMALL, LARGE = 100, 64 * 1024
WIDTH = 64
PLUGIN, ASYNCHRONOUS, LIMITED = "speaks", "asynchronous", "limited"
LIMIT, PIPE, GRPC = "raw socket pair", "multiprocessing.Pipe", "grpcio, Unix socket"
OURS = {loop: f"ViloApp, {loop}" for loop in LOOPS}
DEFAULTS = "ViloApp, uvloop, default limits"
ASYNC = "ViloApp, uvloop, async handler"


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install, then measure.

    Args:
        folder: an empty one.
        effort: how many rounds, and how long.
        rounds: tenfold of these.
    """
    say("calls: installing")
    wheels = plugins(folder, [PLUGIN, ASYNCHRONOUS], [LIMITED])
    loops = [loop for loop in LOOPS if loop == "asyncio" or find_spec(loop)][: effort.choose(1, 2, 2)]
    with contextlib.ExitStack() as stack:
        hosts = {loop: Embedded(stack, folder / loop, wheels, loop) for loop in loops}
        others, missing = peers(stack, folder)
        scale = effort.choose(Scale(1, 0.01), Scale(3, 0.2), Scale(10 * rounds, 1.0))
        say("calls: measuring")
        compared = {
            "small": _one_by_one(stack, hosts, others, missing, SMALL, scale),
            "large": _one_by_one(stack, hosts, others, missing, LARGE, scale),
            "at once": _at_once(stack, hosts, others, missing, scale),
            "asked": _asked(stack, hosts, SMALL, scale),
            "asked large": _asked(stack, hosts, LARGE, scale),
        }
    notes = ["sandbox, permission checks, deadlines and metrics on; plugins declare cpu_percent = 100"]
    return Outcome("Calls", comparisons=list(compared.values()), targets=_targets(compared), notes=notes)


class Scale:
    """How much is measured."""

    def __init__(self, rounds: int, share: float) -> None:
        self.rounds = rounds
        self._share = share

    def times(self, count: int) -> int:
        """Return how many times something is done in one turn."""
        return max(WIDTH, int(count * self._share))


def _one_by_one(
    stack: contextlib.ExitStack,
    hosts: Mapping[str, Embedded],
    others: Mapping[str, Peer],
    missing: Mapping[str, str],
    size: int,
    scale: Scale,
) -> Comparison:
    text = "x" * size
    count = scale.times(400)
    turns: dict[str, Turn] = {
        LIMIT: partial(Raw(stack, size, size).one_by_one, count),
        **_host_turns(hosts, text, count),
        PIPE: partial(Pipe(stack, text).one_by_one, count),
        **{name: partial(peer.one_by_one, text, scale.times(100)) for name, peer in others.items()},
    }
    return compare(f"host calls plugin, {size} bytes, one at a time", turns, scale.rounds, missing)


def _host_turns(hosts: Mapping[str, Embedded], text: str, count: int) -> dict[str, Turn]:
    arguments = {"text": text}
    turns: dict[str, Turn] = {
        OURS[loop]: partial(host.one_by_one, f"{PLUGIN}.echo", arguments, count)
        for loop, host in hosts.items()
    }
    if (host := hosts.get("uvloop")) is not None:
        # Few: what it may use of a processor by default is for plugins that rest now and then.
        turns[ASYNC] = partial(host.one_by_one, f"{ASYNCHRONOUS}.later", arguments, count)
        turns[DEFAULTS] = partial(host.one_by_one, f"{LIMITED}.echo", arguments, min(count, 100))
    return turns


def _at_once(
    stack: contextlib.ExitStack,
    hosts: Mapping[str, Embedded],
    others: Mapping[str, Peer],
    missing: Mapping[str, str],
    scale: Scale,
) -> Comparison:
    # Long, as of a throughput: for tens of milliseconds caches and processors are still those of the others.
    text, count = "x" * SMALL, scale.times(160 * WIDTH)
    turns: dict[str, Turn] = {LIMIT: partial(Raw(stack, SMALL, SMALL).at_once, count, WIDTH)}
    for loop, host in hosts.items():
        turns[OURS[loop]] = partial(host.at_once, f"{PLUGIN}.echo", {"text": text}, count, WIDTH)
    turns[PIPE] = partial(Pipe(stack, text).at_once, count, WIDTH)
    for name, peer in others.items():
        if peer.pipelines:
            turns[name] = partial(peer.at_once, text, scale.times(8 * WIDTH), WIDTH)
    alone = {name: "one call at a time on a connection" for name in others if name not in turns}
    what = f"host calls plugin, {SMALL} bytes, {WIDTH} in flight: time for one"
    return compare(what, turns, scale.rounds, {**missing, **alone})


def _asked(stack: contextlib.ExitStack, hosts: Mapping[str, Embedded], size: int, scale: Scale) -> Comparison:
    name = variable(size)
    arguments, count = {"variable": name, "count": scale.times(400)}, scale.times(400)

    def ask(host: Embedded) -> list[float]:
        took: list[float] = host.call(f"{PLUGIN}.ask", **arguments)
        return took

    turns: dict[str, Turn] = {LIMIT: partial(Raw(stack, len(name), size).one_by_one, count)}
    turns |= {OURS[loop]: partial(ask, host) for loop, host in hosts.items()}
    if size == SMALL:
        turns[PIPE] = partial(Pipe(stack, "x" * size).one_by_one, count)
    what = f"plugin calls host (system.get_environment, checked), an answer of {size} bytes"
    return compare(what, turns, scale.rounds)


def _targets(compared: Mapping[str, Comparison]) -> list[Target]:
    targets = []
    for key, what in (("small", "100 bytes"), ("asked", "plugin to host, 100 bytes")):
        found = compared[key]
        targets.append(Target.ratio(f"{what}, uvloop, to raw", found, OURS["uvloop"], 2.0))
        targets.append(Target.ratio(f"{what}, asyncio, to raw", found, OURS["asyncio"], 2.5))
        targets.append(Target.ratio(f"{what}, uvloop, to Pipe", found, OURS["uvloop"], 0.7, PIPE))
    targets.append(
        Target.ratio("100 bytes, uvloop, to grpcio", compared["small"], OURS["uvloop"], 1 / 15, GRPC)
    )
    for key, what in (("large", "64 KiB"), ("asked large", "plugin to host, 64 KiB")):
        targets.append(Target.ratio(f"{what}, uvloop, to raw", compared[key], OURS["uvloop"], 2.4))
    at_once = compared["at once"]
    targets.append(Target.ratio("64 in flight, time to Pipe's", at_once, OURS["uvloop"], 1 / 1.6, PIPE))
    targets.append(Target.ratio("64 in flight, time to grpcio's", at_once, OURS["uvloop"], 1 / 15, GRPC))
    return [target for target in targets if not math.isnan(target.value)]  # a peer may be missing
