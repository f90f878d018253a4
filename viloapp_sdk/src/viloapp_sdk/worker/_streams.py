"""Streaming commands: what a handler's generator yields goes into a socket that the host has made for it.

The bytes have no frames of ours around them, and the kernel's buffer is all the credit there is: a generator
waits at its ``yield`` while the reader is slow. When the reader is gone, the generator is closed.

A plain generator runs in a thread of its own, so that a slow reader does not hold the worker; an ``async``
one runs in the worker's loop.
"""

import _socket  # the C part: `socket` itself would pull in selectors and enum
from _thread import start_new_thread
from time import monotonic

from viloapp_sdk._wire import STREAM
from viloapp_sdk.errors import CallCancelledError, NotStreamingError
from viloapp_sdk.worker._channel import as_told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from viloapp_sdk.errors import ViloError
    from viloapp_sdk.worker._channel import Channel

__all__ = ["begin"]

_SHUT_WR = 1
_TURN_S = 0.0005
"""How long an ``async`` generator that never waits may have the loop for itself."""


def begin(channel: "Channel", result: "Any", fd: int, ticket: int, command: str) -> None:
    """Have what a handler returned write into a socket, and return at once.

    Args:
        channel: where its end is told.
        result: a generator, plain or ``async``.
        fd: the socket; taken over unless this fails.
        ticket: by which the host knows it.
        command: for the message.

    Raises:
        NotStreamingError: the handler is no generator.
        RuntimeError: the plugin has as many threads as it may.
    """
    if hasattr(result, "__anext__"):
        pumped = _pump(channel, result, fd, ticket)
        channel._require_loop().start(None, pumped, nested=False)
    elif hasattr(result, "__next__"):
        start_new_thread(_run, (channel, result, fd, ticket))
    else:
        if hasattr(result, "__await__") and hasattr(result, "close"):
            result.close()
        raise NotStreamingError(
            f"{command} is no generator: it returned {type(result).__name__}", "call it with Host.call"
        )


def _run(channel: "Channel", pieces: "Iterator[Any]", fd: int, ticket: int) -> None:
    end = _socket.socket(fileno=fd)
    end.setblocking(True)  # whatever `socket.setdefaulttimeout` the plugin has called
    error: ViloError | None = None
    try:
        for piece in pieces:
            try:
                end.sendall(piece)
            except ConnectionError:
                break  # nobody reads it any more
    except BaseException as problem:  # also SystemExit: a library that exits must not take the plugin along
        error = as_told(problem)
    try:
        if hasattr(pieces, "close"):
            pieces.close()
    except BaseException as problem:
        error = error or as_told(problem)
    _ended(channel, end, ticket, error)


async def _pump(channel: "Channel", pieces: "AsyncIterator[Any]", fd: int, ticket: int) -> None:
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    end = _socket.socket(fileno=fd)
    error: ViloError | None = None
    end.setblocking(False)
    turned = monotonic()

    def left() -> None:
        loop.remove_reader(fd)
        assert task is not None
        task.cancel()

    # The host never writes into it: that it can be read says that the host has closed it.
    loop.add_reader(fd, left)
    try:
        async for piece in pieces:
            if type(piece) is not bytes:  # asyncio counts items, of whatever size, and would never be done
                piece = memoryview(piece).cast("B")
            try:
                await loop.sock_sendall(end, piece)  # type: ignore[arg-type]  # `_socket`'s has what it uses
            except ConnectionError:
                break  # nobody reads it any more
            if monotonic() - turned > _TURN_S:  # a flood must not keep the loop from calls
                await asyncio.sleep(0)
                turned = monotonic()
    except asyncio.CancelledError:
        error = CallCancelledError("it was cancelled")
    except BaseException as problem:
        error = as_told(problem)
    loop.remove_reader(fd)
    try:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()
    except BaseException as problem:
        error = error or as_told(problem)
    _ended(channel, end, ticket, error)


def _ended(channel: "Channel", end: "_socket.socket", ticket: int, error: "ViloError | None") -> None:
    """Say why there is no more, then that there is no more, to copies of the socket in children as well."""
    try:
        channel.tell(STREAM, [ticket, error.to_wire() if error is not None else None])
        end.shutdown(_SHUT_WR)
    except OSError:
        pass  # the host has closed it
    finally:
        end.close()
