"""Fetch what a lock names, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from viloapp_core.foundation.files import write_atomic
from viloapp_core.foundation.paths import first_free
from viloapp_core.resolve.errors import PipError
from viloapp_core.resolve.lock import Package, Resolution, to_pylock
from viloapp_core.resolve.pip import Pip, Sources

# pip's raw progress bar, in bytes. Source: pip's documentation of --progress-bar.
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def fetch(
    resolution: Resolution,
    missing: Sequence[Package],
    *,
    sources: Sources,
    pip: Pip,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> dict[str, Path]:
    """Download wheels of a lock and return where each is, by its hash. The caller checks the hashes.

    Args:
        resolution: the lock.
        missing: those of its packages to fetch; files of this machine need no fetching.
        sources: the index, for its credentials; a lock has every URL.
        pip: how to run pip.
        progress: told a file's name, and how many of how many bytes are there; 0 of 0 when unknown.

    Raises:
        IndexUnreachableError, PipError: it could not be fetched, or has another hash.
    """
    found = {package.sha256: path for package in missing if (path := package.local) is not None}
    remote = tuple(package for package in missing if package.local is None)
    if remote:
        folder = first_free(pip.scratch, f"fetch-{resolution.plugin.name}")
        folder.mkdir()
        write_atomic(folder / "pylock.toml", to_pylock(replace(resolution, packages=remote)))
        arguments = ["--no-deps", "-r", str(folder / "pylock.toml"), "--dest", str(folder)]
        watched = replace(pip, on_line=ByteCounter(progress).line)
        watched.run(resolution.python, "download", sources, arguments)
        for package in remote:
            path = folder / package.filename
            if not path.is_file():
                raise PipError(f"pip did not fetch {package.filename}")
            found[package.sha256] = path
    return found


class ByteCounter:
    """Turns pip's lines into progress.

    Args:
        progress: told a file's name, and how many of how many bytes are there; 0 of 0 when unknown.
    """

    def __init__(self, progress: Callable[[str, int, int], None]) -> None:
        self._progress = progress
        self._name = ""

    def line(self, line: str) -> None:
        """Take one line of pip's output."""
        if match := _PROGRESS.search(line):
            self._progress(self._name, int(match.group(1)), int(match.group(2)))
        elif (words := line.split()) and words[0] in ("Collecting", "Downloading", "Using"):
            self._name = next((word.split("@")[0] for word in words[1:] if word != "cached"), "")
            self._name = self._name.rpartition("/")[2]
            self._progress(self._name, 0, 0)
