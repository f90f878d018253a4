"""The port to where a distribution's metadata lies, and the adapter to an installed one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from viloapp_core.manifest.errors import Issue, ManifestError

__all__ = ["MAX_BYTES", "DistInfoFiles", "MetadataFiles", "split_dist_info"]

#: No metadata file may be larger; the largest of well-known projects have some 100 KiB.
MAX_BYTES = 1 << 20


class MetadataFiles(Protocol):
    """Files of one distribution."""

    @property
    def dist_info(self) -> str:
        """Name of the ``.dist-info`` folder."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None when it is not there.

        Args:
            path: with ``/``, relative to what holds the ``.dist-info`` folder.

        Raises:
            ManifestError: it cannot be read, or is larger than `MAX_BYTES`.
        """
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, which ends with ``/``; none where it is not."""
        ...


class DistInfoFiles:
    """An installed distribution.

    Args:
        path: its ``.dist-info`` folder.
    """

    def __init__(self, path: Path) -> None:
        self.dist_info = path.name
        self._root = path.parent

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None when it is not there.

        Raises:
            ManifestError: it cannot be read, is no regular file, or is too large.
        """
        name = path.rpartition("/")[2]
        try:
            # A pipe would block on open, a device would never end.
            descriptor = os.open(self._root / path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise ManifestError([Issue(name, f"cannot be read: {error}")], self.dist_info) from error
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ManifestError([Issue(name, "is no regular file")], self.dist_info)
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ManifestError([Issue(name, f"is larger than {MAX_BYTES} bytes")], self.dist_info)
        return content

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder; none where it is not, or is elsewhere."""
        path = self._root / folder
        try:
            if path.is_symlink():
                return []
            return [entry.name for entry in os.scandir(path) if entry.is_file(follow_symlinks=False)]
        except (OSError, ValueError):
            return []


def split_dist_info(folder: str) -> tuple[str, str]:
    """Return name and version that ``name-version.dist-info`` has; "" for what it has not."""
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    return (name, version) if name else (version, "")
