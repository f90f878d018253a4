"""A percentage of a processor as a budget that fills with time and empties with use (a token bucket).

It holds a minute's worth: at 25 % that is 15 CPU-seconds, so a plugin that was quiet may work for 20 s with
all of one processor, and one that works all the time gets its percentage. Over any span of ``t`` seconds a
plugin uses at most ``(t + 60) * percent / 100`` CPU-seconds, and what it used between two measurements.
"""

from dataclasses import dataclass, replace
from typing import Self

__all__ = ["Budget"]

WINDOW_S = 60.0
"""Over which the percentage is an average. Source: the specification."""
RESUME_S = 0.4
"""A plugin that has spent its budget is held until this much time's worth is there again: at 25 % it then
works for 0.13 s out of 0.53. Shorter turns would only cost more signals."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much processor time a plugin may use now.

    Args:
        rate: processor seconds for each second, ``percent / 100``.
        window_s: how many seconds' worth it holds at most.
        left_s: processor seconds that are left; below zero when more was used than there was.
        at: when that was, in seconds of a monotonic clock.
    """

    rate: float
    window_s: float
    left_s: float
    at: float

    @classmethod
    def full(cls, percent: float, *, now: float, window_s: float = WINDOW_S) -> Self:
        """Return a budget of which nothing has been used, as a plugin has when it is ready."""
        return cls(percent / 100, window_s, percent / 100 * window_s, now)

    def advance(self, *, now: float, used_s: float) -> "Budget":
        """Return the budget after ``used_s`` processor seconds were used until ``now``."""
        earned = max(0.0, now - self.at) * self.rate
        # What was used is taken before the cap: a full bucket does not make use between two looks free.
        left = min(self.left_s - max(0.0, used_s) + earned, self.rate * self.window_s)
        return replace(self, left_s=left, at=max(self.at, now))

    @property
    def spent(self) -> bool:
        """Whether the plugin has to be held."""
        return self.left_s <= 0

    @property
    def refilled(self) -> bool:
        """Whether a plugin that is held may go on."""
        return self.left_s >= self.rate * min(RESUME_S, self.window_s)

    @property
    def recovered(self) -> bool:
        """Whether half of it is there again: what comes next is another episode, and told again."""
        return self.left_s >= self.rate * self.window_s / 2

    def wait_s(self) -> float:
        """Return how many seconds a held plugin has to wait."""
        return max(0.0, (self.rate * min(RESUME_S, self.window_s) - self.left_s) / self.rate)
