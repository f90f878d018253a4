"""Streaming commands with real workers: bytes as they come, and every way in which they end too soon."""

import array
import asyncio
import gc
import hashlib
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host, SyncHost
from viloapp_core.host.control import ControlClient
from viloapp_core.host.session import Streamed, call_once
from viloapp_core.host.streams import Stream
from viloapp_core.permissions import Permission
from viloapp_core.store import Store
from viloapp_sdk.errors import (
    DeadlineExceededError,
    FrameError,
    HandlerError,
    IncompatibleVersionsError,
    InvalidArgumentsError,
    LimitExceededError,
    NotStreamingError,
    StreamingCommandError,
    WorkerLostError,
)

Run = Callable[[Callable[[], Awaitable[None]]], None]

STREAMS = """
    import array
    import asyncio
    import os
    import threading
    import time

    from viloapp_sdk import Plugin, command

    ended = []
    yielded = [0]
    waits = threading.Event()


    class P(Plugin):
        @command("streams.count")
        def count(self, upto: int):
            try:
                for number in range(upto):
                    yield b"%d\\n" % number
            finally:
                ended.append("count")

        @command("streams.count_async")
        async def count_async(self, upto: int):
            try:
                for number in range(upto):
                    yield b"%d\\n" % number
                    await asyncio.sleep(0)
            finally:
                ended.append("count_async")

        @command("streams.endless")
        def endless(self):
            try:
                while True:
                    yield bytes(65536)
                    yielded[0] += 65536
            finally:
                ended.append("endless")

        @command("streams.endless_async")
        async def endless_async(self):
            try:
                while True:
                    yield bytes(65536)
                    yielded[0] += 65536
            finally:
                ended.append("endless_async")

        @command("streams.waits_async")
        async def waits_async(self):
            try:
                yield b"first"
                await asyncio.Event().wait()
            finally:
                ended.append("waits_async")

        @command("streams.waits")
        def waits(self):
            yield b"first"
            waits.wait()

        @command("streams.fails")
        def fails(self):
            yield b"so far"
            raise ValueError("no more")

        @command("streams.exits_async")
        async def exits_async(self):
            yield b"so far"
            raise SystemExit(3)

        @command("streams.text")
        def text(self):
            yield "no bytes"

        @command("streams.views")
        def views(self):
            yield bytearray(b"a")
            yield b""
            yield memoryview(b"bc")

        @command("streams.items_async")
        async def items_async(self):
            yield memoryview(array.array("i", range(100_000)))
            yield b"end"

        @command("streams.dies")
        def dies(self):
            yield b"x" * 300_000
            os._exit(3)

        @command("streams.forks")
        def forks(self):
            import subprocess
            import sys

            yield b"parent"
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)

        @command("streams.asks")
        def asks(self):
            yield self.context.services.system.get_environment("STREAMED").encode()

        @command("streams.calls")
        def calls(self):
            ended.append("calls")
            return self.context.plugins.call("streams", "streams.count", {"upto": 1})

        @command("streams.calls_async")
        async def calls_async(self):
            ended.append("calls_async")
            return self.calls()

        @command("streams.impatient")
        def impatient(self):
            import socket

            socket.setdefaulttimeout(0.01)
            for _ in range(64):
                yield bytes(65536)

        @command("streams.plain")
        def plain(self) -> str:
            return "plain"

        @command("streams.plain_async")
        async def plain_async(self) -> str:
            return "plain"

        @command("streams.ended")
        def ended_so_far(self) -> list:
            return [*ended]

        @command("streams.yielded")
        def yielded_so_far(self) -> int:
            return yielded[0]

        @command("streams.handles")
        def handles(self) -> int:
            return len(os.listdir("/proc/self/fd"))

        @command("streams.blocks")
        def blocks(self) -> None:
            time.sleep(1)
"""


@pytest.fixture
def planted(plant: Plant, store: Store) -> Store:
    """A store with the plugin."""
    plant("streams", STREAMS, permissions=[{"id": "system.environment.STREAMED", "reason": "a test"}])
    return store


async def until(host: Host, command: str, wanted: str) -> None:
    """Wait until the plugin says that a generator has ended."""
    while wanted not in await host.call(command):
        await asyncio.sleep(0.01)


