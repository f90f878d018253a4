"""Which of the person's own folders a plugin's permissions put in its sight. Pure.

``filesystem.read.R`` and ``filesystem.write.R``, where R is ``workspace``, ``home_directory``, an absolute
path or one below ``~/``. ``temp_files`` and ``plugin_data`` are private folders that every worker has.
"""

from collections.abc import Iterator
from pathlib import Path

from viloapp_core.permissions import Permission, allows
from viloapp_core.sandbox.errors import FolderRefusedError
from viloapp_core.sandbox.masks import SECRETS, within
from viloapp_core.sandbox.request import Disk, Request

__all__ = ["shared_folders", "why_never"]

# A folder that is one of these, or holds one, is the machine and no project.
_THE_MACHINE = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")
_NEVER_BELOW = ("/dev", "/etc", "/proc", "/run", "/sys")


def shared_folders(request: Request, *, home: Path, disk: Disk) -> dict[Path, bool]:
    """Return the folders, free of links, and whether each may be written; an outer one before an inner one.

    Raises:
        PermissionSyntaxError: an id is no permission.
        FolderRefusedError: one is the machine's own, or holds secrets, or is part of the store.
    """
    found: dict[Path, bool] = {}
    for path, writable in _asked(request, home):
        folder = disk.resolve(path)
        if disk.exists(folder):
            _refuse(request, folder, home, disk)
            found[folder] = found.get(folder, False) or writable
    return dict(sorted(found.items()))


def _asked(request: Request, home: Path) -> Iterator[tuple[Path, bool]]:
    granted = [Permission.parse(text) for text in request.permissions]
    places = {"workspace": request.workspace, "home_directory": home}
    for name, place in places.items():
        for scope in ("read", "write"):
            if place is not None and allows(granted, Permission("filesystem", scope, name)):
                yield place, scope == "write"
    for permission in granted:
        if permission.category != "filesystem" or permission.scope not in ("read", "write", "*"):
            continue
        if permission.resource.startswith("/"):
            yield Path(permission.resource.rstrip("*")), permission.scope != "read"
        elif permission.resource.startswith("~/"):
            yield home / permission.resource[2:].rstrip("*"), permission.scope != "read"


def why_never(folder: Path, *, home: Path, store: Path, disk: Disk) -> str:
    """Return why a folder or file, free of links, is shared with no plugin; empty where it may be."""
    if any(within(Path(system), folder) for system in _THE_MACHINE) or any(
        within(folder, Path(system)) for system in _NEVER_BELOW
    ):
        return "is the machine's own"
    if any(within(folder, disk.resolve(home / name)) for name in SECRETS):
        return "holds secrets"
    return "is part of the store" if within(folder, disk.resolve(store)) else ""


def _refuse(request: Request, folder: Path, home: Path, disk: Disk) -> None:
    if why := why_never(folder, home=home, store=request.store, disk=disk):
        is_workspace = request.workspace is not None and folder == disk.resolve(request.workspace)
        raise FolderRefusedError(request.plugin_id, str(folder), why, is_workspace=is_workspace)
