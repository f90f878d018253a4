"""Connections for plugins: real servers on loopback, and a plugin's end as its process would hold it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import select
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.unit.broker.gate import Grants
from viloapp_core.broker import network as network_module
from viloapp_core.broker.errors import AddressRefusedError, HostUnreachableError, TooMuchOpenError
from viloapp_core.broker.network import Network
from viloapp_core.rpc import Descriptors
from viloapp_sdk.errors import InvalidArgumentsError, PermissionDeniedError, ViloError
from viloapp_sdk.worker._descriptors import Bulk

PLUGIN = "hello"
Session = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Scene:
    """A network, the bulk socket of one plugin, and servers."""

    def __init__(self, *granted: str) -> None:
        self.gate = Grants(*granted)
        self.network = Network(self.gate)
        ours, theirs = Descriptors.pair()
        self.descriptors = Descriptors(ours)
        self.bulk = Bulk(theirs.detach())
        self.tickets: dict[socket.socket, int] = {}

    def connect(self, host: str, port: int, preferred: str | None = None) -> socket.socket:
        """Ask for a connection; the plugin's socket, non-blocking, under way."""
        ticket = self.network.connect(PLUGIN, host, port, preferred, self.descriptors.send)
        plugin = socket.socket(fileno=self.bulk.take(ticket))
        plugin.setblocking(False)
        self.tickets[plugin] = ticket
        return plugin

    async def connected(self, host: str, port: int) -> socket.socket:
        """Ask for a connection and wait until it stands."""
        plugin = self.connect(host, port)
        await self.settled(plugin)
        assert not plugin.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), self.outcome(plugin)
        return plugin

    async def settled(self, plugin: socket.socket) -> None:
        """Wait until a connection stands or has failed."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_writer(plugin, lambda: None if ready.done() else ready.set_result(None))
        try:
            await asyncio.wait_for(ready, 30)
        finally:
            loop.remove_writer(plugin)

    def outcome(self, plugin: socket.socket) -> dict[str, Any] | None:
        """Ask how a connection ended."""
        return self.network.outcome(PLUGIN, self.tickets[plugin])

    @contextlib.asynccontextmanager
    async def server(self, session: Session, host: str = "127.0.0.1") -> AsyncIterator[int]:
        """Serve on a free port until the block ends, which ends the sessions too."""
        sessions: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            sessions.add(task)
            try:
                await session(reader, writer)
            except asyncio.CancelledError:
                writer.transport.abort()
                raise
            finally:
                sessions.discard(task)
                writer.close()

        # Since Python 3.12 the end of a server waits for its connections.
        async with await asyncio.start_server(serve, host, 0) as server:
            try:
                yield server.sockets[0].getsockname()[1]
            finally:
                for task in sessions:
                    task.cancel()


async def until(check: Callable[[], object]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(20):
        while not check():
            await asyncio.sleep(0)


def play(*granted: str) -> Callable[[Callable[[Scene], Awaitable[None]]], None]:
    """Run a scene with these grants."""

    def run(act: Callable[[Scene], Awaitable[None]]) -> None:
        async def bounded() -> None:
            scene = Scene(*granted)
            try:
                async with asyncio.timeout(60):
                    await act(scene)
            finally:
                await scene.network.aclose()
                for plugin in scene.tickets:
                    plugin.close()
                scene.descriptors.close()
                scene.bulk.close()

        asyncio.run(bounded())

    return run


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes until it ends."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def read_all(plugin: socket.socket) -> bytes:
    """Read to the end."""
    loop = asyncio.get_running_loop()
    parts = []
    while data := await loop.sock_recv(plugin, 1 << 16):
        parts.append(data)
    return b"".join(parts)


LOOPBACK = "network.connect.127.0.0.1"


def test_bytes_both_ways_and_half_close() -> None:
    """A plugin that has said all it had to say still gets the rest of the answer."""

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.read()
            writer.write(b"you said " + asked)
            writer.close()

        async with scene.server(late) as port:
            plugin = await scene.connected("127.0.0.1", port)
            plugin.send(b"all of it")
            plugin.shutdown(socket.SHUT_WR)
            assert await read_all(plugin) == b"you said all of it"
            await until(lambda: scene.network.open_connections(PLUGIN) == 0)
            assert scene.outcome(plugin) is None
            assert (f"{LOOPBACK}:{port}", "network.connect", "connected", "to 127.0.0.1") in scene.gate.lines


def test_what_was_not_granted_is_refused() -> None:
    """Another port, another host, another kind of address."""

    @play(f"{LOOPBACK}:1", "network.connect.*")
    async def _(scene: Scene) -> None:
        for host, port in (
            ("127.0.0.1", 2),
            ("localhost", 1),
            ("::1", 1),
            ("10.0.0.1", 1),
            ("::ffff:10.0.0.1", 1),
        ):
            with pytest.raises(PermissionDeniedError, match=r"network\.connect"):
                scene.connect(host, port)
        for host, port in (
            ("127.1", 1),
            ("0x7f000001", 1),
            ("a b", 1),
            ("127.0.0.1", 0),
            ("127.0.0.1", 70000),
        ):
            with pytest.raises(ViloError):
                scene.connect(host, port)
        with pytest.raises(InvalidArgumentsError):
            scene.connect("*", 80)
        assert scene.network.open_connections(PLUGIN) == 0


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: one private address among the answers is enough; nothing is connected."""
    answers = {
        "rebinds.example": ["93.184.216.34", "127.0.0.1"],
        "metadata.example": ["169.254.169.254"],
        "six.example": ["::ffff:192.168.1.1"],
        "nat.example": ["64:ff9b::a00:1"],
        "zero.example": ["0.0.0.0"],
    }

    def look_up(host: str) -> tuple[str, ...]:
        return tuple(answers[host])

    monkeypatch.setattr("viloapp_core.broker.resolver._look_up", look_up)

    @play("network.connect.*", *(f"network.connect.{name}" for name in answers))
    async def _(scene: Scene) -> None:
        for name in answers:
            plugin = scene.connect(name, 80)
            await scene.settled(plugin)
            assert plugin.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            outcome = scene.outcome(plugin)
            assert outcome is not None
            assert outcome["code"] == "permission_denied"
            assert "viloapp permissions grant hello network.connect." in outcome["hint"]
            with pytest.raises(AddressRefusedError):
                await scene.network.resolve(PLUGIN, name, 80)
        assert [line[2] for line in scene.gate.lines] == ["refused"] * len(answers)


