"""`uvloop` in a worker: it connects in C, past `socket`, so it is handed sockets that are connected."""

import functools
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viloapp_sdk.worker._broker import Broker


def install(module: "ModuleType", broker: "Broker") -> None:
    """Complete the class of the module's event loops."""
    loop: Any = module.Loop
    native = loop.create_connection

    @functools.wraps(native)
    async def create_connection(
        self: "Any",
        protocol_factory: "Any",
        host: "Any" = None,
        port: "Any" = None,
        *,
        sock: "Any" = None,
        ssl: "Any" = None,
        server_hostname: "Any" = None,
        **options: "Any",
    ) -> "Any":
        if sock is None and host is not None:
            sock = await _connect(self, host, port, options.get("family", 0))
            if ssl and server_hostname is None:
                server_hostname = host
        if sock is None or not _relayed(sock, broker):
            return await native(
                self, protocol_factory, sock=sock, ssl=ssl, server_hostname=server_hostname, **options
            )
        # To libuv it is what it is to the kernel.
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=sock.detach())
        kept = ("ssl_handshake_timeout", "ssl_shutdown_timeout")
        return await self.create_unix_connection(
            protocol_factory,
            sock=local,
            ssl=ssl,
            server_hostname=server_hostname,
            **{name: value for name, value in options.items() if name in kept},
        )

    async def getaddrinfo(self: "Any", host: "Any", port: "Any", **hints: "Any") -> "Any":
        return await self.run_in_executor(None, functools.partial(socket.getaddrinfo, host, port, **hints))

    loop.create_connection = create_connection
    loop.getaddrinfo = getaddrinfo


def _relayed(sock: "socket.socket", broker: "Broker") -> bool:
    return broker.network is not None and broker.network.link(sock) is not None


async def _connect(loop: "Any", host: str, port: "Any", family: int) -> "socket.socket":
    """Connect to the first address that answers."""
    failure: OSError | None = None
    for row in await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM):
        sock = socket.socket(row[0], row[1], row[2])
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, row[4])
        except OSError as error:
            sock.close()
            failure = error
            continue
        return sock
    raise failure or OSError(f"{host} has no address")
