"""What an author saves: changes of a project's files, a while after the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

__all__ = ["QUIET_S", "changes", "holds_source", "matters"]

QUIET_S = 0.5
"""How long nothing may be saved before a change counts. Source: the specification."""
_LONGEST_S = 5.0
"""After which a change counts although saving goes on."""
_STEP_MS = 20
"""How often the watcher collects what changed."""
_SUFFIXES = (".py", ".json")
_PROJECT = ("pyproject.toml", "setup.cfg")
_ELSEWHERE = frozenset(("__pycache__", "build", "dist", "node_modules", "venv", "site-packages"))


_Seen = tuple[float, frozenset[Path]]
"""When, by the loop's clock, and what."""


def matters(project: Path, path: Path) -> bool:
    """Return whether a change of a file can change the plugin: its code, its data, its manifest."""
    try:
        inside = path.relative_to(project)
    except ValueError:
        return False
    folders = inside.parts[:-1]
    if not all(map(holds_source, folders)):
        return False
    return inside.suffix in _SUFFIXES or (not folders and inside.name in _PROJECT)


def holds_source(folder: str) -> bool:
    """Return whether a folder of that name may hold what an author writes, and not what tools leave."""
    return not folder.startswith(".") and folder not in _ELSEWHERE and not folder.endswith(".egg-info")


async def changes(project: Path, stop: asyncio.Event) -> AsyncIterator[frozenset[Path]]:
    """Yield what was saved, once it has been quiet for `QUIET_S`, until ``stop`` is set.

    What is saved while the taker is busy comes with the next.
    """
    seen: asyncio.Queue[_Seen | None] = asyncio.Queue()
    watching = asyncio.create_task(_watch(project, stop, seen))
    try:
        while (first := await seen.get()) is not None:
            yield await _until_quiet(first, seen)
        await watching
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(project: Path, stop: asyncio.Event, seen: asyncio.Queue[_Seen | None]) -> None:
    from watchfiles import awatch

    # Its own rule of quiet takes up to twice as long as it is told: it looks once in each step alone.
    watcher = awatch(
        project,
        watch_filter=lambda change, path: matters(project, Path(path)),
        step=_STEP_MS,
        debounce=_STEP_MS,
        stop_event=stop,
    )
    try:
        async for found in watcher:
            at = asyncio.get_running_loop().time()
            seen.put_nowait((at, frozenset(Path(path) for _, path in found)))
    finally:
        seen.put_nowait(None)


async def _until_quiet(first: _Seen, seen: asyncio.Queue[_Seen | None]) -> frozenset[Path]:
    """Add to what was seen first what follows, until nothing has for a while or it has gone on too long."""
    began, paths = first
    latest = began
    while True:
        left = min(latest + QUIET_S, began + _LONGEST_S) - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, left)):
                more = await seen.get()
        except TimeoutError:
            return paths
        if more is None:
            seen.put_nowait(None)  # the end is said once, and is the taker's
            return paths
        latest, paths = more[0], paths | more[1]
