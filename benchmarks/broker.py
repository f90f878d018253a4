"""What the broker costs: connections and bytes through the host, beside the same without a plugin; programs.

One plugin talks to a server on loopback, which a thread of another process serves; the plain measure is a
process that talks to the same server with the same code.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.building import build
from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, say
from viloapp_core import Host

_PROJECT = """\
[build-system]
requires = ["setuptools>=77", "viloapp-sdk>=1,<2"]
build-backend = "setuptools.build_meta"

[project]
name = "measures"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["viloapp-sdk>=1,<2"]

[project.entry-points."viloapp.plugins"]
measures = "measures:Measures"

[tool.setuptools]
py-modules = ["measures", "measuring"]

[tool.viloapp]
api_version = "1.0"
limits = { execution_time = 300, cpu_percent = 100 }
permissions = [
    { id = "network.connect.127.0.0.1", reason = "the benchmark" },
    { id = "process.execute.true", reason = "the benchmark" },
]
"""
_MEASURING = '''\
"""What is measured, with and without a host; each returns seconds."""

import socket
import subprocess
import time


def connections(port, count):
    """Connect, say a byte, hear one."""
    runs = []
    for _ in range(count):
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"e")
            sock.recv(1)
        runs.append(time.perf_counter() - began)
    return runs


def answers(port, count):
    """A byte there and back on one connection."""
    runs = []
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for _ in range(count):
            began = time.perf_counter()
            sock.sendall(b"e")
            sock.recv(1)
            runs.append(time.perf_counter() - began)
    return runs


def download(port, size):
    """Read so many bytes."""
    buffer = bytearray(1 << 18)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"d" + size.to_bytes(8, "little"))
        began, left = time.perf_counter(), size
        while left:
            left -= sock.recv_into(buffer)
        return time.perf_counter() - began


def upload(port, size):
    """Send so many bytes, until the other side has them."""
    data = bytes(1 << 18)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"u" + size.to_bytes(8, "little"))
        began = time.perf_counter()
        for _ in range(size // len(data)):
            sock.sendall(data)
        sock.recv(1)
        return time.perf_counter() - began


def programs(count):
    """Run a program that does nothing."""
    runs = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(["true"], check=True)
        runs.append(time.perf_counter() - began)
    return runs
'''
_MODULE = '''\
"""A plugin that measures what its host gives it."""

import measuring
from viloapp_sdk import Plugin, command


class Measures(Plugin):
    """The plugin."""

    @command("measures.run")
    def run(self, what: str, arguments: list) -> object:
        """Measure."""
        return getattr(measuring, what)(*arguments)
'''
_SERVER = """
import socket, threading
server = socket.create_server(("127.0.0.1", 0), backlog=512)
print(server.getsockname()[1], flush=True)
def serve(peer):
    buffer = bytearray(1 << 18)
    with peer:
        while kind := peer.recv(1):
            if kind == b"e":
                peer.sendall(kind)
                continue
            left = int.from_bytes(peer.recv(8, socket.MSG_WAITALL), "little")
            while left > 0 and kind == b"d":
                left -= peer.send(memoryview(buffer)[:left])
            while left > 0 and kind == b"u":
                left -= peer.recv_into(buffer)
            if kind == b"u":
                peer.sendall(b"!")
while True:
    threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()
"""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install the plugin, then measure, in turns with and without the host.

    Args:
        folder: for the store and the plugin.
        effort: how many of each.
        rounds: of transfers, threefold.
    """
    store = folder / "store"
    os.environ["VILOAPP_HOME"] = str(store)
    viloapp = Path(sys.executable).with_name("viloapp")
    words = [str(viloapp), "install", "--yes", "--allow-unsigned", "measures", str(_wheel(folder))]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    outcome = Outcome("Broker: network and programs for a plugin")
    with _server() as port:
        asyncio.run(_measure(store, folder, outcome, port, effort, rounds))
    return outcome


async def _measure(
    store: Path, folder: Path, outcome: Outcome, port: int, effort: Effort, rounds: int
) -> None:
    count, size = effort.choose((5, 1 << 20), (100, 1 << 28), (500, 1 << 30))
    async with Host(store, control=False) as host:

        async def inside(what: str, *arguments: int) -> Any:
            return await host.call(
                "measures.run", {"what": what, "arguments": list(arguments)}, timeout_s=300
            )

        async def outside(what: str, *arguments: int) -> Any:
            return await asyncio.to_thread(_plainly, folder / "measures", what, *arguments)

        for what, words in (("connections", "connect, a byte each way"), ("answers", "a byte each way")):
            say(words)
            for where, ask in (("plugin", inside), ("plain", outside)):
                outcome.times.append(Series(f"{words}: {where}", tuple(await ask(what, port, count))))
        for what in ("download", "upload"):
            for where, ask in (("plugin", inside), ("plain", outside)):
                say(f"{what}: {where}")
                runs = [await ask(what, port, size) for _ in range(effort.choose(2, 3, 3 * rounds))]
                outcome.times.append(Series(f"{what} of {size >> 20} MiB: {where}", tuple(runs)))
        say("programs")
        for where, ask in (("plugin", inside), ("plain", outside)):
            runs = await ask("programs", effort.choose(2, 10, 40))
            outcome.times.append(Series(f"run `true`: {where}", tuple(runs)))
        outcome.times.append(Series("a call that does nothing", await _calls(host, count)))


async def _calls(host: Host, count: int) -> tuple[float, ...]:
    """The smallest question of a plugin to itself through the host."""
    runs = []
    for _ in range(count):
        began = time.perf_counter()
        await host.call("measures.run", {"what": "programs", "arguments": [0]})
        runs.append(time.perf_counter() - began)
    return tuple(runs)


def _plainly(folder: Path, what: str, *arguments: int) -> Any:
    code = f"import json, measuring; print(json.dumps(measuring.{what}(*{list(arguments)})))"
    words = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)


@contextmanager
def _server() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
            process.wait()


def _wheel(folder: Path) -> Path:
    project = folder / "measures"
    project.mkdir()
    for name, text in (
        ("pyproject.toml", _PROJECT),
        ("measures.py", _MODULE),
        ("measuring.py", _MEASURING),
    ):
        (project / name).write_text(text)
    (folder / "wheels").mkdir()
    built = build([project], folder / "wheels")
    return built["measures"]
