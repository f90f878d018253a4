"""A profile where there is no bubblewrap: what Landlock alone can say of it. Pure.

Nothing is hidden and nothing is private: the worker sees the machine's folders at their places and may open
what the rules name. So there are no holes in a shared folder, and no folders in memory.
"""

from dataclasses import replace
from pathlib import Path

from viloapp_core.sandbox.errors import FolderRefusedError
from viloapp_core.sandbox.masks import within
from viloapp_core.sandbox.profile import RUN, Mount, MountKind, Profile

__all__ = ["scratch_folder", "without_mounts"]

# Of /proc its own entry, and what says nothing of others; of /dev what everybody has.
_PROC = (
    "self",
    "cpuinfo",
    "filesystems",
    "meminfo",
    "stat",
    "sys/kernel/osrelease",
    "sys/vm/overcommit_memory",
)
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")


def scratch_folder(data_dir: Path) -> Path:
    """Return where the worker's temporary files are."""
    return data_dir / ".tmp"


def without_mounts(plugin_id: str, profile: Profile) -> Profile:
    """Return the part of a profile that rules for paths can express, at the paths of the machine.

    Raises:
        FolderRefusedError: a shared folder holds what has to be hidden; rules can only add.
    """
    mounts: list[Mount] = []
    for mount in profile.mounts:
        match mount.kind:
            case MountKind.HIDE_FILE | MountKind.HIDE_FOLDER:
                why = f"holds {mount.target}, which cannot be hidden without bubblewrap"
                folder = next(each for each in profile.shared if within(mount.target, each))
                raise FolderRefusedError(plugin_id, str(folder), why, is_workspace=True)
            case MountKind.READ | MountKind.READ_IF_THERE | MountKind.WRITE:
                if not within(mount.target, RUN):
                    mounts.append(mount)
            case MountKind.PROCESSES:
                mounts += [Mount(MountKind.READ_IF_THERE, Path("/proc", name)) for name in _PROC]
            case MountKind.DEVICES:
                mounts += [Mount(MountKind.DEVICES, Path("/dev", name)) for name in _DEVICES]
            case _:
                pass
    environment = {**profile.environment, "TMPDIR": str(scratch_folder(profile.folder))}
    return replace(profile, mounts=tuple(mounts), environment=environment)
