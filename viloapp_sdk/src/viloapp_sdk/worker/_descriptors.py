"""Descriptors that the host hands over: each is fetched with the ticket that the answer of a call names."""

import os
import sys
from _thread import allocate_lock

from viloapp_sdk._wire import TICKET_BYTES
from viloapp_sdk.errors import FrameError, WorkerLostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

_LOST = -1
"""In place of a descriptor for which this process had no number left."""


class Bulk:
    """The worker's end of the bulk socket; callable from any thread.

    Args:
        fd: the inherited descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._socket: socket | None = None
        self._lock = allocate_lock()
        self._early: dict[
            int, int
        ] = {}  # fetched on the way to another ticket, which another thread waits for

    def take(self, ticket: int) -> int:
        """Return the descriptor of ``ticket``, which the host has sent before it answered.

        Raises:
            OSError: this process has as many descriptors open as it may.
            WorkerLostError: the host is gone.
        """
        with self._lock:
            while ticket not in self._early:
                self._fetch()
            fd = self._early.pop(ticket)
        if fd == _LOST:
            import errno

            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE) + ": a descriptor of the host was lost")
        return fd

    def close(self) -> None:
        """Give up the socket and what nobody has taken."""
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._fd)
        for fd in self._early.values():
            if fd != _LOST:
                os.close(fd)

    def _fetch(self) -> None:
        import _socket  # the C part: `socket` itself would pull in selectors and enum

        if self._socket is None:
            self._socket = _socket.socket(fileno=self._fd)
        data, control, _, _ = self._socket.recvmsg(
            TICKET_BYTES, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            raise WorkerLostError("the host is gone")
        if len(data) != TICKET_BYTES:
            raise FrameError("the host sent a descriptor without a ticket")
        # Where the kernel had no number left for it (unix(7)), whoever comes for that ticket is told: this
        # may be another's, and would be waited for in vain.
        fd = int.from_bytes(control[0][2][:4], sys.byteorder) if control else _LOST
        self._early[int.from_bytes(data, "little")] = fd
