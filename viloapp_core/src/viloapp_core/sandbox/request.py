"""What a sandbox is asked for, and the questions about the disk that a profile depends on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["Disk", "RealDisk", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """One worker to confine. Every path is absolute.

    Args:
        plugin_id: normalized distribution name.
        python: the virtualenv's interpreter, as it is to be called (a symbolic link, usually).
        generation: folder of the installed generation: ``<store>/plugins/<id>/generations/<version>``.
        base_prefix: installation prefix of the interpreter that the virtualenv was made from.
        base_executable: that interpreter.
        data_dir: the plugin's own folder, its home inside.
        dev_source: project folder of an editable installation.
        dev_copy: what the plugin is shown in the place of that, at the same path; None for the folder
            itself. Without mounts (Landlock alone, no sandbox) it is the folder all the same.
        workspace: the folder the person works in.
        permissions: ids that the person allowed.
        rlimits: ``(name without RLIMIT_, soft, hard)``, taken on before any code of the plugin runs.
        nice: added to the priority's number, from 0 (as the host) to 19 (stands back for everybody).
        variables: further environment variables.
        uid: the user that the plugin runs as, for a host that is root's.
        programs: show the system's programs too; a worker sees its own interpreter alone.
        scratch_bytes: the most that each of its private folders in memory may hold.
    """

    plugin_id: str
    python: Path
    generation: Path
    base_prefix: Path
    base_executable: Path
    data_dir: Path
    dev_source: Path | None = None
    dev_copy: Path | None = None
    workspace: Path | None = None
    permissions: tuple[str, ...] = ()
    rlimits: tuple[tuple[str, int, int], ...] = ()
    nice: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    uid: int | None = None
    programs: bool = False
    scratch_bytes: int | None = None

    @property
    def store(self) -> Path:
        """The store that the generation lies in (``plugins/<id>/generations/<v>`` below it)."""
        return self.generation.parents[3]


class Disk(Protocol):
    """What a profile asks about the machine; `RealDisk` answers truly."""

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file or folder, links followed."""

    def is_folder(self, path: Path) -> bool:
        """Tell whether it is a folder, links followed."""

    def resolve(self, path: Path) -> Path:
        """Return the path with every link followed."""

    def link(self, path: str) -> str | None:
        """Return where a symbolic link points, None when the path is no link."""


class RealDisk:
    """The machine's own disk, for one decision: which paths are links is asked once of each.

    The paths of a plugin have most of their folders in common.
    """

    def __init__(self) -> None:
        self._links: dict[str, str | None] = {}

    def exists(self, path: Path) -> bool:
        """See `Disk`."""
        return os.path.exists(path)

    def is_folder(self, path: Path) -> bool:
        """See `Disk`."""
        return os.path.isdir(path)

    def resolve(self, path: Path) -> Path:
        """See `Disk`."""
        root, *parts = path.parts or ("",)
        if root != "/":
            return Path(os.path.realpath(path))
        here = ""
        for part in parts:
            here = f"{here}/{part}"
            if part == ".." or self.link(here) is not None:
                return Path(os.path.realpath(path))
        return path

    def link(self, path: str) -> str | None:
        """See `Disk`."""
        if path not in self._links:
            try:
                self._links[path] = os.readlink(path)
            except OSError:
                self._links[path] = None
        return self._links[path]
