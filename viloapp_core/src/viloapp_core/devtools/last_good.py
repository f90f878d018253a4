"""A copy of the source that ran last: what is started again when what was saved since does not run."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from viloapp_core.devtools.watching import holds_source

__all__ = ["MOST_BYTES", "MOST_FILES", "LastGood"]

MOST_BYTES = 256 * 1024 * 1024
MOST_FILES = 20_000
"""A folder with more than that is no plugin's source alone, and is not copied at each save."""


class LastGood:
    """Keeps two copies of a project: of what ran last, and of what is being tried.

    A file that did not change between the two is one file with two names, so that a copy costs what changed.

    Args:
        project: the author's folder.
        folder: where the copies are kept; what was there is of an earlier run and is removed.
    """

    def __init__(self, project: Path, folder: Path) -> None:
        self._project = project
        self._good, self._tried = folder / "good", folder / "tried"
        for left in (self._good, self._tried):
            shutil.rmtree(left, ignore_errors=True)

    @property
    def path(self) -> Path | None:
        """The copy of what ran last, None while there is none."""
        return self._good if self._good.is_dir() else None

    def take(self) -> bool:
        """Copy the project as it is now; return whether that was possible.

        A file that goes away meanwhile is left out: its change comes with the next save.
        """
        shutil.rmtree(self._tried, ignore_errors=True)
        count = size = 0
        try:
            self._tried.mkdir(mode=0o755, parents=True)
            for path in self._files():
                with contextlib.suppress(FileNotFoundError):
                    count, size = count + 1, size + path.lstat().st_size
                    if count > MOST_FILES or size > MOST_BYTES:
                        break
                    self._copy(path.relative_to(self._project))
            else:
                return True
        except OSError:
            pass
        shutil.rmtree(self._tried, ignore_errors=True)
        return False

    def keep(self) -> None:
        """Say that what was taken runs: it is the last good one from here on."""
        if self._tried.is_dir():
            shutil.rmtree(self._good, ignore_errors=True)
            self._tried.replace(self._good)

    def _files(self) -> Iterator[Path]:
        for folder, below, names in os.walk(self._project):
            inside = Path(folder)
            links = [name for name in below if (inside / name).is_symlink()]
            below[:] = [name for name in below if holds_source(name) and name not in links]
            yield from (inside / name for name in (*links, *names) if not name.endswith(".pyc"))

    def _copy(self, name: Path) -> None:
        source, target, known = self._project / name, self._tried / name, self._good / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not source.is_symlink() and _same(source, known):
            os.link(known, target)
        else:
            shutil.copy2(source, target, follow_symlinks=False)


def _same(one: Path, other: Path) -> bool:
    """Whether a copy is of what a file is now, by size and time of the last change."""
    try:
        now, kept = one.stat(), other.lstat()
    except FileNotFoundError:
        return False
    return (now.st_size, now.st_mtime_ns, now.st_mode) == (kept.st_size, kept.st_mtime_ns, kept.st_mode)
