"""This project as an application embeds it: a `Host` with real plugins in the real sandbox, on a chosen loop.

The loop runs only while a host has its turn, so that several hosts and their peers take turns in one process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.building import build
from viloapp_core import Host

__all__ = ["EVENT", "LOOPS", "Embedded", "plugins", "variable"]

T = TypeVar("T")

EVENT = "bench.happened"
_PROJECT = """\
[build-system]
requires = ["setuptools>=77", "viloapp-sdk>=1,<2"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["viloapp-sdk>=1,<2"]

[project.entry-points."viloapp.plugins"]
{name} = "{name}:Speaks"

[tool.setuptools]
py-modules = ["{name}"]

[tool.viloapp]
api_version = "1.0"
{limits}
permissions = [
    {{ id = "system.environment.VILOAPP_BENCH_100", reason = "the benchmark" }},
    {{ id = "system.environment.VILOAPP_BENCH_65536", reason = "the benchmark" }},
    {{ id = "services.subscribe.*", reason = "the benchmark" }},
    {{ id = "network.connect.127.0.0.1", reason = "the benchmark" }},
]
"""
_MODULE = '''\
"""A plugin that is called, calls, and hears."""

import time

from viloapp_sdk import Plugin, command

heard = []


class Speaks(Plugin):
    """The plugin."""

    @command("{name}.echo")
    def echo(self, text: str = "") -> str:
        """Return what came."""
        return text

    @command("{name}.later")
    async def later(self, text: str = "") -> str:
        """Return what came, from an event loop."""
        return text

    @command("{name}.ask")
    def ask(self, variable: str, count: int) -> list:
        """Ask the host so many times; return the seconds of each."""
        get, took = self.context.services.system.get_environment, []
        for _ in range(count):
            began = time.perf_counter()
            get(variable)
            took.append(time.perf_counter() - began)
        return took

    @command("{name}.receive")
    def receive(self, port: int, frame: int, frames: int) -> float:
        """Read so many frames from a server; return the seconds of each."""
        import socket

        with socket.create_connection(("127.0.0.1", port)) as sock:
            buffer, left = bytearray(frame), frame * frames
            began = time.perf_counter()
            sock.sendall(b"!")
            while left:
                left -= sock.recv_into(buffer)
            return (time.perf_counter() - began) / frames

    @command("{name}.stream")
    def stream(self, frame: int, frames: int):
        """Yield so many frames of bytes."""
        data = bytes(frame)
        for _ in range(frames):
            yield data

    @command("{name}.stream_async")
    async def stream_async(self, frame: int, frames: int):
        """Yield so many frames of bytes."""
        data = bytes(frame)
        for _ in range(frames):
            yield data

    @command("{name}.listen")
    def listen(self, type: str) -> None:
        """Note when each event of a type comes."""
        self.context.services.events.subscribe(type, lambda event: heard.append(time.perf_counter()))

    @command("{name}.heard")
    def heard(self) -> list:
        """Return when they came, and forget it."""
        times = heard[:]
        heard.clear()
        return times
'''
_GENEROUS = "limits = { execution_time = 300, cpu_percent = 100 }"


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": _uvloop,
    "asyncio": asyncio.new_event_loop,
}


def plugins(folder: Path, generous: Sequence[str], limited: Sequence[str] = ()) -> Sequence[Path]:
    """Build plugins of the given names: some declare ``cpu_percent = 100``, some have the default limits."""
    projects = []
    for name in [*generous, *limited]:
        project = folder / "sources" / name
        project.mkdir(parents=True)
        limits = _GENEROUS if name in generous else ""
        (project / "pyproject.toml").write_text(_PROJECT.format(name=name, limits=limits), "utf-8")
        (project / f"{name}.py").write_text(_MODULE.format(name=name), "utf-8")
        projects.append(project)
    built = build(projects, folder / "wheels")
    return list(built.values())


def variable(size: int) -> str:
    """Have a variable whose value has so many characters; return its name."""
    name = f"VILOAPP_BENCH_{size}"
    os.environ[name] = "x" * size
    return name


class Embedded:
    """One host on a loop of its own.

    Args:
        stack: stops it at its end.
        store: where its plugins are installed; made by this.
        wheels: what is installed.
        loop: one of `LOOPS`.
    """

    def __init__(
        self, stack: contextlib.ExitStack, store: Path, wheels: Sequence[Path], loop: str = "uvloop"
    ) -> None:
        names = [word for wheel in wheels for word in ("--allow-unsigned", wheel.name.split("-")[0])]
        words = ["install", "--yes", *names, *map(str, wheels)]
        command = [str(Path(sys.executable).with_name("viloapp")), *words]
        subprocess.run(
            command,
            check=True,
            env={**os.environ, "VILOAPP_HOME": str(store)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.loop = LOOPS[loop]()
        stack.callback(self.loop.close)
        self.host = self.run(self._started(store))
        stack.callback(lambda: self.run(self.host.stop()))

    @staticmethod
    async def _started(store: Path) -> Host:
        host = Host(store, control=False, allow_unsandboxed=True)
        await host.start()
        return host

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the host's loop run until something is done."""
        return self.loop.run_until_complete(work)

    def call(self, command: str, **arguments: Any) -> Any:
        """Call a plugin once."""
        return self.run(self.host.call(command, arguments))

    def one_by_one(self, command: str, arguments: dict[str, Any], count: int) -> Sequence[float]:
        """Return the seconds of each."""

        async def calls() -> Sequence[float]:
            took, call = [], self.host.call
            for _ in range(count):
                began = time.perf_counter()
                await call(command, arguments)
                took.append(time.perf_counter() - began)
            return took

        return self.run(calls())

    def at_once(self, command: str, arguments: dict[str, Any], count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""

        async def caller() -> None:
            for _ in range(count // width):
                await self.host.call(command, arguments)

        async def calls() -> float:
            began = time.perf_counter()
            await asyncio.gather(*(caller() for _ in range(width)))
            return time.perf_counter() - began

        return [self.run(calls()) / (count // width * width)]
