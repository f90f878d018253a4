"""The host's end of a stream: a socket of its own for each, into which a worker writes.

    ours, theirs = pair()                     # a copy of `theirs` is handed over to the worker
    incoming = Incoming(ours)
    while data := await incoming.read(30):    # raises what the worker says went wrong
        ...

Bytes have no frames around them: the kernel's buffer is all that a worker can have waiting, and a writer that
is faster than its reader waits in the kernel. Here no more than one piece is held. So there is nothing for a
worker to send too much of, and no stream that nobody asked for.
"""

import asyncio
import socket
from time import monotonic

from viloapp_core.rpc.descriptors import refuse_descriptors
from viloapp_sdk.errors import DeadlineExceededError, ViloError, WorkerLostError

__all__ = ["Incoming", "pair"]

PIECE = 64 * 1024
"""Most that is read at once. Of more, memory for each piece is fetched from the system and given back
(mallopt(3): M_MMAP_THRESHOLD is 128 KiB), which takes longer than the reading itself."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the host's end, non-blocking, and the worker's."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    refuse_descriptors(ours)
    return ours, theirs


class Incoming:
    """What one worker writes into one socket.

    Args:
        end: the host's end of `pair`, owned from now on.
    """

    def __init__(self, end: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = end
        self._fd = end.fileno()
        self._reading = self._at_end = self._said = self._lost = self.closed = False
        self._error: ViloError | None = None
        # Whether one more piece may be read before the loop is asked again. A quick writer has one there, and
        # to ask costs half as much as the reading. No third: others want their turn too.
        self._more = False
        self._ahead = b""
        self._waiter: asyncio.Future[bytes] | None = None
        self._since, self._timeout_s = 0.0, 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, timeout_s: float) -> bytes:
        """Return what comes next, as much as is here; nothing at the end. One reader at a time.

        Args:
            timeout_s: seconds that it may take; may be infinite.

        Raises:
            DeadlineExceededError: nothing came in time.
            WorkerLostError: the process is gone, or the stream was closed.
            ViloError: what the worker says went wrong.
        """
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        if self._at_end and self._said:
            return self._last()
        if self.closed:
            raise WorkerLostError("the stream was closed")
        if self._more:
            self._more = False
            try:
                data = self._end.recv(PIECE)
            except OSError:
                data = b""  # nothing yet; or a reset, after which there is the end to be read
            if data:
                return data
        if not self._reading and not self._at_end:
            self._loop.add_reader(self._fd, self._readable)
            self._reading = True
        waiter: asyncio.Future[bytes] = self._loop.create_future()
        self._waiter = waiter
        self._set_alarm(timeout_s)
        if self._lost and not self._at_end:
            self._readable()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None and not self.closed:
                self._ahead = waiter.result() + self._ahead  # it came at this very moment
                self._pause()  # one piece is held, and no more read before that is taken
            raise
        finally:
            self._waiter = None

    def say(self, error: ViloError | None) -> None:
        """Take the worker's word that no more comes, and why; what is in the kernel is still read."""
        if not self._said:
            self._said, self._error = True, error
            self._finish()

    def lose(self) -> None:
        """The process is gone and says no more; what it had written is still read, and nothing waited for."""
        self._lost = True
        self.say(WorkerLostError("the process is gone"))
        if self._waiter is not None and not self._at_end:
            self._readable()

    def close(self) -> None:
        """Read no more; the worker's generator is closed at its next write. May be called twice."""
        if self.closed:
            return
        self.closed = True
        self._pause()
        if self._timer is not None:
            self._timer.cancel()
        self._ahead = b""
        self._end.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(WorkerLostError("the stream was closed"))

    # -- the socket ----------------------------------------------------------------------------------

    def _readable(self) -> None:
        self._more = True
        try:
            data = self._end.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            if not self._lost:
                return
            data = b""  # a descendant of the process may hold the other end for ever
        except OSError:
            data = b""  # reset: there is no more
        if not data:
            self._meet_end()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(data)
        else:
            self._ahead = data
            self._pause()

    def _meet_end(self) -> None:
        self._at_end = True
        self._pause()
        self._finish()

    def _finish(self) -> None:
        """Tell who waits that this was all, once both the socket and the worker have said so."""
        if self._at_end and self._said and self._waiter is not None and not self._waiter.done():
            if self._error is not None:
                self._waiter.set_exception(self._error)
            else:
                self._waiter.set_result(b"")

    def _last(self) -> bytes:
        if self._error is not None:
            raise self._error
        return b""

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._fd)

    # -- the clock -----------------------------------------------------------------------------------

    def _set_alarm(self, timeout_s: float) -> None:
        self._since, self._timeout_s = monotonic(), timeout_s
        # One alarm for many pieces: most come long before it rings.
        if self._timer is None and timeout_s < float("inf"):
            self._timer = self._loop.call_later(timeout_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        left = self._since + self._timeout_s - monotonic()
        if left > 0:
            # A loop's clock may be coarser than ours; never so early that it would ring again and again.
            self._timer = self._loop.call_later(max(left, 0.001), self._ring)
        else:
            self._waiter.set_exception(DeadlineExceededError(f"nothing came within {self._timeout_s:g} s"))
