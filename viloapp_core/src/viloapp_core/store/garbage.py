"""What nobody needs any more: old generations, and wheels that are in none.

A generation stays while it is current, kept for a rollback, or held by a worker. Wheels and archives are left
alone while any other change is under way, for that may be about to use them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation.errors import LockHeldError
from viloapp_core.foundation.files import FileLock
from viloapp_core.foundation.paths import first_free
from viloapp_core.store import journal, truth
from viloapp_core.store.generations import generations, incomplete, kept, wheels_of
from viloapp_core.store.layout import Layout
from viloapp_core.store.store import Store

_BLOCK = 512  # of st_blocks; Source: stat(2)


@dataclass(frozen=True)
class Collected:
    """What went, or would go."""

    generations: tuple[str, ...]
    """``<plugin id>/<generation>``"""
    wheels: int
    archives: int
    freed_bytes: int
    """What the disk gets back: a file that something else links to frees nothing."""
    held: tuple[str, ...]
    """Generations that a worker runs from."""
    busy: bool
    """Another change is under way, so that wheels and archives were left alone."""


def collect(store: Store, *, dry_run: bool = False) -> Collected:
    """Remove what nobody needs any more.

    Raises:
        StoreFolderError: the store cannot be written to.
    """
    store.recover()
    entry = store.begin("gc")
    try:
        with store.locked(), contextlib.ExitStack() as locks:
            found = _survey(store.layout, entry, locks)
            going = [*found.folders, *found.left, *found.wheels, *found.archives]
            freed = _freed(going)
            if not dry_run:
                for path in going:
                    os.replace(path, first_free(entry.scratch, path.name))
                for path in found.folders:
                    plugin_id = path.parent.parent.name
                    store.layout.generation_lock(plugin_id, path.name).unlink(missing_ok=True)
    finally:
        entry.close()
    names = tuple(f"{path.parent.parent.name}/{path.name}" for path in found.folders)
    archives = sum(path.suffix == ".whl" for path in found.archives)
    return Collected(names, len(found.wheels), archives, freed, found.held, found.busy)


@dataclass(frozen=True)
class _Found:
    folders: list[Path]
    left: list[Path]
    wheels: list[Path]
    archives: list[Path]
    held: tuple[str, ...]
    busy: bool


def _survey(layout: Layout, own: journal.Entry, locks: contextlib.ExitStack) -> _Found:
    """Find what may go; locks of generations that may are taken until the stack closes."""
    busy = bool(journal.living(layout.journal) - {own.path})
    folders, left, held, used = [], [], [], set()
    for plugin_id in truth.installed_ids(layout):
        complete = generations(layout, plugin_id)
        current = truth.current_generation(layout, plugin_id)
        stay = {each.name for each in kept(complete)} | {current}
        rest = [each.folder for each in complete if each.name not in stay]
        unfinished = [path for path in incomplete(layout, plugin_id) if path.name != current]
        for folder in [*rest, *([] if busy else unfinished)]:
            try:
                lock = layout.generation_lock(plugin_id, folder.name)
                if lock.exists():
                    locks.enter_context(FileLock(lock).acquire(blocking=False))
            except LockHeldError:
                held.append(f"{plugin_id}/{folder.name}")
            else:
                folders.append(folder)
        staying = [path for path in layout.generations(plugin_id).glob("*") if path not in folders]
        for folder in staying:
            used |= wheels_of(folder)
        names = {folder.name for folder in staying}
        left += [path for path in layout.left(plugin_id).glob("*") if path.name not in names]
    if busy:
        return _Found(folders, left, [], [], tuple(held), busy)
    wheels = [path for path in layout.wheels.glob("*") if path.name not in used]
    archives = [path for path in layout.archives.glob("*") if path.name.partition(".")[0] not in used]
    return _Found(folders, left, wheels, archives, tuple(held), busy)


def _freed(paths: Iterable[Path]) -> int:
    """Return what removing the paths gives back, in bytes; a file goes with the last link to it."""
    links: dict[tuple[int, int], tuple[int, os.stat_result]] = {}
    for path in _all(paths):
        with contextlib.suppress(OSError):
            status = path.lstat()
            key = (status.st_dev, status.st_ino)
            links[key] = (links.get(key, (0, status))[0] + 1, status)
    return sum(
        status.st_blocks * _BLOCK
        for count, status in links.values()
        if stat.S_ISDIR(status.st_mode) or count >= status.st_nlink
    )


def _all(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield path
        for parent, folders, names in os.walk(path):
            yield from (Path(parent, name) for name in (*folders, *names))
