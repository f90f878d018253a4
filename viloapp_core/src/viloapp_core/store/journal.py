"""The journal: what is being changed, so that whoever comes after a crash can finish or undo it.

An entry is ``journal/<tx>.json``, and its owner holds a lock on it until it is done: a free lock means that
the owner died. Beside it ``journal/<tx>.d`` is the change's scratch folder, which goes with it.
Entries are made and judged under the store's lock, so that none is taken for dead before its owner locked it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from viloapp_core.foundation.errors import FileError, LockHeldError
from viloapp_core.foundation.files import FileLock, read_json, sync_dir, write_json

# A process that dies with its parent may write to a folder while it is removed, for a moment.
_REMOVALS = 3


@dataclass
class Entry:
    """One open change. Its owner calls `close` when the change is done or undone.

    What goes wrong inside its ``with`` block leaves the entry to whoever comes next, in this process too:

        >>> with entry:
        ...     change_something()
        >>> entry.close()
    """

    path: Path
    facts: Mapping[str, Any]
    lock: FileLock = field(repr=False)

    @property
    def scratch(self) -> Path:
        """A folder for this change alone, made when first asked for."""
        folder = self.path.with_suffix(".d")
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def close(self) -> None:
        """Forget the change and its scratch folder; where that is refused, leave it to whoever comes next."""
        with self:
            remove_tree(self.path.with_suffix(".d"))
            self.path.unlink(missing_ok=True)
            sync_dir(self.path.parent)
        self.lock.release()

    def __enter__(self) -> Entry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A process that lives on would keep the lock, and the change would count as under way for ever.
        if kind is not None:
            self.lock.release()


def open_entry(folder: Path, facts: Mapping[str, Any]) -> Entry:
    """Write an entry and lock it. The caller holds the store's lock."""
    path = folder / f"{os.urandom(8).hex()}.json"
    write_json(path, dict(facts))
    return Entry(path, facts, FileLock(path).acquire(blocking=False))


def orphans(folder: Path) -> Iterator[Entry]:
    """Yield the entries whose owner is gone, locked. The caller holds the store's lock and closes each."""
    for path in sorted(folder.glob("*.json")):
        lock = FileLock(path)
        try:
            lock.acquire(blocking=False)
        except LockHeldError:
            continue
        try:
            facts = read_json(path)
        except FileError:
            facts = None
        yield Entry(path, facts if isinstance(facts, dict) else {}, lock)
    for scratch in folder.glob("*.d"):
        if not scratch.with_suffix(".json").exists():
            remove_tree(scratch)
    for partial in folder.glob(".*.tmp"):
        partial.unlink(missing_ok=True)


def living(folder: Path) -> set[Path]:
    """Return the entries whose owner lives.

    The caller holds the store's lock, or an owner that is about to lock its entry would be disturbed.
    """
    found = set()
    for path in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.add(path)
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it; what cannot be removed now is left for the next time."""
    import shutil  # it loads every archive format there is, and readers remove nothing

    with contextlib.suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
            return
        for _ in range(_REMOVALS):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
