"""Others who start a process for each plugin, each as its documentation says: from nothing to a first answer.

``python benchmarks/start_peers.py NAME COUNT`` starts so many plugins, prints a line of JSON with the seconds
until all have answered and the memory of their processes, and ends them. It is a program of its own, and
imports nothing else of the benchmarks, since `multiprocessing` has each child import its parent's program.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

PEERS = {
    "multiprocessing, spawn": ("spawn", "multiprocessing"),
    "grpcio child, Unix socket": ("grpc", "grpc"),
    "stevedore, in-process": ("stevedore", "stevedore"),
}
"""What a table calls each: its name for this program, and the module without which it is missing."""

_CHILD_TIMEOUT_S = 60.0


def greet(name: str) -> str:
    """Do what each plugin of the comparison does."""
    return f"Hello, {name}!"


# -- multiprocessing ---------------------------------------------------------------------------------


def serve_pipe(pipe: Any) -> None:
    """Answer until nobody asks any more."""
    from viloapp_sdk import Plugin, command

    class Hello(Plugin):
        @command("hello.greet")
        def greet(self, name: str) -> str:
            return greet(name)

    plugin = Hello()
    while (asked := pipe.recv()) is not None:
        pipe.send(plugin.handle_command("hello.greet", asked))


@contextmanager
def _spawn(count: int) -> Iterator[Sequence[int]]:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    started = []
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve_pipe, args=(theirs,))
        process.start()
        theirs.close()
        ours.send({"name": "you"})
        started.append((ours, process))
    for ours, _process in started:
        assert ours.recv() == greet("you")
    yield [process.pid or 0 for _, process in started]
    for ours, process in started:
        ours.send(None)
        process.join()


# -- grpcio ------------------------------------------------------------------------------------------


@contextmanager
def _grpc(count: int) -> Iterator[Sequence[int]]:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    folder = tempfile.mkdtemp()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)

        def start(number: int) -> subprocess.Popen[bytes]:
            address = f"unix:{folder}/{number}"
            words = [sys.executable, str(Path(__file__).resolve()), "serve-grpc", address]
            process = subprocess.Popen(words)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            channel = stack.enter_context(grpc.insecure_channel(address, options=_IMPATIENT))
            ask = channel.unary_unary(
                "/bench/greet", request_serializer=str.encode, response_deserializer=bytes.decode
            )
            assert ask("you", wait_for_ready=True, timeout=_CHILD_TIMEOUT_S) == greet("you")
            return process

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            processes = list(pool.map(start, range(count)))
        yield [process.pid for process in processes]


# It would wait for a second before it looks again whether the child listens.
_IMPATIENT = (("grpc.initial_reconnect_backoff_ms", 5), ("grpc.min_reconnect_backoff_ms", 5))


def _serve_grpc(address: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    handler = grpc.unary_unary_rpc_method_handler(
        lambda name, context: greet(name), request_deserializer=bytes.decode, response_serializer=str.encode
    )
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", {"greet": handler}),))
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


# -- stevedore ---------------------------------------------------------------------------------------

_MODULE = """\
from viloapp_sdk import Plugin, command


class Hello(Plugin):
    @command("hello.greet")
    def greet(self, name: str) -> str:
        return f"Hello, {name}!"
"""


@contextmanager
def _stevedore(count: int) -> Iterator[Sequence[int]]:
    from stevedore import ExtensionManager

    manager = ExtensionManager("bench.plugins", invoke_on_load=True)
    assert len(manager.names()) == count
    for extension in manager:
        assert extension.obj.handle_command("hello.greet", {"name": "you"}) == greet("you")
    yield [os.getpid()]


@contextmanager
def _distributions(count: int) -> Iterator[None]:
    """So many distributions on the path, each with an entry point."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            name = f"bench_{number:03}"
            info = Path(folder, f"{name}-1.0.dist-info")
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
            (info / "entry_points.txt").write_text(f"[bench.plugins]\n{name} = {name}:Hello\n", "utf-8")
            Path(folder, f"{name}.py").write_text(_MODULE, "utf-8")
        sys.path.insert(0, folder)
        # Where it remembers entry points, which is no part of the question.
        os.environ["XDG_CACHE_HOME"] = folder
        yield


# -- what they share ---------------------------------------------------------------------------------


def memory_kib(pids: Sequence[int], what: str = "Pss") -> int:
    """Return what processes take together.

    Args:
        pids: of them.
        what: as proc(5) has it: ``Pss``, where shared pages count by the number of those who share them, or
            ``Private_Dirty``, what nobody shares and was written, which depends on nobody else.
    """
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith(f"{what}:"):
                total += int(line.split()[1])
    return total


_STARTS: dict[str, Callable[[int], Any]] = {"spawn": _spawn, "grpc": _grpc, "stevedore": _stevedore}


def main(name: str, argument: str) -> None:
    """Measure one of them, or be the child of one."""
    if name == "serve-grpc":
        _serve_grpc(argument)
        return
    count = int(argument)
    with ExitStack() as stack:
        if name == "stevedore":
            stack.enter_context(_distributions(count))
        __import__(dict(PEERS.values())[name])
        before = memory_kib([os.getpid()])
        began = time.perf_counter()
        pids = stack.enter_context(_STARTS[name](count))
        seconds = time.perf_counter() - began
        # In one process it is what that has grown by.
        used = memory_kib(pids) - (before if pids == [os.getpid()] else 0)
        print(json.dumps({"seconds": seconds, "pss_kib": used}))


if __name__ == "__main__":
    main(*sys.argv[1:])
