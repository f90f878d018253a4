"""A number of things per second, with a burst: those that are over it wait, in order."""

import asyncio

__all__ = ["Rate"]


class Rate:
    """A bucket of tokens.

    Args:
        per_second: how fast it fills.
        burst: how much it holds.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._slack = burst / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Return when it is this caller's turn; at once while less than the burst was used up."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._next = max(self._next, now - self._slack) + self._interval
        if self._next > now:
            await asyncio.sleep(self._next - now)

    def affords(self) -> bool:
        """Take a turn when there is one now; whether there was."""
        now = asyncio.get_running_loop().time()
        following = max(self._next, now - self._slack) + self._interval
        if following > now:
            return False
        self._next = following
        return True
