"""What is mounted in a sandbox, in the order in which it is: a later mount covers an earlier one. Pure."""

import enum
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

__all__ = ["Mount", "MountKind", "Mounts"]


class MountKind(enum.Enum):
    """How a path comes to be inside."""

    READ = "read-only, must exist"
    READ_IF_THERE = "read-only, left out when missing"
    WRITE = "writable"
    SCRATCH = "private and empty, writable, gone with the worker"
    HIDE_FOLDER = "empty and read-only over a folder"
    HIDE_FILE = "a file that cannot be opened"
    FOLDER = "a plain folder anyone may enter"
    LINK = "a symbolic link"
    PROCESSES = "the sandbox's own /proc"
    DEVICES = "the harmless devices"


_SHOWING = (MountKind.READ, MountKind.READ_IF_THERE, MountKind.WRITE)


@dataclass(frozen=True, slots=True)
class Mount:
    """One path inside. ``source`` is the path outside, or what a link points to; empty for the others."""

    kind: MountKind
    target: Path
    source: str = ""


class Mounts:
    """Mounts so far. Each is found by the text of its place: there are hundreds of questions for each start.

    Attributes:
        made: all of them; above each every folder that no other shows, since what bubblewrap makes by itself
            is its own user's alone, and a folder may have a private mode outside (a 0700 home).
    """

    def __init__(self) -> None:
        self.made: list[Mount] = []
        self._folders: set[str] = set()
        self._latest: dict[str, int] = {}  # at each place, but for plain folders

    def copy(self) -> Self:
        """Return the same mounts, to be gone on with."""
        other = type(self)()
        other.made, other._folders, other._latest = [*self.made], {*self._folders}, {**self._latest}
        return other

    def add(self, mount: Mount) -> None:
        """Mount one more, and the folders above it."""
        above: list[Path] = []
        for folder in _above(mount.target):
            if str(folder) in self._folders or str(folder) in self._latest or self.shows(folder):
                break
            above.append(folder)
        for folder in reversed(above):
            self.made.append(Mount(MountKind.FOLDER, folder))
            self._folders.add(str(folder))
        if mount.kind is MountKind.FOLDER:
            self._folders.add(str(mount.target))
        else:
            self._latest[str(mount.target)] = len(self.made)
        self.made.append(mount)

    def shows(self, path: Path) -> bool:
        """Tell whether what is at ``path`` outside is there inside: the last mount above it decides."""
        places = (str(path), *map(str, _above(path)), "/")
        last = max(self._latest.get(place, -1) for place in places)
        return last >= 0 and self.made[last].kind in _SHOWING

    def links(self, path: Path) -> bool:
        """Tell whether there is a link at ``path`` itself."""
        at = self._latest.get(str(path))
        return at is not None and self.made[at].kind is MountKind.LINK


@lru_cache(maxsize=1024)
def _above(path: Path) -> tuple[Path, ...]:
    """Return the folders above a path but the root, the nearest first."""
    return tuple(path.parents)[:-1]
