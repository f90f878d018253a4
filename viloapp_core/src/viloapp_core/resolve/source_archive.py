"""Source distributions with the same bytes each time, and without what has no place in them.

A backend writes the times, the owner and the rights of this machine's files; a wheel's backend mostly keeps
to ``SOURCE_DATE_EPOCH``, that of a source distribution does not.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

__all__ = ["left_out", "repack", "unpack"]

_FOLDERS = frozenset(
    (
        *("__pycache__", ".git", ".venv", ".nox", ".tox"),
        *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
    )
)
_FILES = frozenset({".gitignore", ".coverage", ".DS_Store"})
_SUFFIXES = (".pyc", ".pyo")


def left_out(name: str) -> bool:
    """Return whether a file has no place in a distribution, by its path in it.

    >>> left_out("hello-0.1/src/hello/__pycache__/plugin.cpython-312.pyc"), left_out("hello-0.1/README.md")
    (True, False)
    """
    *folders, file = name.split("/")
    return bool(_FOLDERS & {*folders, file}) or file in _FILES or file.endswith(_SUFFIXES)


def repack(path: Path, epoch: int) -> None:
    """Write a source distribution anew: sorted, of nobody, of one time, files 0644 or 0755.

    Args:
        path: a ``.tar.gz``, which is replaced.
        epoch: the time of everything in it, in seconds since 1970.
    """
    buffer = io.BytesIO()
    with (
        tarfile.open(path, "r:gz") as old,
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            if left_out(member.name) or not (member.isfile() or member.issym()):
                continue
            plain = tarfile.TarInfo(member.name)
            plain.mtime, plain.size, plain.type = epoch, member.size, member.type
            plain.linkname = member.linkname
            plain.mode = 0o755 if member.mode & 0o100 else 0o644
            new.addfile(plain, old.extractfile(member) if member.isfile() else None)
    path.write_bytes(buffer.getvalue())


def unpack(path: Path, folder: Path) -> Path:
    """Unpack a source distribution and return the one folder that it holds; rights are those in it.

    Raises:
        ValueError: it holds several, or reaches out of itself.
    """
    os.umask(0o022)
    with tarfile.open(path, "r:gz") as archive:
        try:
            archive.extractall(folder, filter="data")
        except tarfile.FilterError as error:
            raise ValueError(f"{path.name}: {error}") from error
    (found,) = folder.iterdir()
    return found
