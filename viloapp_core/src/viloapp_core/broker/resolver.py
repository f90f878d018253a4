"""Names to addresses, in threads of its own, remembered for a moment.

The system's resolver blocks, so it gets threads; one that waits for a dead name server cannot be interrupted.
A plugin may occupy a few of them only, so that the others' lookups go on.
"""

import asyncio
import socket
from collections import OrderedDict, defaultdict
from concurrent.futures import ThreadPoolExecutor

from viloapp_core.broker.errors import HostUnreachableError

__all__ = ["Resolver"]

_THREADS = 16
_PER_PLUGIN = 4
_KEPT_S = 5.0
"""So that the addresses which a plugin was told are those that it is then connected to, usually."""
_MOST_KEPT = 256
_TIMEOUT_S = 15.0


class Resolver:
    """Looks names up for all plugins of a host."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "viloapp-resolver")
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_PER_PLUGIN))
        self._known: OrderedDict[str, tuple[float, tuple[str, ...]]] = OrderedDict()

    async def resolve(self, plugin_id: str, host: str) -> tuple[str, ...]:
        """Return the addresses of ``host``, in the order in which they are to be tried.

        Args:
            plugin_id: whose lookup it is.
            host: a name or an address, IPv6 in brackets.

        Raises:
            HostUnreachableError: it has none, or nobody answered in time.
        """
        loop = asyncio.get_running_loop()
        known = self._known.get(host)
        if known is not None and loop.time() < known[0]:
            return known[1]
        async with self._turns[plugin_id]:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    found = await loop.run_in_executor(self._threads, _look_up, host.strip("[]"))
            except socket.gaierror as error:
                raise HostUnreachableError(
                    host, (error.strerror or "no answer").lower(), unknown=True
                ) from None
            except (OSError, UnicodeError) as error:
                raise HostUnreachableError(host, str(error), unknown=True) from None
            except TimeoutError:
                why = f"no name server answered within {_TIMEOUT_S:g} s"
                raise HostUnreachableError(host, why, unknown=True) from None
        self._known[host] = (loop.time() + _KEPT_S, found)
        self._known.move_to_end(host)
        while len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return found

    def close(self) -> None:
        """Wait for nobody: a lookup that hangs ends with its own timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> tuple[str, ...]:
    rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))
