"""What a folder takes on disk, and what a sandbox's scratch folders take of memory."""

import contextlib
import os

__all__ = ["folder_mb", "scratch_mb"]

_MB = 1024 * 1024
_BLOCK = 512
_SCRATCH = ("/tmp", "/dev", "/dev/shm", "/run")


def folder_mb(path: str | os.PathLike[str], *, enough_mb: float) -> float:
    """Return the megabytes that a folder takes, as allocated: holes are free, and so are further links.

    Nothing is followed out of it: symbolic links are counted, not their targets. It may change meanwhile.
    What cannot be looked at (no right to, or a path longer than the system takes) counts as too much, since
    it may hide anything.

    Args:
        path: the folder; 0 when there is none.
        enough_mb: stop counting beyond this; a folder of millions of files is not walked to its end.
    """
    total, seen = 0, set()
    gone = contextlib.suppress(FileNotFoundError, NotADirectoryError)
    folders = [os.fspath(path)]
    while folders and total <= enough_mb * _MB:
        try:
            with gone, os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with gone:
                        found = entry.stat(follow_symlinks=False)
                        if found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                            if found.st_ino in seen:
                                continue
                            seen.add(found.st_ino)
                        total += found.st_blocks * _BLOCK
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
        except OSError:
            return max(total / _MB, enough_mb + 1)
    return total / _MB


def scratch_mb(pid: int) -> float:
    """Return the megabytes of memory behind the folders that are private to a process's sandbox.

    A folder that is also the host's own is not the sandbox's, and counts for nothing; neither does one that
    cannot be looked at.
    """
    total, seen = 0, set()
    for folder in _SCRATCH:
        with contextlib.suppress(OSError):
            inside = os.stat(f"/proc/{pid}/root{folder}").st_dev
            if os.major(inside) or inside in seen or inside == _outside(folder):
                continue
            seen.add(inside)
            system = os.statvfs(f"/proc/{pid}/root{folder}")
            total += (system.f_blocks - system.f_bfree) * system.f_frsize
    return total / _MB


def _outside(folder: str) -> int:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return -1
