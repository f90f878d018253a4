"""Where the bytes of a stream go in this process, whatever that makes them wait for."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable

__all__ = ["Outlet"]


class Outlet:
    """Hands pieces to a sink in a thread of its own, while others use the event loop.

    A daemon thread, and none of the loop's: a sink whose reader has stopped reading waits for ever, and that
    must keep neither the loop nor the process from ending.

    Args:
        sink: takes each piece, and may wait. It should hold no lock of the interpreter's meanwhile.
    """

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._sink = sink
        self._pieces: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="outlet", daemon=True).start()

    async def put(self, piece: bytes) -> None:
        """Return when the sink has taken a piece; raise what it raised."""
        taken: asyncio.Future[None] = self._loop.create_future()
        self._pieces.put((piece, taken))
        await taken

    def close(self) -> None:
        """Hand on nothing more; whatever the sink waits for is not waited for here."""
        self._pieces.put(None)

    def _run(self) -> None:
        while (job := self._pieces.get()) is not None:
            piece, taken = job
            error: Exception | None = None
            try:
                self._sink(piece)
            except Exception as problem:
                error = problem
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(_settle, taken, error)


def _settle(taken: "asyncio.Future[None]", error: Exception | None) -> None:
    if taken.done():  # whoever put it was cancelled
        return
    if error is not None:
        taken.set_exception(error)
    else:
        taken.set_result(None)
