"""As root: what is a plugin's belongs to its user, and what it has to read can be read by that."""

import contextlib
import os
import stat
from pathlib import Path

from viloapp_core.foundation.files import write_atomic

__all__ = ["give", "open_to_all", "root_only_file"]


def give(folder: Path, uid: int) -> None:
    """Make a folder and all in it the property of a user, links themselves and not what they lead to."""
    if os.lstat(folder).st_uid == uid:
        return
    for _path, folders, files, fd in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            os.chown(name, uid, uid, dir_fd=fd, follow_symlinks=False)
    # Last, as it says that the rest is done.
    os.chown(folder, uid, uid, follow_symlinks=False)


def open_to_all(folder: Path, sample: Path) -> None:
    """Let everybody read a generation, which lies below a folder that is its owner's alone.

    Args:
        folder: the generation.
        sample: a folder deep in it: when everybody may enter that, a strict umask was not in force.
    """
    if _open(folder) and _open(sample):
        return
    for _path, folders, files, fd in os.fwalk(folder, follow_symlinks=False):
        os.fchmod(fd, stat.S_IMODE(os.fstat(fd).st_mode) | 0o555)
        for name in files:
            mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and mode & 0o044 != 0o044:
                executable = 0o111 if mode & 0o100 else 0
                os.chmod(name, stat.S_IMODE(mode) | 0o444 | executable, dir_fd=fd)
        del folders


def root_only_file(store: Path) -> Path:
    """Return a file that only its owner may read, made when it is missing."""
    path = store / "root-only"
    with contextlib.suppress(FileNotFoundError):
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode) and status.st_uid == 0 and stat.S_IMODE(status.st_mode) == 0o600:
            return path
    write_atomic(path, b"A plugin that can read this is not confined, and is not started.\n")
    return path


def _open(folder: Path) -> bool:
    try:
        return stat.S_IMODE(os.stat(folder).st_mode) & 0o005 == 0o005
    except FileNotFoundError:
        return True
