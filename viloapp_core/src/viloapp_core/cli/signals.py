"""Signals that ask a command to end: it cleans up as Ctrl-C does, so that no pip outlives it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from viloapp_core.cli.errors import SignalError

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Besides SIGINT, which Python raises by itself; Windows has no SIGHUP."""


def exit_code(error: BaseException | None) -> int:
    """Return what a shell expects of a program that the signal behind this exception ended: 128 + n."""
    return 128 + (error.signum if isinstance(error, SignalError) else signal.SIGINT)


@contextmanager
def raising() -> Iterator[None]:
    """Raise `SignalError` where the main thread is when one of `ENDING` arrives.

    One that the caller ignores (``nohup``) stays ignored.
    """
    previous = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _raise(signum: int, _frame: FrameType | None) -> NoReturn:
    raise SignalError(signum)
