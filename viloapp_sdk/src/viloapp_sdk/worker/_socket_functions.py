"""The functions and methods of `socket` that differ in a worker."""

import _socket
import errno

from viloapp_sdk.errors import PermissionDeniedError
from viloapp_sdk.worker._network import _INTERNET, _LEVELS, _LOOPBACK_S, is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viloapp_sdk.worker._network import Network, Socket

_raw = _socket.socket
_NO_UDP = (
    "a plugin has no UDP (nor QUIC, nor DNS servers of its own): connect by TCP, "
    "and let the host look names up (socket.getaddrinfo)"
)


def put_into(module: "ModuleType", network: "Network") -> None:
    """Replace what differs, in the module and in its class `socket`."""
    _put_connecting(module.socket, network)
    _put_receiving(module.socket, network)
    _put_asking(module.socket, network)
    _put_names(module, network)


def _is_tcp(sock: "Socket") -> bool:
    return sock.family in _INTERNET and sock.type == _socket.SOCK_STREAM


def _refuse_udp(sock: "Socket", address: "Any") -> None:
    if sock.family in _INTERNET and sock.type != _socket.SOCK_STREAM and not is_loopback(str(address[0])):
        raise PermissionDeniedError(_NO_UDP)


def _try_loopback(sock: "Socket", address: "Any") -> bool:
    """Connect inside the sandbox; False when nobody listens there, or this system allows none of it."""
    timeout = sock.gettimeout()
    sock.settimeout(_LOOPBACK_S)  # it is decided at once, also for a socket that does not block
    try:
        _raw.connect(sock, address)
    except OSError as error:
        if error.errno in (
            errno.ECONNREFUSED,
            errno.EACCES,
            errno.EPERM,
            errno.ENETUNREACH,
            errno.EADDRNOTAVAIL,
        ):
            return False
        raise
    finally:
        sock.settimeout(timeout)
    return True


def _put_connecting(cls: "Any", network: "Network") -> None:
    def connect(self: "Socket", address: "Any", /) -> None:
        """Connect the socket to a remote address; through the host where that is outside."""
        if not _is_tcp(self):
            _refuse_udp(self, address)
            return _raw.connect(self, address)
        if network.link(self) is None and is_loopback(str(address[0])) and _try_loopback(self, address):
            return None
        return network.connect(self, address)

    def connect_ex(self: "Socket", address: "Any", /) -> int:
        """Like `connect`, but return an error number instead of raising."""
        try:
            self.connect(address)
        except OSError as error:
            if not error.errno or isinstance(error, (_socket.gaierror, TimeoutError)):
                raise
            return error.errno
        return 0

    def sendto(self: "Socket", *args: "Any") -> int:
        """Send data to an address; by UDP only inside the sandbox."""
        if self.type != _socket.SOCK_STREAM and self.family in _INTERNET:
            _refuse_udp(self, args[-1])
        return _raw.sendto(self, *args)

    cls.connect, cls.connect_ex, cls.sendto = connect, connect_ex, sendto


