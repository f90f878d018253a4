"""Another who lets one process call another, as the comparisons ask him."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

__all__ = ["AsyncPeer", "BlockingPeer", "Peer", "called", "ready", "served"]

_CLONE = Path(__file__).resolve().parents[1]


class Peer(Protocol):
    """One of them, connected."""

    @property
    def pipelines(self) -> bool:
        """Return whether several calls can be under way on its connection."""

    def one_by_one(self, text: str, count: int) -> Sequence[float]:
        """Return the seconds of each."""

    def at_once(self, text: str, count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""


class BlockingPeer:
    """One whose calls block.

    Args:
        call: sends a text and returns what came back.
        begin: sends a text and returns what waits for the answer; None when it cannot.
    """

    def __init__(
        self, call: Callable[[str], Any], begin: Callable[[str], Callable[[], Any]] | None = None
    ) -> None:
        self._call = call
        self._begin = begin

    @property
    def pipelines(self) -> bool:
        """Return whether several calls can be under way on its connection."""
        return self._begin is not None

    def one_by_one(self, text: str, count: int) -> Sequence[float]:
        """Return the seconds of each."""
        took = []
        for _ in range(count):
            began = time.perf_counter()
            self._call(text)
            took.append(time.perf_counter() - began)
        return took

    def at_once(self, text: str, count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""
        assert self._begin is not None
        waiting: deque[Callable[[], Any]] = deque()
        began = time.perf_counter()
        for _ in range(count):
            if len(waiting) == width:
                waiting.popleft()()
            waiting.append(self._begin(text))
        while waiting:
            waiting.popleft()()
        return [(time.perf_counter() - began) / count]


class AsyncPeer:
    """One whose calls are awaited, on a loop that runs only while it has its turn.

    Args:
        loop: that of its connection.
        call: sends a text and returns what came back.
    """

    pipelines = True

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[str], Awaitable[Any]]) -> None:
        self._loop = loop
        self._call = call

    def one_by_one(self, text: str, count: int) -> Sequence[float]:
        """Return the seconds of each."""

        async def calls() -> Sequence[float]:
            took = []
            for _ in range(count):
                began = time.perf_counter()
                await self._call(text)
                took.append(time.perf_counter() - began)
            return took

        return self._loop.run_until_complete(calls())

    def at_once(self, text: str, count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""

        async def caller() -> None:
            for _ in range(count // width):
                await self._call(text)

        async def calls() -> float:
            began = time.perf_counter()
            await asyncio.gather(*(caller() for _ in range(width)))
            return time.perf_counter() - began

        return [self._loop.run_until_complete(calls()) / (count // width * width)]


# -- the called side: `python -m benchmarks.peers NAME ADDRESS` -------------------------------------------


def words(name: str, address: str) -> list[str]:
    """Return the command that is the called side of a peer."""
    return [sys.executable, "-m", "benchmarks.peers", name, address]


@contextlib.contextmanager
def called(name: str, address: str, **pipes: Any) -> Iterator[Any]:
    """Run the called side of a peer."""
    process: Any = subprocess.Popen(words(name, address), cwd=_CLONE, stdout=subprocess.PIPE, **pipes)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def served(stack: contextlib.ExitStack, name: str, address: str) -> None:
    """Run the called side of a peer and wait until it listens."""
    server = stack.enter_context(called(name, address))
    if not server.stdout.readline():
        raise RuntimeError(f"the called side of {name} did not start")
    while not os.path.exists(address):  # one says that it is there just before it is
        time.sleep(0.01)


def ready() -> None:
    """Say that the called side listens."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
