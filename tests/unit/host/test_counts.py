"""What is counted of a plugin's calls is exact, whatever way each of them ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.host.conftest import Plant, until
from viloapp_core import Host
from viloapp_core.rpc import Peer
from viloapp_core.supervise import Worker
from viloapp_sdk.errors import CallCancelledError, DeadlineExceededError, ViloError, WorkerLostError

Run = Callable[[Callable[[], Awaitable[None]]], None]

PLUGIN = """
import asyncio, os, threading, time
from viloapp_sdk import Plugin, command


class P(Plugin):
    @command("counted.ok")
    def ok(self, number: int = 0):
        return number

    @command("counted.fail")
    def fail(self):
        raise ValueError("no")

    @command("counted.sleep")
    async def sleep(self, seconds: float):
        await asyncio.sleep(seconds)

    @command("counted.block")
    def block(self, seconds: float):
        time.sleep(seconds)

    @command("counted.leave")
    def leave(self, after: float):
        threading.Timer(after, os._exit, (0,)).start()
"""


def counts(host: Host) -> tuple[int, int, int]:
    """Return calls that ended, errors, and calls under way."""
    report = host.get_report("counted")
    return report["command_count"], report["error_count"], report["commands_running"]


def worker_of(host: Host) -> Worker:
    """Return what runs the plugin."""
    worker = host.worker("counted")
    assert worker is not None
    return worker


async def ten_calls(host: Host, command: str) -> list[asyncio.Task[Any]]:
    """Return ten calls that are under way, after one that has ended."""
    await host.call("counted.ok")
    calls = [asyncio.create_task(host.call(command, {"seconds": 30})) for _ in range(10)]
    await until(lambda: counts(host)[2] == 10)
    return calls


def test_each_way_in_which_a_call_ends_counts_once(plant: Plant, run: Run) -> None:
    """Result, error, deadline, given up before it began and under way; seven hundred at once."""
    plant("counted", PLUGIN)

    async def test() -> None:
        async with Host(control=False) as host:
            assert await host.call("counted.ok", {"number": 3}) == 3
            assert counts(host) == (1, 0, 0)
            with pytest.raises(ViloError):
                await host.call("counted.fail")
            assert counts(host) == (2, 1, 0)
            with pytest.raises(DeadlineExceededError, match=r"within 0\.05 s"):
                await host.call("counted.sleep", {"seconds": 30}, timeout_s=0.05)
            assert counts(host) == (3, 2, 0)
            early = asyncio.ensure_future(host.call("counted.ok"))
            early.cancel()
            with pytest.raises(asyncio.CancelledError):
                await early
            assert counts(host) == (3, 2, 0)
            late = asyncio.ensure_future(host.call("counted.sleep", {"seconds": 30}))
            await until(lambda: counts(host)[2] == 1)
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            assert counts(host) == (4, 2, 0)
            await asyncio.gather(*(host.call("counted.ok", {"number": each}) for each in range(700)))
            assert counts(host) == (704, 2, 0)

    run(test)


@pytest.mark.parametrize("command", ["counted.ok", "counted.fail"])
@pytest.mark.parametrize("before", [False, True], ids=["answered first", "given up first"])
def test_a_caller_who_gives_up_in_the_turn_of_the_answer_counts_once(
    plant: Plant, run: Run, command: str, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One or three of them, in either order: the task has not run yet when the second of both happens."""
    plant("counted", PLUGIN)
    giving_up: list[asyncio.Task[Any]] = []
    read = Peer._readable

    def readable(peer: Peer) -> None:
        if before and giving_up:
            while giving_up:
                giving_up.pop().cancel()
        waiting = peer.outstanding
        read(peer)
        if peer.outstanding < waiting:
            while giving_up:
                giving_up.pop().cancel()

    monkeypatch.setattr(Peer, "_readable", readable)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("counted.ok")
            for round in range(20):
                calls, errors, _ = counts(host)
                tasks = [asyncio.create_task(host.call(command)) for _ in range((1, 3)[round % 2])]
                await asyncio.sleep(0)
                giving_up.extend(tasks)
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert not giving_up
                assert any(isinstance(each, asyncio.CancelledError) for each in ended)
                told = sum(isinstance(each, ViloError) for each in ended)
                assert counts(host) == (calls + len(tasks), errors + told, 0)
                await until(lambda: (peer := worker_of(host).peer) is not None and peer.free)

    run(test)


def test_a_lost_process_counts_each_call_and_names_them(plant: Plant, run: Run) -> None:
    """Ten under way: ten errors and the crash itself; the report has their names, and not the host's own."""
    plant("counted", PLUGIN)

    async def test() -> None:
        async with Host(control=False) as host:
            calls = await ten_calls(host, "counted.block")
            life = worker_of(host).life
            assert life is not None
            own = [
                asyncio.create_task(life.peer.call(each, None, timeout_s=9)) for each in ("ping", "health")
            ]
            await until(lambda: life.peer.outstanding == 12)
            assert counts(host) == (1, 0, 10)
            os.kill(life.pid, signal.SIGKILL)
            ended = await asyncio.gather(*calls, return_exceptions=True)
            await asyncio.gather(*own, return_exceptions=True)
            assert all(isinstance(each, WorkerLostError) for each in ended)
            assert counts(host) == (11, 11, 0)
            await until(lambda: host.crash_reports("counted"))
            (report,) = host.crash_reports("counted")
            assert [each["call"] for each in report["running"]] == ["command counted.block"] * 10

    run(test)


def test_a_host_that_stops_leaves_nothing_under_way(plant: Plant, run: Run) -> None:
    """The calls of a stopped host are counted, and the counters hold no process any more."""
    plant("counted", PLUGIN)

    async def test() -> None:
        async with Host(control=False) as host:
            calls = await ten_calls(host, "counted.sleep")
            metrics = worker_of(host).metrics
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(each, (WorkerLostError, CallCancelledError)) for each in ended)
        assert (metrics.latencies.count, metrics.errors, metrics.under_way) == (11, 10, set())

    run(test)


@pytest.mark.parametrize("method", ["ping", "health", "command"])
def test_leaving_with_nothing_but_a_check_under_way_is_no_crash(plant: Plant, run: Run, method: str) -> None:
    """A plugin that exits with status 0 has done so; beneath a command it has failed who asked for that."""
    plant("counted", PLUGIN)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("counted.leave", {"after": 0.2})
            worker = worker_of(host)
            life = worker.life
            assert life is not None
            given = asyncio.create_task(host.call("counted.block", {"seconds": 20}))
            await until(lambda: counts(host)[2] == 1)
            asked = given
            if method != "command":  # which waits behind the command that nobody waits for any more
                given.cancel()
                asked = asyncio.create_task(life.peer.call(method, None, timeout_s=30))
            with pytest.raises(ViloError):
                await asked
            await life.told
            assert [name for name, _ in life.running] == (
                ["command counted.block"] if method == "command" else []
            )
            assert (worker.state == "stopped") == (method != "command")

    run(test)
