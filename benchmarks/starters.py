"""Who starts plugins, each as a function of how many: this project, the limits, and peers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from benchmarks.commands import BenchmarkError
from benchmarks.many import command_of
from benchmarks.start_peers import PEERS
from viloapp_core import Host
from viloapp_core.sandbox import Probe, probe
from viloapp_core.supervise import launching

__all__ = ["BARE", "CONFINED", "FORKED", "INSIDE", "OUTSIDE", "Contenders", "Started"]

T = TypeVar("T")

BARE = "python -I -c pass"
CONFINED = "bwrap … python -I -c pass"
OUTSIDE = "this project, no sandbox"
INSIDE = "this project, full sandbox"
FORKED = "this project, full sandbox, forked"
_NOTHING = Probe("none", "none", "as asked", "")
_PROGRAM = Path(__file__).with_name("start_peers.py")


class Started:
    """This project: one host, whose sandbox can be left out as on a machine that has none.

    Args:
        stack: stops it at its end.
        store: with the plugins.
        ids: of these.
    """

    def __init__(self, stack: ExitStack, store: Path, ids: Sequence[str]) -> None:
        self.ids = ids
        self._confinement = probe()
        self._loop = asyncio.new_event_loop()
        stack.callback(self._loop.close)
        self._host = Host(store, control=False, allow_unsandboxed=True)
        self._run(self._host.start())
        stack.callback(lambda: self._run(self._host.stop()))

    def start(self, count: int, how: str) -> float:
        """Return the seconds until so many have answered; they keep running.

        Args:
            count: how many.
            how: `OUTSIDE`, `INSIDE` or `FORKED`.
        """
        for plugin_id in self.ids[:count]:
            self._run(self._host.restart_plugin(plugin_id))
        method = "forkserver" if how == FORKED else "spawn"
        self._host.settings.set("core.supervise.start_method", method)
        found = _NOTHING if how == OUTSIDE else self._confinement
        # A host asks this at each start; it answers from memory, and here not always the truth.
        with mock.patch.object(launching, "probe", return_value=found):
            return self._run(self._answers(count))

    def stop(self) -> None:
        """End what runs."""
        for plugin_id in self.ids:
            self._run(self._host.restart_plugin(plugin_id))

    def pids(self, count: int) -> list[int]:
        """Return the first process of each of so many; all others of a worker come from that."""
        found = {row["id"]: row["pid"] for row in self._host.plugins()}
        return [int(found[plugin_id]) for plugin_id in self.ids[:count]]

    def forked(self, count: int) -> list[int]:
        """Return the processes of so many that were forked, which do not come from their first."""
        workers = (self._host.worker(plugin_id) for plugin_id in self.ids[:count])
        trees = (worker.tree for worker in workers if worker is not None)
        return [pid for tree in trees if tree is not None and (pid := tree.first()) is not None]

    @property
    def fork_server(self) -> int:
        """The process that forked ones come from."""
        return next(
            int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])
            for pid in self.forked(1)
        )

    async def _answers(self, count: int) -> float:
        began = time.perf_counter()
        calls = (self._host.call(command_of(each), {"name": "you"}) for each in self.ids[:count])
        answers = await asyncio.gather(*calls)
        took = time.perf_counter() - began
        if set(answers) != {"Hello, you!"}:
            raise BenchmarkError(f"the plugins answered {set(answers)}")
        return took

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)


class Contenders:
    """Everybody who is there, by name; `missing` says who is not, and why.

    Args:
        stack: stops them at its end.
        store: with the plugins of this project.
        ids: of these.
    """

    def __init__(self, stack: ExitStack, store: Path, ids: Sequence[str]) -> None:
        started = Started(stack, store, ids)
        python = next(store.glob(f"plugins/{ids[0]}/generations/*/venv/bin/python"))
        nothing = (str(python), "-I", "-c", "pass")
        self.turns: dict[str, Callable[[int], float]] = {BARE: lambda count: _together(nothing, count)}
        self.missing: dict[str, str] = {}
        found = probe()
        if found.backend == "bubblewrap":
            started.start(1, INSIDE)
            confined = (*_sandbox_of(started.pids(1)[0]), *nothing)
            self.turns[CONFINED] = lambda count: _together(confined, count)
        self.turns[OUTSIDE] = _stopping(started, OUTSIDE)
        for name in (CONFINED, INSIDE, FORKED):
            if found.backend != "bubblewrap":
                self.missing[name] = found.reason
            elif name != CONFINED:
                self.turns[name] = _stopping(started, name)
        for name, (word, module) in PEERS.items():
            if find_spec(module) is None:
                self.missing[name] = f"{module} is not installed"
            else:
                self.turns[name] = lambda count, word=word: peer(word, count)["seconds"]  # type: ignore[misc]


def peer(word: str, count: int) -> Mapping[str, float]:
    """Return what `benchmarks/start_peers.py` says of one."""
    words = [sys.executable, "-I", str(_PROGRAM), word, str(count)]
    told = subprocess.run(words, check=True, capture_output=True, text=True)
    found: Mapping[str, float] = json.loads(told.stdout)
    return found


def _stopping(started: Started, how: str) -> Callable[[int], float]:
    def turn(count: int) -> float:
        took = started.start(count, how)
        started.stop()  # outside of the time, and out of the way of whoever is next
        return took

    return turn


def _sandbox_of(pid: int) -> Sequence[str]:
    """Return the command line of a worker's bubblewrap up to what it runs."""
    words = Path(f"/proc/{pid}/cmdline").read_text("utf-8").split("\0")
    return words[: words.index("--") + 1]


def _together(words: Sequence[str], count: int) -> float:
    """Run a command so often, as many at a time as there are processors."""

    def once(_: int) -> None:
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, env={}, cwd="/")

    began = time.perf_counter()
    if count == 1:
        once(0)
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(once, range(count)))
    return time.perf_counter() - began
