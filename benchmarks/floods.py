"""Calls of a plugin while a terminal prints as fast as anybody may wish, and its page keeps up."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.embedded import Embedded
from benchmarks.rounds import Comparison, Turn, compare
from viloapp_core.broker.terminal import Attachment

__all__ = ["FLOOD_MB_S", "flooded"]

FLOOD_MB_S = 50

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


def flooded(embedded: Embedded, plugin: str, count: int, rounds: int) -> tuple[Comparison, Sequence[float]]:
    """Compare calls beside a flood with calls on a quiet host; also return the flood's MB/s in each round.

    Args:
        embedded: the host.
        plugin: which is called.
        count: of calls in a round.
        rounds: how many.
    """
    host, rates = embedded.host, []

    async def calls() -> Sequence[float]:
        took = []
        for _ in range(count):
            # As people call: one now and then. A burst would be over before the flood fills anything.
            await asyncio.sleep(0.001)
            began = time.perf_counter()
            await host.call(f"{plugin}.echo", {"text": "x" * 100})
            took.append(time.perf_counter() - began)
        return took

    async def beside() -> Sequence[float]:
        argv = [sys.executable, "-I", "-S", "-c", f"import tty; tty.setraw(1)\n{_FLOOD}", str(FLOOD_MB_S)]
        terminal = await host.terminals.open(owner=plugin, argv=argv, cwd=Path("/"), env={})
        attached: list[Attachment] = []
        seen = 0

        def sink(data: bytes) -> None:
            nonlocal seen
            seen += len(data)
            embedded.loop.call_soon(lambda: attached[0].ack(len(data)))  # as a page does that keeps up

        attached.append(host.terminals.attach(terminal.id, sink))
        while not seen:
            await asyncio.sleep(0.01)
        seen, began = 0, time.perf_counter()
        took = await calls()
        rates.append(seen / 1e6 / (time.perf_counter() - began))
        attached[0].detach()
        await host.terminals.close(terminal.id)
        return took

    turns: dict[str, Turn] = {
        "quiet": lambda: embedded.run(calls()),
        "in a flood": lambda: embedded.run(beside()),
    }
    return compare("a call of 100 bytes, one a millisecond", turns, rounds), rates
