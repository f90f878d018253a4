"""Starts every child from one thread that lives as long as the host.

Linux sends the parent-death signal (``prctl(2)``, PR_SET_PDEATHSIG; ``bwrap --die-with-parent`` rests on
it) when the *thread* that started the child ends, not the process. A child started from a short-lived
thread of an embedding application would die with that thread. So one thread starts them all:

    spawner = Spawner()
    child = spawner.spawn(["sleep", "1"], env={"PATH": "/usr/bin:/bin"}, cwd=Path("/"))
    child.wait_blocking(2).describe()
    spawner.close()
"""

import asyncio
import contextlib
import os
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple, Required, TypedDict, Unpack

from viloapp_core.process.child import Child
from viloapp_core.process.errors import SpawnerClosedError, SpawnError

__all__ = ["SpawnOptions", "Spawner"]

_CLOSE_TIMEOUT_S = 2.0


class SpawnOptions(TypedDict, total=False):
    """What a program is started with."""

    env: Required[Mapping[str, str]]
    """Its whole environment; ``PATH`` in it is where a bare program name is looked up."""
    cwd: Required[Path]
    """Its working folder."""
    pass_fds: Sequence[int]
    """Descriptors it inherits under the same numbers; every other one is closed."""
    stdin: int
    """A descriptor; nothing (``subprocess.DEVNULL``) by default. The same for the next two."""
    stdout: int
    stderr: int
    executable: str
    """What is run in place of the first word of the command, which the program is told as its name."""
    owns_group: bool
    """Whether processes left in its group are killed when it ends (default); see `Child`."""


class _Order(NamedTuple):
    argv: tuple[str, ...]
    options: SpawnOptions
    result: "Future[Child]"


class Spawner:
    """Owns the spawning thread and all children started by it; `close` ends both."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        # A daemon, so that a host that nobody closed does not keep its interpreter from exiting.
        self._thread = threading.Thread(target=self._run, name="viloapp-spawner", daemon=True)
        self._thread.start()

    def spawn(self, argv: Sequence[str], **options: Unpack[SpawnOptions]) -> Child:
        """Start a program in a session of its own; returns when it is executing. From any thread.

        Raises:
            SpawnError: the program or the folder is missing, or the system refused.
            SpawnerClosedError: `close` was called before.
        """
        return self._place(argv, options).result()

    async def spawn_async(self, argv: Sequence[str], **options: Unpack[SpawnOptions]) -> Child:
        """Like `spawn`, without holding up the running loop. Cancelled, it leaves no child behind.

        Raises:
            SpawnError: see `spawn`.
            SpawnerClosedError: see `spawn`.
        """
        placed = self._place(argv, options)
        started = asyncio.wrap_future(placed)
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            # The thread may be in the middle of it: nobody will own that child, so it must not live.
            placed.add_done_callback(_kill_unclaimed)
            # Nor may the caller close descriptors before: the child would inherit what gets their numbers.
            while not started.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([started])
            if not started.cancelled():
                started.exception()  # nobody else will look at it
            raise

    def close(self) -> None:
        """Kill and reap every child that still runs, then end the thread. May be called twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._orders.put(None)
        self._thread.join()

    def _place(self, argv: Sequence[str], options: SpawnOptions) -> "Future[Child]":
        order = _Order(tuple(argv), options, Future())
        with self._lock:
            if self._closed:
                raise SpawnerClosedError
            self._orders.put(order)
        return order.result

    def _run(self) -> None:
        children: list[Child] = []
        while (order := self._orders.get()) is not None:
            # Asking for the status reaps those that ended without anybody waiting for them.
            ended = _some_ended()
            children = [child for child in children if child.pidfd >= 0 and not (ended and child.status)]
            try:
                child = _start(order.argv, order.options)
            except BaseException as error:
                order.result.set_exception(error)
            else:
                children.append(child)
                order.result.set_result(child)
        for child in children:
            child.kill()
        for child in children:
            child.wait_blocking(_CLOSE_TIMEOUT_S)


def _some_ended() -> bool:
    """Whether a child of this process may have ended; to ask about each takes longer the more there are."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # there is none left, or who embeds this has them collected unseen
        return True


def _start(argv: tuple[str, ...], options: SpawnOptions) -> Child:
    """Start a program. Runs in the spawning thread alone."""
    try:
        # Not used as a context manager: the process outlives this function on purpose.
        popen = subprocess.Popen(
            argv,
            executable=options.get("executable"),
            env=dict(options["env"]),
            cwd=options["cwd"],
            pass_fds=options.get("pass_fds", ()),
            stdin=options.get("stdin", subprocess.DEVNULL),
            stdout=options.get("stdout", subprocess.DEVNULL),
            stderr=options.get("stderr", subprocess.DEVNULL),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _explain(argv[0], options["cwd"], error) from error
    try:
        return Child(popen, owns_group=options.get("owns_group", True))
    except (OSError, AttributeError) as error:
        popen.kill()
        popen.wait()
        raise SpawnError(
            f"this system cannot watch a child process ({error})", "ViloApp needs Linux 5.4 or newer"
        ) from error


def _explain(program: str, cwd: Path, error: OSError | ValueError) -> SpawnError:
    """Say what failed. Never the environment or the arguments: they may carry secrets."""
    if isinstance(error, ValueError):
        return SpawnError(f"cannot start {program}: {error}", "an argument or variable holds a zero byte")
    reason = error.strerror or str(error)
    # Popen names the folder when entering it failed, the program otherwise.
    if str(error.filename) == str(cwd):
        return SpawnError(f"cannot enter the folder {cwd}: {reason}", "check that the folder exists")
    return SpawnError(
        f"cannot start {program}: {reason}", "check that the program is installed and executable"
    )


def _kill_unclaimed(result: "Future[Child]") -> None:
    if not result.cancelled() and result.exception() is None:
        result.result().kill()