def test_the_bytes_of_a_generator_come_in_order_and_to_the_end(planted: Store, run: Run) -> None:
    """Plain or `async`; the plugin's other commands are there meanwhile."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            wanted = b"".join(b"%d\n" % number for number in range(20_000))
            for name in ("streams.count", "streams.count_async", "streams:streams.count"):
                got = [piece async for piece in host.stream(name, {"upto": 20_000})]
                assert b"".join(got) == wanted
                assert all(got)
            assert b"".join([piece async for piece in host.stream("streams.views")]) == b"abc"
            assert [piece async for piece in host.stream("streams.count", {"upto": 0})] == []
            report = host.get_report("streams")
            assert report["streamed_bytes"] == 3 * len(wanted) + 3
            assert (report["streams_open"], report["command_count"]) == (0, 5)
            assert host.idle

    run(scenario)


def test_a_call_of_a_streaming_command_says_how_to_read_it(planted: Store, run: Run) -> None:
    """And a stream of a plain command says that it is called; neither costs the plugin anything."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            handles = await host.call("streams.handles")
            for name in ("streams.count", "streams.count_async"):
                with pytest.raises(StreamingCommandError, match=f"{name} streams") as refused:
                    await host.call(name, {"upto": 3})
                assert "Host.stream" in refused.value.hint
            assert host.get_report("streams")["error_count"] == 0  # nothing that the plugin did wrong
            for name in ("streams.plain", "streams.plain_async"):
                with pytest.raises(NotStreamingError, match=f"{name} is no generator"):
                    await host.stream(name).read()
            with pytest.raises(InvalidArgumentsError, match="missing 'upto'"):
                await host.stream("streams.count").read()
            with pytest.raises(FrameError, match="cannot be sent"):
                await host.stream("streams.count", {"upto": 2**70}).read()
            assert await host.call("streams.ended") == []
            assert await host.call("streams.handles") == handles
            assert host.idle

    run(scenario)


def test_a_command_that_calls_a_streaming_one_is_run_once(planted: Store, run: Run) -> None:
    """That the one it calls streams is its own failure, and not taken for what it does itself."""

    async def scenario() -> None:
        async with Host(planted.root) as host:
            for name in ("calls", "calls_async"):
                with pytest.raises(HandlerError, match=r"StreamingCommandError: streams\.count streams"):
                    await asyncio.to_thread(
                        call_once, planted.root, f"streams.{name}", {}, sink=lambda piece: None
                    )
            assert await host.call("streams.ended") == ["calls", "calls_async", "calls"]

    run(scenario)


def test_a_host_whose_stream_begins_is_not_idle(planted: Store, run: Run) -> None:
    """A temporary one would end meanwhile; who closes a stream that begins leaves nothing of it."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            for close in (False, True):
                stream = host.stream("streams.count", {"upto": 1})
                opening = asyncio.create_task(stream.open())
                await asyncio.sleep(0)
                seen = [host.idle]
                if close:
                    stream.close()
                await opening
                seen.append(host.idle)
                stream.close()
                assert [*seen, host.idle] == [False, close, True]
                assert host.get_report("streams")["streams_open"] == 0
            with pytest.raises(NotStreamingError):
                await host.stream("streams.plain").open()
            assert host.idle

    run(scenario)


def test_a_default_timeout_of_the_plugin_s_does_not_hurry_its_reader(planted: Store, run: Run) -> None:
    """`socket.setdefaulttimeout` is for connections of the plugin: a generator waits as long as it must."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            first = await host.stream("streams.impatient").read()  # the timeout is for sockets made after it
            assert first
            stream = host.stream("streams.impatient")
            count = len(await stream.read())
            await asyncio.sleep(0.1)  # ten times what the writer would wait for
            while data := await stream.read():
                count += len(data)
            assert count == 64 * 65536

    run(scenario)