def _put_receiving(cls: "Any", network: "Network") -> None:
    """A connection that was lost looks like one that ended, from inside: the host knows which it was."""

    def check(sock: "Socket") -> None:
        link = network.link(sock)
        if link is not None and not link.ended:
            link.ended = True
            failure = network.failure(link)
            if failure is not None:
                raise failure

    def recv(self: "Socket", bufsize: int, flags: int = 0, /) -> bytes:
        """Receive up to ``bufsize`` bytes."""
        data = _raw.recv(self, bufsize, flags)
        if not data and bufsize:
            check(self)
        return data

    def recv_into(self: "Socket", buffer: "Any", nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer and return the number of bytes."""
        size = _raw.recv_into(self, buffer, nbytes, flags)
        if not size:
            check(self)
        return size

    cls.recv, cls.recv_into = recv, recv_into


def _put_asking(cls: "Any", network: "Network") -> None:
    def getsockopt(self: "Socket", level: int, option: int, *length: int) -> "Any":
        """Return an option's value; a TCP option of a relayed socket is what it was set to, or 0."""
        link = network.link(self)
        if link is None:
            return _raw.getsockopt(self, level, option, *length)
        if level in _LEVELS:
            value = link.options.get((level, option), 0)
            return bytes(length[0]) if length and isinstance(value, int) else value
        value = _raw.getsockopt(self, level, option, *length)
        if (level, option) == (_socket.SOL_SOCKET, _socket.SO_ERROR):
            if not value:
                return value
            failure = network.failure(link)
            return failure.errno if failure is not None and failure.errno else value
        return value

    def setsockopt(self: "Socket", level: int, option: int, value: "Any", *length: int) -> None:
        """Set an option; those of TCP and IP mean nothing to a relayed socket and are only remembered."""
        link = network.link(self)
        if link is not None and level in _LEVELS:
            link.options[level, option] = value
        elif (level, option) != (_socket.SOL_SOCKET, _socket.SO_LINGER):
            _raw.setsockopt(self, level, option, value, *length)

    def getpeername(self: "Socket") -> "Any":
        """Return the address that the socket is connected to."""
        link = network.link(self)
        return _raw.getpeername(self) if link is None else network.peer(self, link)

    def getsockname(self: "Socket") -> "Any":
        """Return the socket's own address; of a relayed one nobody here knows it."""
        if network.link(self) is None:
            return _raw.getsockname(self)
        return ("0.0.0.0", 0) if self.family == _socket.AF_INET else ("::", 0, 0, 0)

    cls.getsockopt, cls.setsockopt = getsockopt, setsockopt
    cls.getpeername, cls.getsockname = getpeername, getsockname


def _is_inside(host: str, flags: int) -> bool:
    """Return whether a name needs nobody outside: an address, loopback, or this machine's name inside."""
    if is_loopback(host) or flags & _socket.AI_NUMERICHOST or host == _socket.gethostname():
        return True
    for family in _INTERNET:
        try:
            _socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False


def _port(port: "Any", socktype: int) -> int:
    if port is None or isinstance(port, int):
        return port or 0
    text = port.decode() if isinstance(port, bytes) else str(port)
    if text.isdigit():
        return int(text)
    try:
        return _socket.getservbyname(text, "udp" if socktype == _socket.SOCK_DGRAM else "tcp")
    except OSError:
        raise _socket.gaierror(_socket.EAI_SERVICE, f"there is no service {text!r}") from None


def _put_names(module: "Any", network: "Network") -> None:
    original = module.getaddrinfo

    def getaddrinfo(
        host: "Any", port: "Any", family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> "list[Any]":
        """Resolve host and port into a list of addresses; the host looks up what was granted."""
        name = host.decode() if isinstance(host, (bytes, bytearray)) else host
        if name is None or _is_inside(name, flags):
            rows: list[Any] = original(host, port, family, type, proto, flags)
            if name == "localhost":
                for row in rows:
                    network.remember(row[4][0], row[4][1], name)
            return rows
        number = _port(port, type)
        found: list[Any] = []
        for address in network.addresses(name, number):
            if family in (0, _socket.AF_INET6 if ":" in address else _socket.AF_INET):
                plain = _socket.AI_NUMERICHOST | (flags & _socket.AI_PASSIVE)
                found += original(address, number, family, type, proto, plain)
        if not found:
            raise _socket.gaierror(_socket.EAI_NONAME, f"{name} has no address of this family")
        if flags & _socket.AI_CANONNAME:
            found[0] = (*found[0][:3], name, found[0][4])
        return found

    def gethostbyname(hostname: str) -> str:
        """Return an IPv4 address of a host."""
        return str(getaddrinfo(hostname, 0, _socket.AF_INET, _socket.SOCK_STREAM)[0][4][0])

    def gethostbyname_ex(hostname: str) -> "tuple[str, list[str], list[str]]":
        """Return a host's name, aliases (none) and IPv4 addresses."""
        rows = getaddrinfo(hostname, 0, _socket.AF_INET, _socket.SOCK_STREAM)
        return hostname, [], [row[4][0] for row in rows]

    module.getaddrinfo = getaddrinfo
    module.gethostbyname, module.gethostbyname_ex = gethostbyname, gethostbyname_ex
