"""From saved files to a plugin that runs them: judged first, then one process for the other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Literal, TypeVar

from viloapp_core.devtools.last_good import LastGood
from viloapp_core.devtools.problem import Problem, problem_of
from viloapp_core.host import Host
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest import from_project

__all__ = ["PATIENCE_S", "Reloader", "take_over"]

PATIENCE_S = 3.0
"""How long a save that is being taken over keeps the next one waiting."""
T = TypeVar("T")
Tell = Callable[[Literal["info", "error"], str], None]


class Reloader:
    """Brings what an author saved into the running workspace.

    A save that cannot run changes nothing: the process of the last good one goes on, or its code is started
    again where the new one failed only when it was initialized.

    Args:
        host: runs the plugin.
        project: the folder of its source.
        plugin_id: its id.
        install: installs it anew; blocks, so that it runs in a thread, and gives up when the event is set.
        tell: told, for people, what became of each save.
        copies: a folder for copies of the source.
    """

    def __init__(
        self,
        host: Host,
        project: Path,
        plugin_id: str,
        install: Callable[[threading.Event], None],
        tell: Tell,
        copies: Path,
    ) -> None:
        self._host = host
        self._project = project
        self._id = plugin_id
        self._install = install
        self._tell = tell
        self._last_good = LastGood(project, copies)
        self._behind = False

    def begin(self) -> None:
        """Keep a copy of what runs now; blocks."""
        if self._last_good.take():
            self._last_good.keep()

    async def saved(self, paths: Collection[Path]) -> bool:
        """Take over what was saved; return whether it runs now."""
        began = time.monotonic()
        copying = asyncio.create_task(asyncio.to_thread(self._last_good.take))
        try:
            with self._host.reloading.undisturbed():
                await self._take_over(paths)
        except ViloError as error:
            return self._failed(error)
        finally:
            copied = await _to_its_end(copying)
        if copied:
            await _to_its_end(asyncio.create_task(asyncio.to_thread(self._last_good.keep)))
        self._host.reloading.tell(self._id, None)
        self._tell("info", f"{self._id} reloaded in {time.monotonic() - began:.2f} s")
        return True

    async def _take_over(self, paths: Collection[Path]) -> None:
        """Install what needs it, and reload; nothing is started of what cannot even be read or installed."""
        last_good, worker = self._last_good.path, self._host.worker(self._id)
        ran = worker is not None and worker.state == "running"
        try:
            manifest = from_project(self._project)
            # What could not run may have been installed for that alone, and is not what the store has now.
            if self._behind or any(_is_installed(path, self._project) for path in paths):
                self._behind = True
                given_up = threading.Event()
                installing = asyncio.create_task(asyncio.to_thread(self._install, given_up))
                await _to_its_end(installing, given_up.set)
        except ViloError:
            await self._host.reloading.keep(self._id, last_good, ran=ran)
            raise
        await self._host.reload_plugin(
            self._id, manifest.get("commands", ()), manifest.get("widgets", ()), last_good=last_good
        )
        self._behind = False

    def _failed(self, error: ViloError) -> bool:
        worker = self._host.worker(self._id)
        goes_on = worker is not None and worker.state == "running"
        problem = problem_of(error, self._project, goes_on=goes_on)
        self._host.reloading.tell(self._id, problem.to_json())
        self._tell("error", f"{self._id} was not reloaded: {_line(problem)}")
        return False


async def take_over(
    saves: AsyncIterator[frozenset[Path]], saved: Callable[[frozenset[Path]], Awaitable[object]]
) -> None:
    """Have each of the saves taken over, one after the other.

    One that has not come to an end after `PATIENCE_S`, of a plugin that hangs, gives way to the next, which
    is told the paths of both.
    """
    running: asyncio.Task[object] | None = None
    pending: frozenset[Path] = frozenset()
    try:
        async for paths in saves:
            if running is not None:
                done, _ = await asyncio.wait([running], timeout=PATIENCE_S)
                pending = frozenset() if done else pending
                await _ended(running)
            pending |= paths
            running = asyncio.ensure_future(saved(pending))
        if running is not None:
            await running
    finally:
        if running is not None:
            await _ended(running)


async def _to_its_end(working: asyncio.Task[T], give_up: Callable[[], None] = lambda: None) -> T:
    """Wait for a thread's work also when called off: the next save works in the same folders.

    Args:
        working: the thread's.
        give_up: has it end earlier; called when this is called off.
    """
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        give_up()
        await asyncio.wait([working])
        working.exception()  # of what was given up nobody wants to know
        raise


async def _ended(task: asyncio.Task[object]) -> None:
    """Call a task off unless it is done, and raise what went wrong in it."""
    called_off = task.cancel()
    await asyncio.wait([task])
    if not (called_off and task.cancelled()):
        task.result()


def _is_installed(path: Path, project: Path) -> bool:
    """Whether a file is no code but decides what is installed."""
    return path.parent == project and path.suffix != ".py"


def _line(problem: Problem) -> str:
    place = f"{problem.place}: " if problem.place and problem.place not in problem.message else ""
    rest = "what ran before goes on" if problem.goes_on else "it runs again after the next save"
    return f"{place}{problem.message}; {rest}"
