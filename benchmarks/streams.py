"""Much at once: 64 KiB at a time between a plugin and what it is connected with, and calls beside a flood.

A plugin's stream is a socket that the host relays, so that its bytes are read and written twice on the way:
from the server to the host, from the host to the plugin. The limit is one socket pair between two processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.embedded import Embedded, plugins
from benchmarks.limit import child
from benchmarks.report import Outcome, Target, say
from benchmarks.rounds import Comparison, Turn, compare
from viloapp_core.broker.terminal import Attachment

FRAME = 64 * 1024
FLOOD_MB_S = 50
PLUGIN = "streams"

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
# Prints so many megabytes a second and no more, in pieces of a hundredth of that.
_FLOOD = """
import os, sys, time
piece = b"the quick brown fox jumps over the lazy dog 0123456789\\r\\n" * (int(sys.argv[1]) * 10_000 // 57)
began, sent = time.monotonic(), 0
while True:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(1, rest):]
    sent += 1
    time.sleep(max(0, began + sent / 100 - time.monotonic()))
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
    frames, turns = effort.choose((16, 1), (256, 3), (2048, 5 * rounds))
    with contextlib.ExitStack() as stack:
        embedded = Embedded(stack, folder / "store", wheels, loop)
        say("streams: measuring")
        streamed = _streamed(stack, embedded, frames, turns)
        flooded, rate = _flooded(embedded, effort.choose(5, 100, 400), turns)
    return Outcome(
        "Streams",
        comparisons=[streamed, flooded],
        targets=[
            Target.ratio("a stream's time to the raw one's", streamed, "ViloApp, relayed", 1 / 0.8),
            Target.ratio("a call during a flood to one without, medians", flooded, "in a flood", 1.5),
        ],
        notes=[f"the terminal's flood was {rate:.0f} MB/s; it was to be {FLOOD_MB_S}", f"host on {loop}"],
    )


def _streamed(stack: contextlib.ExitStack, embedded: Embedded, frames: int, rounds: int) -> Comparison:
    source = stack.enter_context(child(_SOURCE, FRAME, frames))
    server = stack.enter_context(child(_SERVER, FRAME, frames))
    port = int(server.recv(10))

    def received(sock: socket.socket) -> Sequence[float]:
        buffer, left = bytearray(FRAME), FRAME * frames
        began = time.perf_counter()
        sock.sendall(b"!")
        while left:
            left -= sock.recv_into(buffer)
        return [(time.perf_counter() - began) / frames]

    def relayed() -> Sequence[float]:
        took: float = embedded.call(f"{PLUGIN}.receive", port=port, frame=FRAME, frames=frames)
        return [took]

    turns: dict[str, Turn] = {
        "raw socket pair": partial(received, source),
        "ViloApp, relayed": relayed,
    }
    return compare(f"time for a frame of {FRAME} bytes, many in a row", turns, rounds)


def _flooded(embedded: Embedded, count: int, rounds: int) -> tuple[Comparison, float]:
    host, seen, passed = embedded.host, 0, 0.0

    async def opened() -> str:
        argv = [sys.executable, "-I", "-S", "-c", f"import tty; tty.setraw(1)\n{_FLOOD}", str(FLOOD_MB_S)]
        terminal = await host.terminals.open(owner=PLUGIN, argv=argv, cwd=Path("/"), env={})
        return terminal.id

    def call(id: str | None) -> Sequence[float]:
        nonlocal seen
        loop = embedded.loop
        attached: list[Attachment] = []

        def sink(data: bytes) -> None:
            nonlocal seen
            seen += len(data)
            loop.call_soon(lambda: attached[0].ack(len(data)))  # as a page does that keeps up

        async def calls() -> Sequence[float]:
            took = []
            if id is not None:
                attached.append(host.terminals.attach(id, sink))
            for _ in range(count):
                # As people call: one now and then. A burst would be over before the flood fills anything.
                await asyncio.sleep(0.001)
                began = time.perf_counter()
                await host.call(f"{PLUGIN}.echo", {"text": "x" * 100})
                took.append(time.perf_counter() - began)
            for attachment in attached:
                attachment.detach()
            return took

        return embedded.run(calls())

    def flooded() -> Sequence[float]:
        nonlocal seen, passed
        id = embedded.run(opened())
        embedded.run(asyncio.sleep(0.2))
        seen, began = 0, time.perf_counter()
        took = call(id)
        passed = seen / 1e6 / (time.perf_counter() - began)
        embedded.run(host.terminals.close(id))
        return took

    turns: dict[str, Turn] = {"quiet": partial(call, None), "in a flood": flooded}
    return compare("a call of 100 bytes, one a millisecond", turns, rounds), passed
