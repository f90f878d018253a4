"""Interpreters start a few at a time: many more than there are processors would all be slower, none earlier.

One more than processors, since a start in the sandbox sleeps for part of its time, until the kernel has made
its mounts and namespaces: with as many as there are processors these were idle for a tenth of the time.

A turn is about what costs a start most, up to the worker's first word. It does not last until the plugin is
ready, which may need another plugin's start, nor for longer than `MOST_S`: a process that never says a word
holds up nobody else for long.
"""

import asyncio

from viloapp_core.foundation.processors import processors

__all__ = ["MOST_S", "Turn", "Turns"]

MOST_S = 1.0


class Turn:
    """The right to start a process now, until it is over.

    Args:
        free: gives it to the next.
        waited: whether others came first.
    """

    def __init__(self, free: asyncio.Semaphore, *, waited: bool) -> None:
        self.waited = waited
        self._free: asyncio.Semaphore | None = free
        self._alarm = asyncio.get_running_loop().call_later(MOST_S, self.over)

    def over(self) -> None:
        """Let the next begin; nothing happens the second time."""
        free, self._free = self._free, None
        self._alarm.cancel()
        if free is not None:
            free.release()


class Turns:
    """Hands out turns in the order in which they are asked for.

    Args:
        at_once: how many there are at a time; by default one more than processors.
    """

    def __init__(self, at_once: int | None = None) -> None:
        self._free = asyncio.Semaphore(at_once or processors() + 1)

    async def take(self) -> Turn:
        """Wait for a turn; who asked has to say when it is over."""
        waited = self._free.locked()
        await self._free.acquire()
        return Turn(self._free, waited=waited)
