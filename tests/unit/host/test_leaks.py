"""A plugin's process is killed again and again while the host does things for it: nothing of that stays."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.host.conftest import Plant
from tests.unit.host.test_network import Echo, echo, eventually, grants
from viloapp_core import Host
from viloapp_core.store import Store
from viloapp_sdk.errors import ViloError

Run = Callable[[Callable[[], Awaitable[None]]], None]
__all__ = ["echo"]
KILLS, CONNECTIONS, PROGRAMS = 3, 120, 16
OFTEN = {"max_retries": 100}
# What comes when there is work, and stays: the threads of executors, and the one that writes the audit.
LAZY = ("asyncio_", "viloapp-resolver_", "viloapp-files_", "viloapp-audit")

BUSY = """
    import os

    from viloapp_sdk import Plugin, command


    class P(Plugin):
        @command("busy.connects")
        def connects(self, host: str, port: int, count: int) -> None:
            import socket

            kept = []
            while True:
                kept.append(socket.create_connection((host, port), timeout=20))
                kept[-1].sendall(b"x" * 1000)
                if len(kept) == count:
                    os.write(1, b"all are open")
                    kept = kept[: count // 2]

        @command("busy.runs")
        def runs(self, count: int) -> None:
            import subprocess

            running = []
            while True:
                running.append(subprocess.Popen(["sleep", "1000"]))
                if len(running) >= count:
                    running.pop(0).kill()
                running = [each for each in running if each.poll() is None]

        @command("busy.ping")
        def ping(self) -> None:
            pass
"""


def descriptors() -> int:
    """Return how many this process has."""
    return len(os.listdir("/proc/self/fd"))


def threads() -> int:
    """Return how many threads this process has, without one of each name that comes when there is work.

    An executor numbers its threads: the second thread of one name belongs to a second executor, which counts.
    """
    names = Counter(thread.name for thread in threading.enumerate())
    return sum(count - name.startswith(LAZY) for name, count in names.items())


async def killed(host: Host, command: str, arguments: dict[str, object], until: Callable[[], bool]) -> None:
    """Run a command that does not end, and kill the plugin's process in it."""
    call = asyncio.ensure_future(host.call(command, arguments, timeout_s=60))
    await eventually(lambda: call.done() or until())
    assert not call.done(), await call
    (row,) = host.plugins()
    os.kill(row["pid"], signal.SIGKILL)
    with pytest.raises(ViloError):
        await call
    await host.restart_plugin("busy")
    await host.call("busy.ping")


def test_connections_of_killed_processes(plant: Plant, store: Store, run: Run, echo: Echo) -> None:
    """Open, half-way and in the middle of bytes: the host has as many descriptors and threads as before."""
    plant(
        "busy",
        BUSY,
        permissions=grants("network.connect.127.0.0.1"),
        limits={"file_handles": 500},
        restart=OFTEN,
    )
    there = {"host": "127.0.0.1", "port": echo.port, "count": CONNECTIONS}

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            await host.call("busy.ping")
            before = descriptors(), threads()
            for _ in range(KILLS):
                await killed(host, "busy.connects", there, lambda: host.network.open_connections("busy") > 60)
                await eventually(lambda: host.network.open_connections("busy") == 0)
            # The server is in this process: it notices a little later.
            await eventually(lambda: descriptors() <= before[0] + 2)
            await eventually(lambda: threads() <= before[1])

    run(scene)


def test_programs_of_killed_processes(plant: Plant, store: Store, run: Run) -> None:
    """Running, starting and waiting for their turn: none is left, nor a descriptor of it."""
    plant(
        "busy",
        BUSY,
        permissions=grants("process.execute.sleep"),
        limits={"memory_mb": 1000, "processes": 300},
        restart=OFTEN,
    )

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            await host.call("busy.ping")
            before = descriptors(), threads()
            for _ in range(KILLS):
                await killed(
                    host, "busy.runs", {"count": PROGRAMS}, lambda: len(host.programs.pids("busy")) > 8
                )
                await eventually(lambda: host.programs.pids("busy") == [])
            await eventually(lambda: descriptors() <= before[0])
            await eventually(lambda: threads() <= before[1])

    run(scene)