@pytest.mark.parametrize("name", ["endless", "endless_async", "waits_async"])
def test_who_leaves_ends_the_generator(planted: Store, run: Run, name: str) -> None:
    """By leaving the block, or by dropping the stream; nothing of it stays in the plugin or the host."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            handles = await host.call("streams.handles")
            async with host.stream(f"streams.{name}") as pieces:
                async for piece in pieces:
                    assert piece
                    break
                busy = not host.idle
                assert busy
                assert host.get_report("streams")["streams_open"] == 1
            await until(host, "streams.ended", name)
            async for _ in host.stream(f"streams.{name}"):
                break
            gc.collect()
            while (await host.call("streams.ended")).count(name) < 2:
                await asyncio.sleep(0.01)
            assert host.idle
            assert host.get_report("streams")["streams_open"] == 0
            # An event loop has descriptors of its own.
            assert await host.call("streams.handles") <= handles + 4

    run(scenario)


@pytest.mark.parametrize("name", ["endless", "endless_async"])
def test_a_slow_reader_holds_the_generator_and_nobody_else(planted: Store, run: Run, name: str) -> None:
    """What is yielded and not read is bounded on both sides; the plugin answers calls meanwhile."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host, host.stream(f"streams.{name}") as pieces:
            read = len(await pieces.read())
            before = -1
            while (now := await host.call("streams.yielded")) != before:
                before = now
                await asyncio.sleep(0.1)
            assert now - read < 1024 * 1024
            assert await host.call("streams.plain") == "plain"
            for _ in range(100):
                assert await pieces.read()

    run(scenario)


def test_what_goes_wrong_in_the_middle_is_told_after_what_came(planted: Store, run: Run) -> None:
    """An exception, an exit, what is no bytes: a typed error, counted, with the traceback in the log."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            for name, got, says in (
                ("fails", b"so far", "ValueError: no more"),
                ("exits_async", b"so far", "SystemExit: 3"),
                ("text", b"", "TypeError: .*bytes"),
            ):
                stream = host.stream(f"streams.{name}")
                if got:
                    assert await stream.read() == got
                with pytest.raises(HandlerError, match=says):
                    await stream.read()
                assert await stream.read() == b""
            assert host.get_report("streams")["error_count"] == 3
            life = host.life_of("streams")
            assert life is not None
            while "ValueError: no more" not in life.log.since(0):
                await asyncio.sleep(0.01)
            assert await host.call("streams.plain") == "plain"

    run(scenario)


def test_a_process_that_is_lost_ends_its_streams(planted: Store, run: Run) -> None:
    """After all that it had written, with how it was lost; the next stream has a new process."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            stream, count = host.stream("streams.dies"), 0
            while count < 300_000:
                count += len(await stream.read())
            with pytest.raises(WorkerLostError, match=r"streams: its process was lost: .*3"):
                await stream.read()
            assert count == 300_000
            waiting = host.stream("streams.waits")
            assert await waiting.read() == b"first"
            reading = asyncio.ensure_future(waiting.read())
            await asyncio.sleep(0)
            await host.restart_plugin("streams")
            with pytest.raises(WorkerLostError, match="it was restarted, since what it may do has changed"):
                await reading
            assert b"".join([piece async for piece in host.stream("streams.count", {"upto": 2})]) == b"0\n1\n"
            assert host.idle

    run(scenario)


PARTINGS = {
    "disabled": ("it was disabled: no more", "viloapp enable streams"),
    "uninstalled": ("it was uninstalled", "to have it again: viloapp install streams"),
    "updated": ("2.0 took the place of 1.0", "try again: 2.0 answers"),
    "installed anew": ("1.0 was installed anew", "try again: what was installed answers"),
    "paused": ("it is being updated", "try again when it has been"),
    "host ended": ("the host that runs it has ended", "try again: the next call starts another"),
}


@pytest.mark.parametrize("what", PARTINGS)
@pytest.mark.parametrize("command", ["waits", "waits_async", "endless", "endless_async"])
def test_who_reads_is_told_what_happened_to_the_plugin(
    planted: Store, plant: Plant, run: Run, command: str, what: str
) -> None:
    """Not that it was cancelled, nor that its process was lost; and what to do next."""

    async def part(host: Host) -> None:
        if what == "disabled":
            planted.set_enabled(["streams"], False, "no more")
        elif what == "uninstalled":
            planted.remove("streams", purge=True)
        elif what == "paused":
            await host.pause_plugin("streams")
        elif what == "host ended":
            await host.stop()
        else:
            plant("streams", STREAMS, version="2.0" if what == "updated" else "1.0")
        if what != "host ended":
            await host.refresh()

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            stream = host.stream(f"streams.{command}")
            await stream.read()
            reading = asyncio.ensure_future(_to_the_end(stream))
            await asyncio.sleep(0)
            await part(host)
            why, hint = PARTINGS[what]
            with pytest.raises(WorkerLostError) as told:
                await reading
            assert (told.value.detail, told.value.hint) == (f"streams: {why}", hint)
            assert host.idle
            if what in ("updated", "installed anew"):
                assert await host.stream("streams.count", {"upto": 1}).read() == b"0\n"

    run(scenario)


