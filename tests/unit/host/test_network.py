"""What a plugin's own network code meets: real plugins, real servers on this machine's loopback."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.store import Store
from viloapp_sdk.errors import HandlerError, PermissionDeniedError

Run = Callable[[Callable[[], Awaitable[None]]], None]

CLIENT = '''
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("client.urllib")
    def urllib(self, url: str) -> str:
        from urllib.request import urlopen
        with urlopen(url, timeout=20) as answer:
            return answer.read().decode()

    @command("client.raw")
    def raw(self, host: str, port: int) -> list:
        import socket
        with socket.create_connection((host, port), timeout=20) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            nodelay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.sendall(b"ping")
            sock.shutdown(socket.SHUT_WR)
            peer = sock.getpeername()
            told = sock.makefile("rb").read().decode()
            return [told, list(peer), nodelay, sock.family == socket.AF_INET]

    @command("client.streams")
    async def streams(self, host: str, port: int, count: int = 1) -> list:
        import asyncio

        async def once(number):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(str(number).encode())
            writer.write_eof()
            answer = await reader.read()
            peer = writer.get_extra_info("peername")
            writer.close()
            await writer.wait_closed()
            return [answer.decode(), list(peer)]

        return await asyncio.gather(*(once(number) for number in range(count)))

    @command("client.in_threads")
    def in_threads(self, host: str, port: int, count: int) -> list:
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: self.raw(host, port)[0], range(count)))

    @command("client.error")
    def error(self, host: str, port: int) -> list:
        import socket
        try:
            socket.create_connection((host, port), timeout=20)
        except OSError as error:
            return [type(error).__name__, error.errno, str(error)]
        return []

    @command("client.async_error")
    async def async_error(self, host: str, port: int) -> list:
        import asyncio
        try:
            await asyncio.open_connection(host, port)
        except OSError as error:
            return [type(error).__name__, error.errno, str(error)]
        return []

    @command("client.nonblocking")
    def nonblocking(self, host: str, port: int) -> list:
        import errno, select, socket
        sock = socket.socket()
        sock.setblocking(False)
        first = sock.connect_ex((host, port))
        again = sock.connect_ex((host, port))
        select.select([], [sock], [], 20)
        last = sock.connect_ex((host, port))
        told = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return [errno.errorcode.get(each, each) for each in (first, again, last, told)]

    @command("client.inside")
    def inside(self) -> str:
        """A server and a client in the sandbox itself."""
        import socket, threading
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                peer, _ = server.accept()
                peer.sendall(b"from inside")
                peer.close()
            threading.Thread(target=serve).start()
            with socket.create_connection(server.getsockname(), timeout=20) as sock:
                return sock.recv(99).decode()

    @command("client.udp")
    def udp(self, host: str) -> str:
        import socket
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.sendto(b"x", (host, 53))
            except PermissionError as error:
                return str(error)
        return "sent"

    @command("client.forked")
    def forked(self, host: str, port: int) -> str:
        import os, socket
        reader, writer = os.pipe()
        if not os.fork():
            try:
                socket.create_connection((host, port), timeout=5)
                os.write(writer, b"connected")
            except OSError as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.close(writer)
        os.wait()
        return os.read(reader, 999).decode()

    @command("client.many")
    def many(self, host: str, port: int, count: int) -> int:
        for _ in range(count):
            assert self.raw(host, port)[0] == "ping"
        import os
        return len(os.listdir("/proc/self/fd"))

    @command("client.hangs")
    def hangs(self, host: str, port: int) -> None:
        import os, socket
        sock = socket.create_connection((host, port), timeout=20)
        sock.sendall(b"x" * 100)
        sock.recv(1)
        os._exit(3)

    @command("client.lost")
    def lost(self, host: str, port: int) -> str:
        import socket
        with socket.create_connection((host, port), timeout=20) as sock:
            sock.sendall(b"reset me")
            try:
                return repr(sock.recv(10))
            except ConnectionResetError as error:
                return type(error).__name__
'''


class Echo:
    """A server that answers with what it got; what begins with "reset" is answered with a reset."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._server.getsockname()[1]
        self.open = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._server.accept()
                threading.Thread(target=self._echo, args=[peer], daemon=True).start()

    def _echo(self, peer: socket.socket) -> None:
        self.open += 1
        with peer, contextlib.suppress(OSError):
            while data := peer.recv(65536):
                if data.startswith(b"reset"):
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    break
                peer.sendall(data)
        self.open -= 1

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    """An echo server."""
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """The address of a web server with one page, and a redirection to a name that is granted to nobody."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://elsewhere.example/")
                self.end_headers()
            else:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"hello from " + self.headers["Host"].encode())

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def grants(*ids: str) -> list[dict[str, str]]:
    """Return permissions as a manifest has them."""
    return [{"id": id, "reason": "the test"} for id in ids]


def test_standard_library_clients(plant: Plant, store: Store, run: Run, echo: Echo, page: str) -> None:
    """`urllib`, sockets, threads and asyncio streams reach what was granted, by the name that was granted."""
    plant("client", CLIENT, permissions=grants("network.connect.localhost", "network.connect.127.0.0.1"))

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            assert await host.call("client.urllib", {"url": page}) == f"hello from {page[7:]}"
            there = {"host": "127.0.0.1", "port": echo.port}
            assert await host.call("client.raw", there) == ["ping", ["127.0.0.1", echo.port], 1, True]
            answers = await host.call("client.streams", {**there, "count": 20})
            assert answers == [[str(number), ["127.0.0.1", echo.port]] for number in range(20)]
            assert await host.call("client.in_threads", {**there, "count": 30}) == ["ping"] * 30
            first, again, *last = await host.call("client.nonblocking", there)
            assert first == "EINPROGRESS"
            assert again in ("EALREADY", "EISCONN")  # it may stand by then
            assert last == ["EISCONN", 0]
            assert await host.call("client.lost", there) == "ConnectionResetError"
            assert await host.call("client.inside") == "from inside"

    run(scene)


def test_what_is_refused_says_what_to_do(plant: Plant, store: Store, run: Run, page: str) -> None:
    """A name, an address, a redirection: a `PermissionError` that names the permission and the command."""
    plant("client", CLIENT, permissions=grants(f"network.connect.localhost:{page.rpartition(':')[2]}"))

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            for command in ("client.error", "client.async_error"):
                for name in ("api.example.com", "10.0.0.1", "127.0.0.1"):
                    kind, number, text = await host.call(command, {"host": name, "port": 9})
                    assert (kind, number) == ("PermissionDeniedError", 13)
                    assert f"viloapp permissions grant client network.connect.{name}:9" in text
            with pytest.raises(HandlerError, match=r"network\.connect\.elsewhere\.example:80"):
                await host.call("client.urllib", {"url": f"{page}/away"})
            with pytest.raises(PermissionDeniedError, match=r"network\.connect\.127\.0\.0\.1"):
                await host.call("client.raw", {"host": "127.0.0.1", "port": 9})
            assert "no UDP" in await host.call("client.udp", {"host": "8.8.8.8"})
            assert await host.call("client.inside") == "from inside"

    run(scene)


def test_failures_are_the_systems_own(plant: Plant, store: Store, run: Run) -> None:
    """Nobody listens, the name is unknown: the errors that a program expects."""
    plant(
        "client", CLIENT, permissions=grants("network.connect.127.0.0.1", "network.connect.nowhere.invalid")
    )

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            for command in ("client.error", "client.async_error"):
                refused = await host.call(command, {"host": "127.0.0.1", "port": port})
                assert refused[:2] == ["ConnectionRefusedError", 111]
                unknown = await host.call(command, {"host": "nowhere.invalid", "port": 80})
                assert unknown[0] == "gaierror"
                assert "nowhere.invalid" in unknown[2]
            there = {"host": "127.0.0.1", "port": port}
            assert "own process alone" in await host.call("client.forked", there)

    run(scene)


def test_short_connections_leave_nothing(plant: Plant, store: Store, run: Run, echo: Echo) -> None:
    """Hundreds one after the other: neither the worker nor the host keeps descriptors."""
    plant("client", CLIENT, permissions=grants("network.connect.127.0.0.1"))

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            there = {"host": "127.0.0.1", "port": echo.port}
            first = await host.call("client.many", {**there, "count": 1})
            ours = len(os.listdir("/proc/self/fd"))
            assert await host.call("client.many", {**there, "count": 400}) <= first + 2
            await eventually(lambda: host.network.open_connections("client") == 0)
            await eventually(lambda: len(os.listdir("/proc/self/fd")) <= ours + 2)

    run(scene)


def test_a_plugin_that_dies_in_a_transfer(plant: Plant, store: Store, run: Run, echo: Echo) -> None:
    """Its connection ends on the other side too."""
    plant("client", CLIENT, permissions=grants("network.connect.127.0.0.1"))

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            with contextlib.suppress(Exception):
                await host.call("client.hangs", {"host": "127.0.0.1", "port": echo.port})
            await eventually(lambda: echo.open == 0)
            assert host.network.open_connections("client") == 0

    run(scene)


async def eventually(check: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(30):
        while not check():
            await asyncio.sleep(0)
