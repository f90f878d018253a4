"""Doors for native code, which connects past Python's `socket`: listeners on the sandbox's own loopback.

libcurl and gRPC know HTTP proxies from the environment: one is started when their modules are imported. For
any other there is ``context.services.network.forward(host, port)``. Both connect as the plugin's own Python
code would, through the host.
"""

import os
import socket
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from viloapp_sdk.worker._broker import Broker

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_started: list[int] = []


def install(module: "ModuleType", broker: "Broker") -> None:
    """Start the proxy for a module that was just imported, and say so in the environment."""
    if not _started:
        _started.append(listen(_serve_proxy))
    for name in _VARIABLES:
        os.environ.setdefault(name, f"http://127.0.0.1:{_started[0]}")


def listen(serve: "Callable[[socket.socket], None]") -> int:
    """Listen on a free port of the loopback, a thread for each connection; return the port."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            client, _ = server.accept()
            threading.Thread(target=_served, args=(serve, client), daemon=True).start()

    threading.Thread(target=accept, name="viloapp-listener", daemon=True).start()
    return int(server.getsockname()[1])


def forward(host: str, port: int) -> int:
    """Listen on a port whose connections lead to ``host``; return it.

    Raises:
        OSError: the host may not be connected to, or does not answer.
    """
    socket.create_connection(
        (host, port), timeout=30
    ).close()  # what is wrong is told now, not to native code

    def serve(client: socket.socket) -> None:
        with socket.create_connection((host, port), timeout=30) as remote:
            remote.settimeout(None)
            _copy_both(client, remote)

    return listen(serve)


def _served(serve: "Callable[[socket.socket], None]", client: socket.socket) -> None:
    with client:
        try:
            serve(client)
        except OSError:
            return  # either side went away; the other sees its end


def _serve_proxy(client: socket.socket) -> None:
    """Serve one client: CONNECT, or a request with the whole URL in it (RFC 9110, 9.3.6; RFC 9112, 3.2.2)."""
    head, rest = _read_head(client)
    method, target, version = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if method == b"CONNECT":
        where, first = target, b""
    else:
        _, _, after = target.partition(b"://")
        where, slash, path = after.partition(b"/")
        lines = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(_HOP_BY_HOP)]
        first = b"\r\n".join([b" ".join((method, slash + path or b"/", version)), *lines])
        first += b"\r\nConnection: close\r\n\r\n"
    host, _, port = where.decode().rpartition(":") if b":" in where else (where.decode(), "", "80")
    try:
        remote = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
    except OSError as error:
        code = b"403 Forbidden" if isinstance(error, PermissionError) else b"502 Bad Gateway"
        text = str(error).encode()
        client.sendall(
            b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (code, len(text), text)
        )
        print(
            f"{method.decode()} {host}:{port}: {error}", flush=True
        )  # native code keeps the answer to itself
        return
    with remote:
        remote.settimeout(None)
        if method == b"CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        remote.sendall(first + rest)
        _copy_both(client, remote)


_HOP_BY_HOP = (b"proxy-", b"connection:", b"keep-alive:")


def _read_head(client: socket.socket) -> "tuple[bytes, bytes]":
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(_CHUNK)
        if not part or len(data) > _HEAD:
            raise ConnectionError("no request came")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _copy_both(one: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, and say so; when either fails, end both."""
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