async def _to_the_end(stream: Stream) -> None:
    async for _ in stream:
        pass


def test_a_child_that_keeps_the_socket_does_not_keep_the_stream(planted: Store, run: Run) -> None:
    """The end is the generator's, whoever else holds a copy of its socket."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            got = [piece async for piece in host.stream("streams.forks", timeout_s=30)]
            assert b"".join(got) == b"parent"

    run(scenario)


def test_a_stream_that_says_nothing_is_given_up(planted: Store, run: Run) -> None:
    """After the time between two pieces, the plugin's own by default; its process goes on."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            pid = host.plugins()[0]["pid"]
            stream = host.stream("streams.waits", timeout_s=1)  # also what it has for the first piece
            assert await stream.read() == b"first"
            with pytest.raises(DeadlineExceededError, match=r"nothing came from streams.waits within 1 s"):
                await stream.read()
            pid = host.plugins()[0]["pid"]
            host.settings.set("streams.limits.execution_time", 1)
            stream = host.stream("streams.waits")
            assert await stream.read() == b"first"
            with pytest.raises(DeadlineExceededError) as late:
                await stream.read()
            assert "streams.limits.execution_time" in late.value.hint
            assert host.plugins()[0]["limits_reached"] == {"execution_time": 1}
            assert host.plugins()[0]["pid"] == pid
            host.settings.set("streams.limits.execution_time", 30)
            assert await host.call("streams.plain") == "plain"

    run(scenario)


def test_a_stream_given_up_before_it_began_leaves_nothing_open(planted: Store, run: Run) -> None:
    """The descriptor that was on its way is closed by the plugin, whose queue it stood in."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            handles = await host.call("streams.handles")
            blocked = asyncio.ensure_future(host.call("streams.blocks"))
            await asyncio.sleep(0)
            opening = asyncio.ensure_future(host.stream("streams.count", {"upto": 3}).read())
            await asyncio.sleep(0.1)
            opening.cancel()
            await blocked
            while await host.call("streams.handles") != handles:
                await asyncio.sleep(0.01)
            assert b"".join([piece async for piece in host.stream("streams.count", {"upto": 1})]) == b"0\n"

    run(scenario)


def test_a_generator_is_checked_as_any_handler(
    planted: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it asks of the host passes the same door, from its own thread."""
    monkeypatch.setenv("STREAMED", "value")

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            assert await host.stream("streams.asks").read() == b"value"
            host.permissions.revoke_permission("streams", Permission.parse("system.environment.STREAMED"))
            with pytest.raises(PermissionError):
                await host.stream("streams.asks").read()

    run(scenario)


