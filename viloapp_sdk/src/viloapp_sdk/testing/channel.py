"""The worker's side without a worker: requests go to the fake host, and its own to the plugin, in one thread.

What crosses is packed and unpacked as between processes, so that what cannot be sent fails in a test too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it has no stubs

from viloapp_sdk._wire import RESPONSE, pack
from viloapp_sdk.errors import (
    FrameError,
    HandlerError,
    NotStreamingError,
    ReentrancyError,
    ViloError,
    from_wire,
)
from viloapp_sdk.worker._channel import MAX_DEPTH, refuse_stream

__all__ = ["InProcessChannel"]

_real_monotonic = time.monotonic


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose time is the machine's, also where a test has put a clock of its own."""

    def time(self) -> float:
        return _real_monotonic()

    def __del__(self) -> None:
        # A test that does not close its host is no mistake of the plugin's.
        if not self.is_closed():
            self.close()


class InProcessChannel:
    """What `viloapp_sdk.worker._runtime.Runtime` takes for its channel.

    Args:
        answer: answers a request of the plugin: ``(method, params)``; may return an awaitable.

    Attributes:
        failures: what callbacks of events raised, which in a worker only the log would show.
    """

    handle: Callable[[str, Any], Any]
    notify: Callable[[str, Any], Any]

    def __init__(self, answer: Callable[[str, list[Any]], Any]) -> None:
        self._answer = answer
        self._loop: _Loop | None = None
        self._depth = 0
        self._events: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[BaseException] = []

    # -- the plugin asks -----------------------------------------------------------------------------

    def request(self, method: str, params: list[Any]) -> Any:
        """Answer a plain handler.

        Raises:
            ViloError: the answer was an error.
        """
        return self._said(lambda: self.finished(self._answer(method, crossed(params))))

    async def request_async(self, method: str, params: list[Any]) -> Any:
        """Answer an ``async`` handler.

        Raises:
            ViloError: the answer was an error.
        """
        result = self._said(lambda: self._answer(method, crossed(params)))
        if hasattr(result, "__await__"):
            result = await result
        return crossed(result)

    def _said(self, ask: Callable[[], Any]) -> Any:
        try:
            return crossed_if_plain(ask())
        except ViloError as error:
            raise from_wire(error.to_wire()) from None  # as the wire has it: its code, no class of ours

    # -- the host asks -------------------------------------------------------------------------------

    def serve(self, method: str, params: Any) -> Any:
        """Have the plugin serve a request, to the end where it is ``async``.

        Raises:
            ViloError: what the plugin answered; `HandlerError` from what its code raised.
        """
        return self._served(lambda: crossed(self.finished(self._result(method, params))))

    async def serve_async(self, method: str, params: Any) -> Any:
        """Do what `serve` does where a loop runs already."""
        result = self._served(lambda: self._result(method, params))
        try:
            return crossed(await result if hasattr(result, "__await__") else result)
        except Exception as error:
            raise as_answer(error) from error

    def _result(self, method: str, params: Any) -> Any:
        result = self.handle(method, crossed(params))
        if method == "command":
            refuse_stream(params[0], result)
        return result

    def stream(self, params: list[Any]) -> Iterator[bytes]:
        """Yield what a streaming command yields; closing this closes it.

        Raises:
            NotStreamingError: the handler is no generator.
            ViloError: what the plugin answered; `HandlerError` from what its code raised.
        """
        pieces = self._served(lambda: _streaming(params[0], self.handle("command", crossed(params))))
        is_async = hasattr(pieces, "__anext__")
        step = (lambda: self.finished(pieces.__anext__())) if is_async else (lambda: next(pieces))
        try:
            while (piece := self._served(lambda: _piece(step))) is not None:
                yield piece
        finally:
            close = getattr(pieces, "aclose" if is_async else "close", lambda: None)
            self.finished(close())

    async def stream_async(self, params: list[Any]) -> AsyncIterator[bytes]:
        """Do what `stream` does where a loop runs already."""
        pieces = self._served(lambda: _streaming(params[0], self.handle("command", crossed(params))))
        if not hasattr(pieces, "__anext__"):
            pieces = _as_async(pieces)
        close = getattr(pieces, "aclose", None)
        try:
            async for piece in pieces:
                yield _checked(piece)
        except ViloError:
            raise
        except Exception as error:
            raise as_answer(error) from error
        finally:
            if close is not None:
                await close()

    def _served(self, run: Callable[[], Any]) -> Any:
        if self._depth >= MAX_DEPTH:
            raise ReentrancyError(f"calls between host and plugin are nested deeper than {MAX_DEPTH}")
        self._depth += 1
        try:
            return run()
        except Exception as error:
            answer = as_answer(error)
            raise answer from (None if answer is error else error)
        finally:
            self._depth -= 1
            self._deliver()

    def tell(self, type: str, body: dict[str, Any]) -> None:
        """Deliver an event; once the handler that is under way has returned, as in a worker."""
        self._events.append((type, crossed(body)))
        self._deliver()

    def _deliver(self) -> None:
        while self._events and self._depth == 0:
            type, body = self._events.pop(0)
            self._depth += 1
            try:
                self.finished(self.notify(type, body))
            finally:
                self._depth -= 1

    # -- the rest of a channel -----------------------------------------------------------------------

    def fail(self, id: int | None, error: BaseException) -> None:
        """Keep what a subscriber raised."""
        self.failures.append(error)

    def stop(self) -> None:
        """End the loop of ``async`` handlers."""
        if self._loop is not None and not self._loop.is_running():
            self._loop.close()
            self._loop = None

    def finished(self, result: Any) -> Any:
        """Return a result, or what an awaitable of it comes to.

        Raises:
            RuntimeError: a loop runs in this thread already.
        """
        if not hasattr(result, "__await__"):
            return result
        if self._loop is None:
            self._loop = _Loop()
        return self._loop.run_until_complete(_awaited(result))


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


def _streaming(command: str, result: Any) -> Any:
    if hasattr(result, "__await__") and hasattr(result, "close"):
        result.close()
    if not hasattr(result, "__next__") and not hasattr(result, "__anext__"):
        raise NotStreamingError(
            f"{command} is no generator: it returned {type(result).__name__}", "call it with host.call"
        )
    return result


def _piece(step: Callable[[], Any]) -> bytes | None:
    """Return the next piece as it arrives; None at the end."""
    try:
        return _checked(step())
    except (StopIteration, StopAsyncIteration):
        return None


def _checked(piece: Any) -> bytes:
    if not isinstance(piece, (bytes, bytearray, memoryview)):
        raise TypeError(f"a bytes-like object is required, not {type(piece).__name__!r}")
    return bytes(piece)


async def _as_async(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    try:
        for piece in pieces:
            yield piece
    finally:
        if hasattr(pieces, "close"):
            pieces.close()


def crossed(value: Any) -> Any:
    """Return a value as it arrives on the other side.

    Raises:
        FrameError: it cannot be sent.
    """
    return msgpack.unpackb(pack([RESPONSE, 0, value])[4:], strict_map_key=False)[2]


def crossed_if_plain(value: Any) -> Any:
    """Return a value as it arrives on the other side; an awaitable as it is."""
    return value if hasattr(value, "__await__") else crossed(value)


def as_answer(error: Exception) -> ViloError:
    """Return what a caller is told of an exception in a plugin."""
    if isinstance(error, (ViloError, FrameError)):
        return error
    return HandlerError(f"{type(error).__name__}: {error}", "its traceback is above")
