"""One event to twenty plugins, until the last of them has it, beside twenty bare socket pairs and pipes.

Each receiver notes the time, which is one clock for all processes of a machine; nobody answers, so that
nothing but the way there is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.embedded import EVENT, Embedded, plugins
from benchmarks.limit import child
from benchmarks.report import Outcome, Target, say
from benchmarks.rounds import Turn, compare

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
    say(f"events: installing {COUNT} plugins")
    wheels = plugins(folder, [f"hears{number:02}" for number in range(COUNT)])
    loop = "uvloop" if find_spec("uvloop") else "asyncio"
    events = effort.choose(3, 20, 100)
    with contextlib.ExitStack() as stack:
        host = _listening(Embedded(stack, folder / "store", wheels, loop))
        turns: dict[str, Turn] = {
            "raw socket pairs": partial(_Raw(stack).turn, events),
            "ViloApp": partial(_turn, host, events),
            "multiprocessing.Pipe": partial(_Pipes(stack).turn, events),
        }
        say("events: measuring")
        what = f"one event to {COUNT}, until the last has it"
        found = compare(what, turns, effort.choose(1, 3, 10 * rounds))
    notes = [f"sandbox and permission checks on; host on {loop}"]
    targets = [Target.ratio(f"event to {COUNT}, to raw", found, "ViloApp", 2.0)]
    return Outcome("Events", comparisons=[found], targets=targets, notes=notes)


def _listening(embedded: Embedded) -> Embedded:
    for number in range(COUNT):
        embedded.call(f"hears{number:02}.listen", type=EVENT)
    return embedded


def _turn(embedded: Embedded, events: int) -> Sequence[float]:
    sent: list[float] = []

    async def emit() -> None:
        for _ in range(events):
            await asyncio.sleep(APART_S)
            sent.append(time.perf_counter())
            embedded.host.emit(EVENT, "host", DATA)
        await asyncio.sleep(APART_S)

    embedded.run(emit())
    heard = [embedded.call(f"hears{number:02}.heard") for number in range(COUNT)]
    return _until_the_last(sent, heard)


def _until_the_last(sent: Sequence[float], heard: Sequence[Sequence[float]]) -> Sequence[float]:
    assert all(len(each) == len(sent) for each in heard), "an event was lost"
    return [max(each[number] for each in heard) - began for number, began in enumerate(sent)]


class _Raw:
    """A child at each of so many socket pairs, which gets the bytes that a plugin would."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._data = json.dumps([EVENT, "host", DATA]).encode()
        self._sockets = [stack.enter_context(child(_RAW, len(self._data))) for _ in range(COUNT)]

    def turn(self, events: int) -> Sequence[float]:
        """Return the seconds of each event."""
        sent, data = [], self._data
        for _ in range(events):
            time.sleep(APART_S)
            sent.append(time.perf_counter())
            for sock in self._sockets:
                sock.sendall(data)
        time.sleep(APART_S)
        return _until_the_last(sent, [self._asked(number) for number in range(COUNT)])

    def _asked(self, number: int) -> list[float]:
        sock, answer = self._sockets[number], b""
        sock.sendall(b"?")
        while len(answer) < 65536:
            answer += sock.recv(65536)
        heard: list[float] = json.loads(answer)
        return heard


class _Pipes:
    """The same over `multiprocessing.Pipe`."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._pipes = [Connection(stack.enter_context(child(_PIPE)).detach()) for _ in range(COUNT)]
        for pipe in self._pipes:
            stack.callback(pipe.close)

    def turn(self, events: int) -> Sequence[float]:
        """Return the seconds of each event."""
        sent = []
        for _ in range(events):
            time.sleep(APART_S)
            sent.append(time.perf_counter())
            for pipe in self._pipes:
                pipe.send((EVENT, "host", DATA))
        time.sleep(APART_S)
        for pipe in self._pipes:
            pipe.send(None)
        return _until_the_last(sent, [pipe.recv() for pipe in self._pipes])