def test_an_sdk_from_before_streams_is_named(planted: Store, run: Run) -> None:
    """Nothing is handed to a process that would not know what to do with it."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            await host.call("streams.plain")
            life = host.life_of("streams")
            assert life is not None
            del life.peer.hello["streams"]
            with pytest.raises(IncompatibleVersionsError, match="streams has viloapp-sdk") as refused:
                await host.stream("streams.count", {"upto": 1}).read()
            assert "--force-reinstall streams" in refused.value.hint

    run(scenario)


def test_a_program_without_a_loop_streams(planted: Store) -> None:
    """`SyncHost.stream` is a generator; closing it gives the stream up."""
    with SyncHost(planted.root, control=False) as host:
        assert b"".join(host.stream("streams.count", {"upto": 3})) == b"0\n1\n2\n"
        endless = host.stream("streams.endless")
        assert next(endless)
        endless.close()  # type: ignore[attr-defined]  # it is a generator
        while "endless" not in host.call("streams.ended"):
            time.sleep(0.01)


def test_another_process_streams_from_a_host_that_runs(planted: Store, run: Run) -> None:
    """A piece when it asks for one; one that goes away ends the generator."""

    async def scenario() -> None:
        async with Host(planted.root) as host:
            digest = hashlib.sha256()
            done = await asyncio.to_thread(
                lambda: call_once(planted.root, "streams.count", {"upto": 50_000}, sink=digest.update)
            )
            wanted = b"".join(b"%d\n" % number for number in range(50_000))
            assert done == Streamed(len(wanted))
            assert digest.digest() == hashlib.sha256(wanted).digest()
            with pytest.raises(StreamingCommandError):
                await asyncio.to_thread(lambda: call_once(planted.root, "streams.count", {"upto": 1}))
            client = await asyncio.to_thread(ControlClient.connect, planted.root)
            assert client is not None
            await asyncio.to_thread(client.request, "stream.open", {"command": "streams.endless"})
            assert await asyncio.to_thread(client.request, "stream.read")
            client.close()
            await until(host, "streams.ended", "endless")
            assert host.idle

    run(scenario)


def test_a_host_keeps_itself_for_who_is_about_to_stream(planted: Store, run: Run) -> None:
    """A host that ends when idle does not between the refused call and the stream; who goes frees it."""
    params = {"command": "streams.count", "arguments": {"upto": 3}, "streams": True}

    async def scenario() -> None:
        async with Host(planted.root) as host:

            def idle() -> bool:
                return host.idle

            client = await asyncio.to_thread(ControlClient.connect, planted.root)
            assert client is not None
            for _ in range(2):  # twice, since it need not stream what it has called
                with pytest.raises(StreamingCommandError):
                    await asyncio.to_thread(client.request, "call", params)
                assert not idle()
            await asyncio.to_thread(client.request, "stream.open", params)
            while await asyncio.to_thread(client.request, "stream.read"):
                assert not idle()
            assert idle()
            with pytest.raises(StreamingCommandError):
                await asyncio.to_thread(client.request, "call", params)
            with pytest.raises(NotStreamingError):
                await asyncio.to_thread(client.request, "stream.open", {"command": "streams.plain"})
            assert idle()
            with pytest.raises(StreamingCommandError):
                await asyncio.to_thread(client.request, "call", params)
            client.close()
            while not idle():
                await asyncio.sleep(0.01)

    run(scenario)


def test_who_has_somewhere_to_stream_to_says_so(
    planted: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`call_once` finds the host that refused its call busy with it when it asks for the stream."""
    ask, idle = ControlClient.request, []

    async def scenario() -> None:
        async with Host(planted.root) as host:

            def asking(client: ControlClient, method: str, params: Any = None) -> Any:
                if method == "stream.open":
                    idle.append(host.idle)
                return ask(client, method, params)

            monkeypatch.setattr(ControlClient, "request", asking)
            await asyncio.to_thread(
                lambda: call_once(planted.root, "streams.count", {"upto": 3}, sink=lambda data: None)
            )
            assert idle == [False]
            assert host.idle

    run(scenario)


def test_a_temporary_host_streams_as_well(planted: Store) -> None:
    """Its sink may wait, in a thread of its own."""
    got: list[bytes] = []
    threads: set[int] = set()

    def sink(data: bytes) -> None:
        got.append(data)
        threads.add(threading.get_ident())

    assert call_once(planted.root, "streams.count", {"upto": 3}, sink=sink) == Streamed(6)
    assert b"".join(got) == b"0\n1\n2\n"
    assert threading.get_ident() not in threads


HOSTILE = """
    import array
    import os
    import socket
    import tempfile

    from viloapp_sdk import Plugin, command
    from viloapp_sdk.worker import _streams

    channels = []
    begun = _streams.begin


    def begin(channel, result, fd, ticket, command):
        if not command.startswith("hostile.plain"):
            channels.append(channel)
        begun(channel, result, fd, ticket, command)


    _streams.begin = begin


    class P(Plugin):
        @command("hostile.words")
        def words(self, data):
            yield b"x"
            channels[-1].tell("viloapp.stream", data)
            yield b"y"

        @command("hostile.descriptors")
        def descriptors(self, count: int):
            for fd in range(3, 256):
                try:
                    end = socket.socket(fileno=os.dup(fd))
                    peer = end.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
                    file = tempfile.TemporaryFile()
                    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))]
                    for _ in range(count):
                        end.sendmsg([b"z"], rights)
                except OSError:
                    continue
            yield b"end"
"""


