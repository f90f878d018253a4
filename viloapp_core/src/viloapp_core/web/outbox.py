"""What waits to be sent to one page, bounded: a page that stops reading must not fill the host's memory."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

__all__ = ["LIMIT_BYTES", "Outbox", "encode"]

LIMIT_BYTES: Final = 32 * 1024 * 1024
"""Room for the largest single result (16 MiB) and then some."""


def encode(message: object) -> str:
    """Return a message as JSON that every browser reads.

    Raises:
        ValueError: it holds what JSON cannot, such as NaN.
        TypeError: it holds an object that is none of JSON's.
    """
    text = _json(message, ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and a WebSocket frame cannot
        text = _json(message, ascii=True)
    return text


def _json(message: object, *, ascii: bool) -> str:
    return json.dumps(message, allow_nan=False, separators=(",", ":"), ensure_ascii=ascii, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be shown as JSON")


class Outbox:
    """Messages for one page, in order. ``put`` never waits; ``drain`` sends until it is closed."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._waiting: deque[str] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._closed = False
        self.overflowed = False
        """Whether the page fell too far behind, so that its connection is of no use any more."""

    def put(self, text: str) -> None:
        """Queue one message; after `close` or an overflow it is dropped."""
        if self._closed or self.overflowed:
            return
        self._waiting.append(text)
        self._size += len(text)
        self.overflowed = self._size > self._limit
        self._wake.set()

    def close(self) -> None:
        """End `drain` once everything queued so far is sent."""
        self._closed = True
        self._wake.set()

    async def drain(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what is queued until the outbox is closed or overflows."""
        while not self.overflowed:
            while self._waiting and not self.overflowed:
                text = self._waiting.popleft()
                await send(text)
                self._size -= len(text)
            if self._closed or self.overflowed:
                return
            self._wake.clear()
            await self._wake.wait()
