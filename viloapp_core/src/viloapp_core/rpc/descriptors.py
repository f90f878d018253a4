"""The host's end of a worker's bulk socket: descriptors on their way to the worker, none on the way back.

    ours, theirs = Descriptors.pair()          # `theirs` is inherited by the worker
    descriptors = Descriptors(ours)
    ticket = descriptors.send(fd)              # a copy; the ticket goes into the answer of the call

Each packet is a ticket and one descriptor (`SCM_RIGHTS`). Nothing is queued here: what the worker has not
fetched waits in the kernel's bounded buffer, and when that is full the call fails.

The host's end is shut down for reading before the worker exists, so that the kernel refuses whatever a worker
would send: the host never holds a descriptor that a plugin chose, of which even the closing could block (a
TCP socket with SO_LINGER, socket(7)).
"""

import contextlib
import socket
from array import array
from itertools import count

from viloapp_sdk._wire import TICKET_BYTES
from viloapp_sdk.errors import FrameError, WorkerLostError

__all__ = ["Descriptors", "refuse_descriptors"]


class Descriptors:
    """Hands descriptors to one worker.

    Args:
        end: the host's end of `pair`, owned from now on.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._tickets = count(1)

    @staticmethod
    def pair() -> tuple[socket.socket, socket.socket]:
        """Return the host's end and the worker's."""
        # Packets, so that a ticket and its descriptor cannot come apart.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        ours.shutdown(socket.SHUT_RD)
        return ours, theirs

    def send(self, fd: int) -> int:
        """Send a copy of ``fd`` and return its ticket. Never waits; the caller still closes its own.

        Raises:
            FrameError: the worker has not fetched the descriptors that it got before.
            WorkerLostError: the worker is gone.
        """
        ticket = next(self._tickets)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [fd]))]
        try:
            self._end.sendmsg([ticket.to_bytes(TICKET_BYTES, "little")], rights)
        except BlockingIOError:
            raise FrameError("too many descriptors wait for the plugin already", "try again later") from None
        except OSError as error:  # gone, or ETOOMANYREFS: more are in flight than this user may have
            raise WorkerLostError(f"a descriptor could not be handed over: {error.strerror}") from error
        return ticket

    def close(self) -> None:
        """Give the socket up. May be called twice."""
        self._end.close()


def refuse_descriptors(host: socket.socket) -> None:
    """Have the kernel refuse descriptors that a plugin attaches, where it can (Linux 6.16, SO_PASSRIGHTS).

    Received without room for them they are closed at once, which is harmless for all but a TCP socket that
    lingers; workers cannot make one (SO_LINGER is refused to them).
    """
    so_passrights = 83
    with contextlib.suppress(OSError):
        host.setsockopt(socket.SOL_SOCKET, so_passrights, 0)
