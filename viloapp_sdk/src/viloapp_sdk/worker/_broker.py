"""What the worker's own shims ask of the host, on behalf of library code that knows no host."""

import os
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from viloapp_sdk.worker._channel import Channel
    from viloapp_sdk.worker._descriptors import Bulk
    from viloapp_sdk.worker._network import Network


class Broker:
    """Calls of the host that come from below the plugin's code; callable from any thread.

    Args:
        channel: the worker's channel.
        fd_bulk: the socket on which descriptors come.
    """

    def __init__(self, channel: "Channel", fd_bulk: int) -> None:
        self._channel = channel
        self._fd_bulk = fd_bulk
        self._bulk: Bulk | None = None
        self._lock = allocate_lock()
        self._process = os.getpid()
        self.network: Network | None = None
        """What knows the plugin's connections, once `socket` has been imported."""

    def ask(self, method: str, params: "list[Any]") -> "Any":
        """Ask the host and wait. Nothing else of the plugin runs meanwhile: library code expects none.

        Raises:
            OSError: this is a process that the plugin forked, to which the host does not belong.
            ViloError: the host's answer was an error.
        """
        if os.getpid() != self._process:
            import errno

            raise OSError(
                errno.EPERM,
                f"{method} works in the plugin's own process alone, not in one that it forked or spawned",
            )
        return self._channel.ask(method, params)

    def take(self, ticket: int) -> int:
        """Return the descriptor that belongs to an answer's ticket; it is the caller's to close."""
        with self._lock:
            if self._bulk is None:
                from viloapp_sdk.worker._descriptors import Bulk

                self._bulk = Bulk(self._fd_bulk)
        return self._bulk.take(ticket)
