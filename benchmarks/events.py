"""One event to twenty plugins, until the last of them has it, beside twenty bare socket pairs and pipes.

Each receiver notes the time, which is one clock for all processes of a machine; nobody answers, so that
nothing but the way there is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.embedded import EVENT, Embedded, plugins
from benchmarks.limit import child
from benchmarks.report import Outcome, Target, say
from benchmarks.rounds import Comparison, Turn, compare

COUNT = 20
APART_S = 0.004
"""Between two events: everybody has the one before, and rests."""
DATA = {"text": "x" * 60}

_RAW = """
import json, os, sys, time
fd, size, heard = int(sys.argv[1]), int(sys.argv[2]), []
while data := os.read(fd, 65536):
    heard += [time.perf_counter()] * (len(data) // size)  # two at once when this one was late
    if data[-1:] == b"?":
        os.write(fd, json.dumps(heard).encode().ljust(65536))
        heard = []
"""
_PIPE = """
import sys, time
from multiprocessing.connection import Connection
pipe, heard = Connection(int(sys.argv[1])), []
while True:
    try:
        event = pipe.recv()
    except EOFError:
        break
    if event is None:
        pipe.send(heard)
        heard = []
    else:
        heard.append(time.perf_counter())
"""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install, then measure.

    Args:
        folder: an empty one.
        effort: how many rounds, and how long.
        rounds: tenfold of these.
    """
    count = effort.choose(2, COUNT, COUNT)
    found = by_receivers(folder, [count], effort.choose(3, 20, 100), effort.choose(1, 3, 10 * rounds))
    targets = [Target.ratio(f"event to {count}, to raw", found[count], "ViloApp", 2.0)]
    notes = [f"sandbox and permission checks on; host on {_loop()}"]
    return Outcome("Events", comparisons=[*found.values()], targets=targets, notes=notes)


def by_receivers(folder: Path, counts: Sequence[int], events: int, rounds: int) -> Mapping[int, Comparison]:
    """Install plugins, and compare for each number of them that listen.

    Args:
        folder: an empty one.
        counts: of receivers, least first.
        events: in each turn.
        rounds: of each.
    """
    say(f"events: installing {counts[-1]} plugins")
    names = [f"hears{number:02}" for number in range(counts[-1])]
    wheels, found = plugins(folder, names), {}
    with contextlib.ExitStack() as stack:
        embedded = Embedded(stack, folder / "store", wheels, _loop())
        raw, pipes, listening = _Raw(stack, counts[-1]), _Pipes(stack, counts[-1]), 0
        for count in counts:
            for name in names[listening:count]:
                embedded.call(f"{name}.listen", type=EVENT)
            listening = count
            turns: dict[str, Turn] = {
                "raw socket pairs": partial(raw.turn, events, count),
                "ViloApp": partial(_turn, embedded, events, names[:count]),
                "multiprocessing.Pipe": partial(pipes.turn, events, count),
            }
            say(f"events: measuring, to {count}")
            found[count] = compare(f"one event to {count}, until the last has it", turns, rounds)
    return found


def _loop() -> str:
    return "uvloop" if find_spec("uvloop") else "asyncio"


def _turn(embedded: Embedded, events: int, names: Sequence[str]) -> Sequence[float]:
    sent: list[float] = []

    async def emit() -> None:
        for _ in range(events):
            await asyncio.sleep(APART_S)
            sent.append(time.perf_counter())
            embedded.host.emit(EVENT, "host", DATA)
        await asyncio.sleep(APART_S)

    embedded.run(emit())
    return _until_the_last(sent, [embedded.call(f"{name}.heard") for name in names])


def _until_the_last(sent: Sequence[float], heard: Sequence[Sequence[float]]) -> Sequence[float]:
    assert all(len(each) == len(sent) for each in heard), "an event was lost"
    return [max(each[number] for each in heard) - began for number, began in enumerate(sent)]


class _Raw:
    """A child at each of so many socket pairs, which gets the bytes that a plugin would."""

    def __init__(self, stack: contextlib.ExitStack, count: int) -> None:
        self._data = json.dumps([EVENT, "host", DATA]).encode()
        self._sockets = [stack.enter_context(child(_RAW, len(self._data))) for _ in range(count)]

    def turn(self, events: int, count: int) -> Sequence[float]:
        """Return the seconds of each event, to so many."""
        sent, data = [], self._data
        for _ in range(events):
            time.sleep(APART_S)
            sent.append(time.perf_counter())
            for sock in self._sockets[:count]:
                sock.sendall(data)
        time.sleep(APART_S)
        return _until_the_last(sent, [self._asked(number) for number in range(count)])

    def _asked(self, number: int) -> list[float]:
        sock, answer = self._sockets[number], b""
        sock.sendall(b"?")
        while len(answer) < 65536:
            answer += sock.recv(65536)
        heard: list[float] = json.loads(answer)
        return heard


class _Pipes:
    """The same over `multiprocessing.Pipe`."""

    def __init__(self, stack: contextlib.ExitStack, count: int) -> None:
        self._pipes = [Connection(stack.enter_context(child(_PIPE)).detach()) for _ in range(count)]
        for pipe in self._pipes:
            stack.callback(pipe.close)

    def turn(self, events: int, count: int) -> Sequence[float]:
        """Return the seconds of each event, to so many."""
        sent, pipes = [], self._pipes[:count]
        for _ in range(events):
            time.sleep(APART_S)
            sent.append(time.perf_counter())
            for pipe in pipes:
                pipe.send((EVENT, "host", DATA))
        time.sleep(APART_S)
        for pipe in pipes:
            pipe.send(None)
        return _until_the_last(sent, [pipe.recv() for pipe in pipes])
