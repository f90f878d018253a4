"""Signals that ask a command to end: it cleans up as Ctrl-C does, so that no pip outlives it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar

from viloapp_core.cli.errors import SignalError

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Besides SIGINT, which Python raises by itself; Windows has no SIGHUP."""

T = TypeVar("T")


def exit_code(error: BaseException | None) -> int:
    """Return what a shell expects of a program that the signal behind this exception ended: 128 + n."""
    return 128 + (error.signum if isinstance(error, SignalError) else signal.SIGINT)


@contextmanager
def raising() -> Iterator[None]:
    """Raise `SignalError` where the main thread is when one of `ENDING` arrives.

    One that the caller ignores (``nohup``) stays ignored.
    """
    with _handled(_raise):
        yield


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine as `asyncio.run` does; a signal cancels it, and it alone, so that it may clean up.

    Raised in the middle of an event loop, as `raising` has it, one would end every task at once, those
    that clean up too. The second signal does that.

    Raises:
        KeyboardInterrupt: a signal came; `SignalError` for one of `ENDING`.
    """
    import asyncio

    came: list[int] = []

    async def cancelled_by_signals() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def cancel(signum: int, frame: FrameType | None) -> None:
            if came:
                _raise(signum, frame)
            came.append(signum)
            loop.call_soon_threadsafe(task.cancel)

        with _handled(cancel):
            return await main

    try:
        return asyncio.run(cancelled_by_signals())  # which treats SIGINT so by itself
    except asyncio.CancelledError as error:
        if came:
            raise SignalError(came[0]) from error
        raise


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    previous = {number: signal.getsignal(number) for number in ENDING}
    for number, before in previous.items():
        if before is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def _raise(signum: int, _frame: FrameType | None) -> NoReturn:
    raise SignalError(signum)
