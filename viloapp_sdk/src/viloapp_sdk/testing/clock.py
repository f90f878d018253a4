"""A clock that stands still until a test moves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

__all__ = ["FakeClock"]


class FakeClock:
    """Time that passes when a test says so; who sleeps moves it.

        clock = FakeClock()
        with clock.installed():
            clock.advance(3600)
            assert time.time() == clock.now

    Args:
        now: seconds since 1970 at which it stands first.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self._started = now
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def advance(self, seconds: float) -> None:
        """Let time pass, and what was asked for with `at` happen at its moment.

        Raises:
            ValueError: time does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} s")
        end = self.now + seconds
        while due := [alarm for alarm in self._alarms if alarm[0] <= end]:
            alarm = min(due, key=lambda each: each[0])
            self._alarms.remove(alarm)
            self.now = max(self.now, alarm[0])
            alarm[1]()
        self.now = max(self.now, end)

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` once ``seconds`` from now have passed."""
        self._alarms.append((self.now + seconds, action))

    def time(self) -> float:
        """Return seconds since 1970, as `time.time` does."""
        return self.now

    def monotonic(self) -> float:
        """Return seconds since the clock was made, as `time.monotonic` does from some point on."""
        return self.now - self._started

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.advance(seconds)

    @contextmanager
    def installed(self) -> Iterator[FakeClock]:
        """Put it in the place of `time`'s functions.

        Who took one of them with ``from time import …`` before keeps the real one, and so do `datetime`
        and the event loop in which the kit runs ``async`` handlers.
        """
        fakes: dict[str, Any] = {
            "time": self.time,
            "time_ns": lambda: int(self.time() * 1e9),
            "monotonic": self.monotonic,
            "monotonic_ns": lambda: int(self.monotonic() * 1e9),
            "perf_counter": self.monotonic,
            "sleep": self.sleep,
        }
        with mock.patch.multiple(time, **fakes):
            yield self