def test_localhost_when_it_is_named() -> None:
    """A name that is this machine's own may lead to it, on the port that was granted."""

    @play("network.connect.localhost:1", "network.connect.localhost:2")
    async def _(scene: Scene) -> None:
        found = await scene.network.resolve(PLUGIN, "LOCALHOST", None)
        assert {"127.0.0.1", "::1"} & set(found)
        with pytest.raises(PermissionDeniedError):
            await scene.network.resolve(PLUGIN, "localhost", 3)


def test_the_connected_address_is_a_judged_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preference for an address that the name does not have changes nothing."""

    def look_up(host: str) -> tuple[str, ...]:
        return ("127.0.0.2", "127.0.0.3")

    monkeypatch.setattr("viloapp_core.broker.resolver._look_up", look_up)

    @play("network.connect.box.lan")
    async def _(scene: Scene) -> None:
        met = []

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.append(writer.get_extra_info("sockname")[0])
            writer.close()

        async with scene.server(meet, "0.0.0.0") as port:
            for preferred in ("127.0.0.9", "127.0.0.3", None):
                plugin = scene.connect("box.lan", port, preferred)
                await scene.settled(plugin)
                assert await read_all(plugin) == b""
        assert met == ["127.0.0.2", "127.0.0.3", "127.0.0.2"]


def test_failures_have_their_reason() -> None:
    """Nobody listens, or the name has no address: the plugin's socket ends and the host says why."""

    @play(LOOPBACK, "network.connect.nowhere.invalid")
    async def _(scene: Scene) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        plugin = scene.connect("127.0.0.1", port)
        assert not select.select([], [plugin], [], 0)[1]  # under way: not writable yet
        await scene.settled(plugin)
        outcome = scene.outcome(plugin)
        assert outcome is not None
        assert (outcome["code"], outcome["errno"]) == ("host_unreachable", errno.ECONNREFUSED)
        with pytest.raises(HostUnreachableError, match=r"nowhere\.invalid"):
            await scene.network.resolve(PLUGIN, "nowhere.invalid", 80)
        assert scene.network.open_connections(PLUGIN) == 0


def test_reset_is_told() -> None:
    """A connection that was lost is not taken for one that ended."""

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        async with scene.server(reset) as port:
            plugin = await scene.connected("127.0.0.1", port)
            plugin.send(b"x")
            with contextlib.suppress(ConnectionResetError):
                assert await read_all(plugin) == b""
            outcome = scene.outcome(plugin)
            assert outcome is not None
            assert outcome["errno"] == errno.ECONNRESET


