"""`socket` for a worker that has no network: what connects to the outside goes through the host.

The plugin's socket object stays what it was. When it connects, the host sends one end of a socket pair, to
whose other end it relays the connection; that descriptor takes the place of the socket's own under the same
number. So everything above works as it is: `ssl`, `http.client`, `requests`, `httpx`, `asyncio`. Connections
inside the sandbox (loopback, Unix sockets) are the sandbox's own.
"""

import _socket
import errno
import os
import select

from viloapp_sdk.errors import PermissionDeniedError, ViloError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viloapp_sdk.worker._broker import Broker

    Socket = _socket.socket

_INTERNET = (_socket.AF_INET, _socket.AF_INET6)
_LEVELS = (_socket.IPPROTO_TCP, _socket.IPPROTO_IP, _socket.IPPROTO_IPV6)
_LOOPBACK_S = 2.0
_NAMES_KEPT = 1024
_LINKS_LOOKED_OVER = 256


class Link:
    """What a relayed socket was told of its connection."""

    __slots__ = ("address", "connected", "ended", "options", "ticket")

    def __init__(self, ticket: int, address: "tuple[Any, ...]") -> None:
        self.ticket = ticket
        self.address = address
        self.connected = False
        self.ended = False
        self.options: dict[tuple[int, int], Any] = {}


class Network:
    """The state behind the functions that `install` puts into `socket`.

    Args:
        broker: asks the host.
    """

    def __init__(self, broker: "Broker") -> None:
        self._broker = broker
        # By the number of the socket itself (its inode): `ssl`, `dup` and `detach` move it to other objects.
        self._links: dict[int, Link] = {}
        self._look_over_at = _LINKS_LOOKED_OVER
        self._names: dict[tuple[str, int], str] = {}

    # -- names ---------------------------------------------------------------------------------------

    def addresses(self, host: str, port: int) -> "list[str]":
        """Return the addresses of a granted host, and remember whose they are.

        Raises:
            PermissionDeniedError: it was not granted.
            gaierror: it has none.
        """
        try:
            found: list[str] = self._broker.ask("network.resolve", [host, port or None])
        except ViloError as error:
            raise translated(error) from None
        for address in found:
            self.remember(address, port, host)
        return found

    def remember(self, address: str, port: int, host: str) -> None:
        """Remember that an address stands for a name: the permission is for the name."""
        self._names.pop((address, port), None)
        self._names[address, port] = host
        while len(self._names) > _NAMES_KEPT:
            del self._names[next(iter(self._names))]

    # -- connections ---------------------------------------------------------------------------------

    def link(self, sock: "Socket") -> "Link | None":
        """Return what is known of a relayed socket, None for any other."""
        if not self._links or sock.family not in _INTERNET:
            return None
        try:
            return self._links.get(os.fstat(sock.fileno()).st_ino)
        except OSError:
            return None

    def connect(self, sock: "Socket", address: "tuple[Any, ...]") -> None:
        """Connect a TCP socket through the host, as `socket.connect` would.

        Raises:
            BlockingIOError: the socket does not block; it turns writable when this is done.
            OSError: the connection could not be made; a `PermissionDeniedError` when it may not.
        """
        known = self.link(sock)
        if known is not None:
            done = known.connected or self._writable(sock, 0)
            number = errno.EISCONN if done else errno.EALREADY
            raise OSError(number, os.strerror(number))
        host, port = str(address[0]), int(address[1])
        name = self._names.get((host, port)) or self._names.get((host, 0)) or host
        try:
            ticket: int = self._broker.ask("network.connect", [name, port, None if name == host else host])
        except ViloError as error:
            raise translated(error) from None
        link = Link(ticket, address)
        self._take_place(sock, link)
        timeout = sock.gettimeout()
        if timeout == 0.0:
            raise BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))
        if not self._writable(sock, timeout):
            raise TimeoutError("timed out")
        if _socket.socket.getsockopt(sock, _socket.SOL_SOCKET, _socket.SO_ERROR):
            raise self.failure(link) or ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        link.connected = True

    def failure(self, link: Link) -> "OSError | None":
        """Ask the host why a connection was lost; None when it was ended by the other side."""
        try:
            outcome = self._broker.ask("network.outcome", [link.ticket])
        except (ViloError, OSError):
            return None
        if outcome is None:
            return None
        return translated(
            ViloError(outcome["code"], outcome["detail"], outcome["hint"]), int(outcome["errno"])
        )

    def peer(self, sock: "Socket", link: Link) -> "tuple[Any, ...]":
        """Return the address that a socket is connected to.

        Raises:
            OSError: it is not, yet.
        """
        if not link.connected:
            link.connected = self._writable(sock, 0)
        if not link.connected:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        host, port = link.address[:2]
        return (host, port) if sock.family == _socket.AF_INET else (host, port, 0, 0)

    def _take_place(self, sock: "Socket", link: Link) -> None:
        """Let the host's descriptor take the place of the socket's own."""
        fd = self._broker.take(link.ticket)
        try:
            os.set_blocking(fd, sock.gettimeout() is None)
            os.dup2(fd, sock.fileno(), os.get_inheritable(sock.fileno()))
            self._links[os.fstat(fd).st_ino] = link
        finally:
            os.close(fd)
        if len(self._links) > self._look_over_at:
            self._forget_closed()

    def _forget_closed(self) -> None:
        """Forget the links of sockets that nobody has open any more."""
        inodes = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                inodes.add(os.fstat(int(name)).st_ino)
            except OSError:
                continue
        self._links = {inode: link for inode, link in self._links.items() if inode in inodes}
        self._look_over_at = max(_LINKS_LOOKED_OVER, 2 * len(self._links))

    def _writable(self, sock: "Socket", timeout_s: "float | None") -> bool:
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLOUT)
        return bool(poller.poll(None if timeout_s is None else timeout_s * 1000))


def translated(error: ViloError, number: int = 0) -> OSError:
    """Return the host's error as the one that `socket` would raise."""
    said = f"{error.detail}; {error.hint}" if error.hint else error.detail
    if error.code == PermissionDeniedError.CODE:
        denied = PermissionDeniedError(error.detail, error.hint)
        denied.args, denied.strerror = (said,), said  # libraries pass on one of these texts
        return denied
    if error.code == "name_unresolved":
        return _socket.gaierror(_socket.EAI_NONAME, error.detail)
    if error.code == "too_much_open":
        return OSError(errno.EMFILE, said)
    if error.code == "host_unreachable":
        return OSError(number or errno.ECONNREFUSED, error.detail)
    return OSError(number or errno.EIO, said)


def is_loopback(host: str) -> bool:
    """Return whether a host is the sandbox's own loopback."""
    return host in ("", "localhost", "::1") or host.startswith("127.")


def install(module: "ModuleType", broker: "Broker") -> None:
    """Complete the module `socket`."""
    from viloapp_sdk.worker import _socket_functions

    broker.network = Network(broker)
    _socket_functions.put_into(module, broker.network)
