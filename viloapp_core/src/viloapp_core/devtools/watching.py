"""What an author saves: changes of a project's files, a while after the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

__all__ = ["QUIET_S", "changes", "matters"]

QUIET_S = 0.5
"""How long nothing may be saved before a change counts. Source: the specification."""
_LONGEST_S = 5.0
"""After which a change counts although saving goes on."""
_SUFFIXES = (".py", ".json")
_PROJECT = ("pyproject.toml", "setup.cfg")
_ELSEWHERE = frozenset(("__pycache__", "build", "dist", "node_modules", "venv", "site-packages"))


def matters(project: Path, path: Path) -> bool:
    """Return whether a change of a file can change the plugin: its code, its data, its manifest."""
    try:
        inside = path.relative_to(project)
    except ValueError:
        return False
    folders = inside.parts[:-1]
    if any(name.startswith(".") or name in _ELSEWHERE or name.endswith(".egg-info") for name in folders):
        return False
    return inside.suffix in _SUFFIXES or (not folders and inside.name in _PROJECT)


async def changes(project: Path, stop: asyncio.Event) -> AsyncIterator[frozenset[Path]]:
    """Yield what was saved, once it has been quiet for `QUIET_S`, until ``stop`` is set.

    What is saved while the taker is busy comes with the next.
    """
    from watchfiles import awatch

    async for found in awatch(
        project,
        watch_filter=lambda change, path: matters(project, Path(path)),
        step=int(QUIET_S * 1000),
        debounce=int(_LONGEST_S * 1000),
        stop_event=stop,
    ):
        yield frozenset(Path(path) for _, path in found)