def test_large_transfers_and_a_slow_reader() -> None:
    """32 MiB up and down arrive whole; while the plugin does not read, the host holds a bounded amount."""
    data = os.urandom(1 << 20) * 32

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        taken = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal taken
            digest = hashlib.sha256(await reader.readexactly(len(data))).digest()
            writer.write(digest)
            for start in range(0, len(data), 1 << 16):
                writer.write(data[start : start + (1 << 16)])
                await writer.drain()
                taken = start
            writer.close()

        async with scene.server(serve) as port:
            plugin = await scene.connected("127.0.0.1", port)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(plugin, data)
            digest = await loop.sock_recv(plugin, 32)
            assert digest == hashlib.sha256(data).digest()
            before = -1
            while taken != before:  # until everything on the way is full
                before = taken
                await asyncio.sleep(0.1)
            assert taken < len(data) - (1 << 20)
            assert await read_all(plugin) == data


def test_thousands_of_short_connections() -> None:
    """Two thousand requests, fifty at a time; no descriptor is left."""

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        before = len(os.listdir("/proc/self/fd"))

        async def once(port: int) -> None:
            plugin = await scene.connected("127.0.0.1", port)
            plugin.send(b"ping")
            plugin.shutdown(socket.SHUT_WR)
            assert await read_all(plugin) == b"ping"
            del scene.tickets[plugin]
            plugin.close()

        async with scene.server(echo) as port:
            for _ in range(40):
                await asyncio.gather(*(once(port) for _ in range(50)))
        await until(lambda: scene.network.open_connections(PLUGIN) == 0)
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_bounds_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many at once; new ones over the rate wait for their turn and are made."""
    monkeypatch.setattr(network_module, "_MOST_OPEN", 8)
    monkeypatch.setattr(network_module, "_PER_SECOND", 20.0)
    monkeypatch.setattr(network_module, "_BURST", 2)

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        async with scene.server(echo) as port:
            began = asyncio.get_running_loop().time()
            plugins = [scene.connect("127.0.0.1", port) for _ in range(8)]
            with pytest.raises(TooMuchOpenError):
                scene.connect("127.0.0.1", port)
            for plugin in plugins:
                await scene.settled(plugin)
            assert asyncio.get_running_loop().time() - began > 0.2
            plugins.pop().close()
            await until(lambda: scene.network.open_connections(PLUGIN) == 7)
            await scene.connected("127.0.0.1", port)


def test_a_plugin_that_is_gone_leaves_nothing() -> None:
    """In the middle of transfers and of connecting: every connection and descriptor goes."""

    @play(LOOPBACK, "network.connect.10.255.255.1")
    async def _(scene: Scene) -> None:
        before = len(os.listdir("/proc/self/fd"))
        ended = asyncio.Event()

        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while True:
                    writer.write(b"x" * 65536)
                    await writer.drain()
            ended.set()
            writer.close()

        async with scene.server(flood) as port:
            plugin = await scene.connected("127.0.0.1", port)
            waiting = scene.connect("10.255.255.1", 9)
            await asyncio.get_running_loop().sock_recv(plugin, 1)
            scene.network.drop(PLUGIN)
            await asyncio.wait_for(ended.wait(), 10)
        for sock in (plugin, waiting):
            del scene.tickets[sock]
            sock.close()
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_taken_back_permission_cuts() -> None:
    """Only what is no longer allowed, at once, and the plugin can learn why."""

    @play(LOOPBACK, "network.connect.localhost")
    async def _(scene: Scene) -> None:
        async with scene.server(echo) as port:
            cut = await scene.connected("127.0.0.1", port)
            kept = await scene.connected("localhost", port)
            scene.gate.change(PLUGIN, "network.connect.localhost")
            with contextlib.suppress(ConnectionResetError):
                assert await read_all(cut) == b""
            outcome = scene.outcome(cut)
            assert outcome is not None
            assert outcome["code"] == "permission_denied"
            kept.send(b"still here")
            assert await asyncio.get_running_loop().sock_recv(kept, 99) == b"still here"


def test_half_closed_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that closes its socket after half of it is noticed though the other side never ends."""
    monkeypatch.setattr(network_module, "_SWEEP_S", 0.05)

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            await until(lambda: scene.network.open_connections(PLUGIN) == 0)
            writer.close()

        async with scene.server(never) as port:
            plugin = await scene.connected("127.0.0.1", port)
            plugin.shutdown(socket.SHUT_WR)
            del scene.tickets[plugin]
            plugin.close()
            await until(lambda: scene.network.open_connections(PLUGIN) == 0)


def test_an_answer_before_the_upload_ends() -> None:
    """A server that refuses an upload and closes: its answer still arrives."""

    @play(LOOPBACK)
    async def _(scene: Scene) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"413 too large")
            await writer.drain()
            writer.write_eof()
            while await reader.read(65536):
                pass
            writer.close()

        async with scene.server(refuse) as port:
            plugin = await scene.connected("127.0.0.1", port)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(plugin, b"x" * 500_000)
            assert await loop.sock_recv(plugin, 99) == b"413 too large"
