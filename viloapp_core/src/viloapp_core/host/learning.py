"""From what a plugin was seen to reach for to the least permissions that allow it; pure but for `stat`.

Three look: the host, which is asked; an audit hook of Python's in the worker; and the kernel, which tells the
host of system calls (`viloapp_core.sandbox.observing`). What one of them cannot see another may.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from viloapp_core.permissions import Permission, PermissionSyntaxError, Places
from viloapp_core.sandbox import RealDisk, why_never

__all__ = ["SOURCES", "Learned", "Source", "blind", "least", "never", "permission_for"]

Source = Literal["host", "python", "kernel"]
"""Who saw something: the host, which was asked; the audit hook; the kernel."""
SOURCES: Mapping[Source, str] = {
    "host": "the host was asked",
    "python": "Python code reached for it",
    "kernel": "a system call reached for it",
}
"""The same in words."""
_MANY = 3
"""So many files of one folder become that folder."""


@dataclass(slots=True)
class Learned:
    """What one plugin used or was denied, collected while it ran, and who saw it."""

    used: dict[Permission, set[Source]] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Note a permission of which the host was asked; whether it was granted is no matter."""
        try:
            self._note(Permission.parse(text), "host")
        except PermissionSyntaxError:
            return

    def seen_by(self, permission: Permission) -> list[Source]:
        """Return who saw a use of what a permission allows."""
        found = {source for used, by in self.used.items() if permission.covers(used) for source in by}
        return [source for source in SOURCES if source in found]

    def _note(self, permission: Permission, source: Source) -> None:
        self.used.setdefault(permission, set()).add(source)

    def observe(
        self,
        seen: Iterable[Sequence[Any]],
        held: Sequence[Permission],
        places: Places,
        exists: Callable[[str], bool] = os.path.exists,
        *,
        source: Source = "python",
    ) -> None:
        """Note what the worker's audit hook saw, or the kernel.

        Args:
            seen: ``[kind, what, reachable]``; a stranger's, so of any shape.
            held: what the plugin has: a file that it reached is a use of that, or free for all.
            places: where the named places are.
            exists: whether there is such a path outside.
            source: who saw it.
        """
        for row in seen:
            if not (isinstance(row, (list, tuple)) and len(row) == 3 and isinstance(row[1], str)):
                continue
            if "__pycache__" in row[1].split("/"):
                continue  # Python keeps compiled modules there where it can, and does without
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
            elif wanted.category == "process" and row[1].startswith("/") and not exists(row[1]):
                continue  # one of the places where a program was looked for
            self._note(wanted, source)


def blind(watched: bool, problems: Sequence[str] = ()) -> list[str]:
    """Return what learning did not see, for people.

    Args:
        watched: whether the kernel told of system calls.
        problems: why not, or not of all.
    """
    found = [f"what native code does by itself: {problem}" for problem in problems]
    if watched:
        found += [
            "native code that looks at a file without opening it (stat, access), and by which name it knows "
            "what it connects to: the address is seen",
            "what the system's filter refused before anybody was told, such as sockets of other kinds",
        ]
    elif not problems:
        found.append("what native code does by itself: no process of the plugin ran")
    return [
        *found,
        "what a program needs that the host runs for the plugin",
        "what other commands, settings or inputs of the plugin would need",
        "what comes after a refusal that ended the command; with --allow it is run again",
    ]


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


def never(used: Iterable[Permission], *, home: Path, store: Path) -> dict[Permission, str]:
    """Return what no plugin is given, and why; one that was granted such a path does not start."""
    found: dict[Permission, str] = {}
    disk = RealDisk()
    for each in used:
        if each.category != "filesystem" or not each.resource.startswith(("/", "~/")):
            continue
        path = home / each.resource[2:] if each.resource.startswith("~/") else Path(each.resource)
        if why := why_never(disk.resolve(path), home=home, store=store, disk=disk):
            found[each] = f"it {why}"
    return found


def _program(what: str) -> str:
    """Return a program as a person would write it: its name, where that is what the machine finds."""
    name = os.path.basename(what)
    found = shutil.which(name)
    same = found is not None and os.path.realpath(found) == os.path.realpath(what)
    return name if "/" not in what or same else what


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _parsed(text: str) -> Permission | None:
    try:
        permission = Permission.parse(text)
    except PermissionSyntaxError:
        return None
    return None if permission.wildcard else permission