def test_a_hostile_worker_gains_nothing(plant: Plant, store: Store, run: Run) -> None:
    """False words about streams are passed over; descriptors do not stay in the host."""
    plant("hostile", HOSTILE)

    async def scenario() -> None:
        async with Host(store.root, control=False) as host:
            for data in (None, [], [1], [True, None], ["1", None], [2**60, None], [999, {"code": 3}]):
                got = [piece async for piece in host.stream("hostile.words", {"data": data})]
                assert b"".join(got) == b"xy"
            before = len(os.listdir("/proc/self/fd"))
            got = [piece async for piece in host.stream("hostile.descriptors", {"count": 20})]
            assert b"".join(got).endswith(b"end")
            assert len(os.listdir("/proc/self/fd")) <= before

    run(scenario)


def test_too_many_open_files_is_the_plugin_s_limit(plant: Plant, store: Store, run: Run) -> None:
    """Streams count against its file handles; the host says which limit it met and goes on."""
    plant("streams", STREAMS, limits={"file_handles": 24})

    async def scenario() -> None:
        async with Host(store.root, control=False) as host:
            streams = [host.stream("streams.waits") for _ in range(40)]
            begun = await asyncio.gather(*(stream.read() for stream in streams), return_exceptions=True)
            refused = [answer for answer in begun if isinstance(answer, BaseException)]
            assert 15 < len(refused) < 40
            assert all(isinstance(error, LimitExceededError) for error in refused)
            assert "file_handles" in refused[0].hint  # type: ignore[attr-defined]  # they were just looked at
            for stream in streams:
                stream.close()
            assert await host.call("streams.plain") == "plain"

    run(scenario)


@pytest.mark.parametrize("name", ["waits", "waits_async"])
def test_many_more_streams_at_once_than_files_do_not_end_the_plugin(
    plant: Plant, store: Store, run: Run, name: str
) -> None:
    """Whoever has no room is told so, those that are given up meanwhile too; the process goes on."""
    plant("streams", STREAMS, limits={"file_handles": 24})

    async def scenario() -> None:
        async with Host(store.root, control=False) as host:
            await host.call("streams.plain")
            life = host.life_of("streams")
            streams = [host.stream(f"streams.{name}") for _ in range(400)]
            reading = [asyncio.ensure_future(stream.read()) for stream in streams]
            await asyncio.sleep(0)
            for each in reading[100:200]:
                each.cancel()
            begun = await asyncio.gather(*reading, return_exceptions=True)
            assert begun.count(b"first") > 5
            assert not [error for error in begun if isinstance(error, WorkerLostError)]
            for stream in streams:
                stream.close()
            assert await host.call("streams.plain") == "plain"
            assert host.life_of("streams") is life

    run(scenario)


def test_a_stream_has_one_reader_at_a_time(planted: Store, run: Run) -> None:
    """A second one is refused, rather than to take the first one's place for good."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host, host.stream("streams.waits") as stream:
            await stream.read()
            first = asyncio.ensure_future(stream.read())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="one reader"):
                await stream.read()
            assert not first.done()
            first.cancel()

    run(scenario)


def test_a_stream_may_be_forgotten_in_another_thread(planted: Store, run: Run) -> None:
    """The garbage collector runs in any: the loop's own gives the stream up."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            holds = [host.stream("streams.endless")]
            await holds[0].read()
            await asyncio.to_thread(holds.clear)
            while not host.idle:
                await asyncio.sleep(0.01)
            assert host.get_report("streams")["streams_open"] == 0

    run(scenario)


def test_items_larger_than_bytes_are_streamed_whole(planted: Store, run: Run) -> None:
    """A view of an array's items has fewer of them than bytes; no event loop is kept busy by it."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            got = [piece async for piece in host.stream("streams.items_async", timeout_s=10)]
            assert b"".join(got) == array.array("i", range(100_000)).tobytes() + b"end"

    run(scenario)
