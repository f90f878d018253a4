"""The clock as a port, so that what depends on time can be tested without waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the core asks of time."""

    def now(self) -> datetime:
        """Return the current time in UTC, with its zone."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time in UTC, with its zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()


def timestamp(clock: Clock) -> str:
    """Return the current time as RFC 3339 with seconds, for example ``2026-01-02T03:04:05Z``."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
