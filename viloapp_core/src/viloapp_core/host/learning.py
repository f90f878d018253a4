"""From what a plugin was seen to reach for to the least permissions that allow it; pure but for `stat`."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from viloapp_core.permissions import Permission, PermissionSyntaxError, Places

__all__ = ["BLIND", "Learned", "least", "permission_for"]

BLIND = (
    "what native code does by itself: a library of C that opens a file without Python (no seccomp "
    "notification is used)",
    "what other commands, settings or inputs of the plugin would need",
    "what comes after a refusal that ended the command; with --allow it is run again",
)
"""What learning cannot see, for people."""
_MANY = 3
"""So many files of one folder become that folder."""


@dataclass(slots=True)
class Learned:
    """What one plugin used or was denied, collected while it ran."""

    used: set[Permission] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Note a permission of which the host was asked; whether it was granted is no matter."""
        try:
            self.used.add(Permission.parse(text))
        except PermissionSyntaxError:
            return

    def observe(
        self,
        seen: Iterable[Sequence[Any]],
        held: Sequence[Permission],
        places: Places,
        exists: Callable[[str], bool] = os.path.exists,
    ) -> None:
        """Note what the worker's audit hook saw.

        Args:
            seen: ``[kind, what, reachable]``; a stranger's, so of any shape.
            held: what the plugin has: a file that it reached is a use of that, or free for all.
            places: where the named places are.
            exists: whether there is such a path outside.
        """
        for row in seen:
            if not (isinstance(row, (list, tuple)) and len(row) == 3 and isinstance(row[1], str)):
                continue
            wanted = permission_for(str(row[0]), row[1], places)
            if wanted is None:
                continue
            if wanted.category == "filesystem" and row[2]:
                covered = any(places.path(each).covers(places.path(wanted)) for each in held)
                if not covered:
                    continue  # the system's own, or the plugin's
            elif wanted.category == "filesystem" and not exists(row[1]):
                above = os.path.dirname(row[1])
                if wanted.scope == "read" or not exists(above) or above == "/":
                    continue  # it is not there for anybody
            self.used.add(wanted)


def permission_for(kind: str, what: str, places: Places) -> Permission | None:
    """Return what would allow one thing that was seen; None for what is free or cannot be named."""
    if kind == "execute":
        return _parsed(f"process.execute.{_program(what)}")
    if kind == "connect":
        return _parsed(f"network.connect.{what.lower()}")
    if kind not in ("read", "write"):
        return None
    data, workspace = places.folders.get("plugin_data", ""), places.folders.get("workspace", "")
    if data and _within(what, data):
        return None
    if workspace and _within(what, workspace):
        return _parsed(f"filesystem.{kind}.workspace")
    if places.home and _within(what, places.home):
        relative = what[len(places.home) :].lstrip("/")
        return _parsed(f"filesystem.{kind}.~/{relative}" if relative else f"filesystem.{kind}.home_directory")
    return _parsed(f"filesystem.{kind}.{what}")


def least(used: Iterable[Permission]) -> list[Permission]:
    """Return the fewest permissions for what was used: a folder for many files, none that another covers."""
    found = set(used)
    folders: dict[tuple[str, str], set[Permission]] = {}
    for each in found:
        if each.category == "filesystem" and each.resource.count("/") >= 2:
            folders.setdefault((each.scope, each.resource.rpartition("/")[0]), set()).add(each)
    for (scope, folder), files in folders.items():
        merged = _parsed(f"filesystem.{scope}.{folder}")
        if len(files) >= _MANY and merged is not None:
            found = (found - files) | {merged}
    return sorted(
        (each for each in found if not any(other != each and other.covers(each) for other in found)), key=str
    )


def _program(what: str) -> str:
    """Return a program as a person would write it: its name, where that is what the machine finds."""
    name = os.path.basename(what)
    return name if "/" not in what or shutil.which(name) == what else what


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _parsed(text: str) -> Permission | None:
    try:
        permission = Permission.parse(text)
    except PermissionSyntaxError:
        return None
    return None if permission.wildcard else permission
