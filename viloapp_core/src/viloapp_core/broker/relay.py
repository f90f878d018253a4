"""Bytes between a connection and the plugin's socket, copied by the host's loop as they come.

A plugin never holds the connection itself: a TCP socket can be disconnected and connected elsewhere
(``connect(2)``, AF_UNSPEC), past every check. What one side does not take now stays in one small buffer,
and the other side is not read meanwhile; so a relay holds 256 KiB in each direction at most, 64 KiB where
others of the plugin's wait. One read for each readiness, and eight, or half a megabyte, for all relays of a
plugin in one turn of the loop (`Turns`): so the loop is there for the others, however many are fast at once.
"""

import asyncio
import contextlib
import select
import socket
from collections import deque
from collections.abc import Callable

__all__ = ["Relay", "Turns"]

_CHUNK = 256 * 1024
_A_TURN = 8
"""Times that relays of one plugin read or write in one turn of the loop, about 0.5 ms."""
_A_TIME = 64 * 1024
"""Bytes that are moved in one of these; more count as several."""
_buffer = bytearray(_CHUNK)
_view = memoryview(_buffer)
# All relays of a process share one buffer: nothing is left in it when a callback returns.


class Turns:
    """How much the relays of one plugin do in one turn of the loop; who is too late is first in the next."""

    def __init__(self) -> None:
        self._left = _A_TURN
        self._waiting: deque[Callable[[], None]] = deque()
        self._scheduled = False

    def take(self, later: Callable[[], None]) -> bool:
        """Whether it is the caller's turn now; otherwise ``later`` is called when it is."""
        self._schedule()
        # Behind those that wait already: the same few would else always be first.
        if self._waiting or not self._left:
            self._waiting.append(later)
            return False
        self._left -= 1
        return True

    @property
    def size(self) -> int:
        """Most bytes to read now: few where others wait, so that each of many has its turn soon."""
        return _A_TIME if self._waiting else _CHUNK

    def moved(self, count: int) -> None:
        """Count what was moved beyond one time's worth."""
        self._left = max(0, self._left - max(0, count - 1) // _A_TIME)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._scheduled = False
        self._left = _A_TURN
        while self._waiting and self._left:
            self._left -= 1
            self._waiting.popleft()()
        if self._waiting:
            self._schedule()


class _Direction:
    """From one socket to the other."""

    __slots__ = ("_loop", "_on_change", "_turns", "count", "ended", "left", "source", "stopped", "target")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: socket.socket,
        target: socket.socket,
        on_change: Callable[[OSError | None], None],
        turns: Turns,
    ) -> None:
        self._loop = loop
        self._turns = turns
        self.stopped = False
        self.source = source
        self.target = target
        self._on_change = on_change
        self.left: memoryview | None = None
        self.ended = False
        """Whether the source has said that no more comes, and the target was told."""
        self.count = 0
        """Bytes that the target took."""
        loop.add_reader(source.fileno(), self._readable)

    def _readable(self) -> None:
        if self._turns.take(self._read_later):
            self._read()
        else:
            self._loop.remove_reader(self.source.fileno())

    def _read_later(self) -> None:
        if not self.stopped:
            self._loop.add_reader(self.source.fileno(), self._readable)
            self._read()

    def _read(self) -> None:
        try:
            size = self.source.recv_into(_view, self._turns.size)
            if not size:
                self._loop.remove_reader(self.source.fileno())
                self._end()
                return
            self._turns.moved(size)
            taken = self._send(_view[:size])
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._on_change(error)
            return
        if taken < size:
            self.left = memoryview(bytes(_view[taken:size]))
            self._loop.remove_reader(self.source.fileno())
            self._loop.add_writer(self.target.fileno(), self._writable)

    def _writable(self) -> None:
        if self._turns.take(self._write_later):
            self._write()
        else:
            self._loop.remove_writer(self.target.fileno())

    def _write_later(self) -> None:
        if not self.stopped:
            self._loop.add_writer(self.target.fileno(), self._writable)
            self._write()

    def _write(self) -> None:
        if self.left is None:
            return
        try:
            taken = self._send(self.left)
        except OSError as error:
            self._on_change(error)
            return
        self.left = self.left[taken:]
        if not self.left:
            self.left = None
            self._loop.remove_writer(self.target.fileno())
            self._loop.add_reader(self.source.fileno(), self._readable)

    def _send(self, data: memoryview) -> int:
        try:
            taken = self.target.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        self.count += taken
        return taken

    def _end(self) -> None:
        self.ended = True
        with contextlib.suppress(OSError):  # it is gone already: there is nobody to tell
            self.target.shutdown(socket.SHUT_WR)
        self._on_change(None)

    def stop(self) -> None:
        self.stopped = True
        self._loop.remove_reader(self.source.fileno())
        if self.left is not None:
            self._loop.remove_writer(self.target.fileno())


class Relay:
    """One connection on its way; it owns both sockets.

    Args:
        remote: the connection, non-blocking.
        local: the host's end of the plugin's socket, non-blocking.
        on_end: called once, with the error when the connection was lost, None when both sides had ended.
        turns: shared by all relays of one plugin.
    """

    def __init__(
        self,
        remote: socket.socket,
        local: socket.socket,
        on_end: Callable[[OSError | None], None],
        turns: Turns,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._remote = remote
        self._local = local
        self._on_end = on_end
        self.closed = False
        self._down = _Direction(loop, remote, local, self._down_changed, turns)
        self._up = _Direction(loop, local, remote, self._up_changed, turns)

    @property
    def sent(self) -> int:
        """Bytes that went to the network."""
        return self._up.count

    @property
    def received(self) -> int:
        """Bytes that the plugin got."""
        return self._down.count

    @property
    def half_closed(self) -> bool:
        """Whether the plugin has said that it sends no more, and the other side has not."""
        return self._up.ended and not self._down.ended

    def close(self, error: OSError | None = None) -> None:
        """End it now, whatever is under way. May be called twice."""
        if self.closed:
            return
        self.closed = True
        self._down.stop()
        self._up.stop()
        self._local.close()
        self._remote.close()
        self._on_end(error)

    def sweep(self) -> None:
        """Close it when the plugin has closed its socket after half of it: nobody is told of that."""
        if self.half_closed and self._plugin_gone():
            self.close()

    def _up_changed(self, error: OSError | None) -> None:
        """The plugin sends no more, or the network takes no more of it."""
        if error is not None:
            # What the other side had said before may still be read: an answer to an upload that it refused.
            self._up.stop()
            self._up.ended = True
            with contextlib.suppress(OSError):
                self._local.shutdown(socket.SHUT_RD)
        if self._down.ended or self._plugin_gone():
            self.close(error)

    def _down_changed(self, error: OSError | None) -> None:
        """The other side sends no more, the connection was lost, or the plugin takes no more."""
        if error is None:
            if self._up.ended:
                self.close()
        else:
            self.close(None if self._plugin_gone() else error)

    def _plugin_gone(self) -> bool:
        """A socket pair's end hangs up when the other was closed, not when it was shut down (poll(2))."""
        poller = select.poll()
        with contextlib.suppress(OSError, ValueError):
            poller.register(self._local, 0)
            return any(event & select.POLLHUP for _, event in poller.poll(0))
        return True
