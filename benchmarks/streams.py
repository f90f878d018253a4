"""Much at once: 64 KiB at a time from a plugin to the host, from a network to a plugin; calls beside a flood.

A streaming command writes into a socket of its own, which the host reads; the limit is the same socket pair
between two processes and nothing else. A plugin's connection is relayed by the host, so that its bytes are
read and written twice on the way.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.embedded import Embedded, plugins
from benchmarks.floods import FLOOD_MB_S, flooded
from benchmarks.limit import child
from benchmarks.report import Outcome, Target, say
from benchmarks.rounds import Comparison, Turn, compare
from benchmarks.stream_peers import stream_peers

FRAME = 64 * 1024
PLUGIN = "streams"
_OURS = "ViloApp, Host.stream"

_SOURCE = """
import os, sys
fd, frame, count = map(int, sys.argv[1:])
data = memoryview(bytes(frame))
while os.read(fd, 1):
    for _ in range(count):
        rest = data
        while rest:
            rest = rest[os.write(fd, rest):]
"""
_SERVER = """
import socket, sys
fd, frame, count = map(int, sys.argv[1:])
data = bytes(frame)
server = socket.create_server(("127.0.0.1", 0))
told = socket.socket(fileno=fd)
told.sendall(str(server.getsockname()[1]).encode())
while True:
    peer, _ = server.accept()
    with peer:
        while peer.recv(1):
            for _ in range(count):
                peer.sendall(data)
"""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install, then measure.

    Args:
        folder: an empty one.
        effort: how many rounds, and how long.
        rounds: tenfold of these.
    """
    say("streams: installing")
    wheels = plugins(folder, [PLUGIN])
    loop = "uvloop" if find_spec("uvloop") else "asyncio"
    frames, turns = effort.choose((16, 1), (1024, 5), (4096, 10 * rounds))
    with contextlib.ExitStack() as stack:
        embedded = Embedded(stack, folder / "store", wheels, loop)
        say("streams: measuring")
        streamed = _streamed(stack, embedded, folder, frames, turns)
        relayed = _relayed(stack, embedded, frames, turns)
        calls, rates = flooded(embedded, PLUGIN, effort.choose(5, 100, 400), max(3, turns // 2))
    return Outcome(
        "Streams",
        comparisons=[streamed, relayed, calls],
        targets=[
            Target.ratio("a stream's time to the raw one's", streamed, _OURS, 1 / 0.8),
            Target.ratio("a call during a flood to one without, medians", calls, "in a flood", 1.5),
        ],
        notes=[
            f"the terminal's flood was to be {FLOOD_MB_S} MB/s; in each round it was "
            + ", ".join(f"{rate:.0f}" for rate in rates),
            f"host on {loop}",
        ],
    )


def _streamed(
    stack: contextlib.ExitStack, embedded: Embedded, folder: Path, frames: int, rounds: int
) -> Comparison:
    source = stack.enter_context(child(_SOURCE, FRAME, frames))

    def ours(command: str) -> Sequence[float]:
        async def read() -> float:
            left = FRAME * frames
            stream = embedded.host.stream(command, {"frame": FRAME, "frames": frames})
            await stream.open()
            began = time.perf_counter()
            async for piece in stream:
                left -= len(piece)
            assert not left
            return (time.perf_counter() - began) / frames

        return [embedded.run(read())]

    others, missing = stream_peers(stack, folder, FRAME, frames)
    turns: dict[str, Turn] = {
        "raw socket pair": partial(_received, source, frames),
        _OURS: partial(ours, f"{PLUGIN}.stream"),
        "ViloApp, Host.stream of an async generator": partial(ours, f"{PLUGIN}.stream_async"),
        **others,
    }
    return compare(f"time for a frame of {FRAME} bytes, many in a row", turns, rounds, missing)


def _relayed(stack: contextlib.ExitStack, embedded: Embedded, frames: int, rounds: int) -> Comparison:
    source = stack.enter_context(child(_SOURCE, FRAME, frames))
    server = stack.enter_context(child(_SERVER, FRAME, frames))
    port = int(server.recv(10))
    another = int(stack.enter_context(child(_SERVER, FRAME, frames)).recv(10))
    plain = stack.enter_context(socket.create_connection(("127.0.0.1", another)))

    def relayed() -> Sequence[float]:
        took: float = embedded.call(f"{PLUGIN}.receive", port=port, frame=FRAME, frames=frames)
        return [took]

    turns: dict[str, Turn] = {
        "raw socket pair": partial(_received, source, frames),
        "raw TCP on loopback": partial(_received, plain, frames),
        "ViloApp, a plugin's connection, relayed": relayed,
    }
    return compare(f"time for {FRAME} bytes of a connection, many in a row", turns, rounds)


def _received(sock: socket.socket, frames: int) -> Sequence[float]:
    buffer, left = bytearray(FRAME), FRAME * frames
    began = time.perf_counter()
    sock.sendall(b"!")
    while left:
        left -= sock.recv_into(buffer)
    return [(time.perf_counter() - began) / frames]
