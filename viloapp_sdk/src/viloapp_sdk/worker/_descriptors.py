"""Descriptors that the host hands over: each is fetched with the ticket that the answer of a call names."""

import os
import sys
from _thread import allocate_lock

from viloapp_sdk._wire import TICKET_BYTES
from viloapp_sdk.errors import FrameError, WorkerLostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket


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
            return self._early.pop(ticket)

    def close(self) -> None:
        """Give up the socket and what nobody has taken."""
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._fd)
        for fd in self._early.values():
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
        if not control:
            import errno

            # The kernel had no number left for it (unix(7)): the ticket is used up, the call has failed.
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE) + ": a descriptor of the host was lost")
        if len(data) != TICKET_BYTES:
            raise FrameError("the host sent a descriptor without a ticket")
        self._early[int.from_bytes(data, "little")] = int.from_bytes(control[0][2][:4], sys.byteorder)
