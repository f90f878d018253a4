"""A copy of a folder that a plugin may write to meanwhile, and a sign by which a change of it is seen.

As root the copy is made with more rights than the plugin has: no link is followed, and nothing but what the
folder itself holds is read, whatever is put in its place meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["copy_folder", "fingerprint"]


def copy_folder(source: Path, target: Path) -> None:
    """Copy files, folders and links; what is none of these (sockets, pipes) is left out.

    Args:
        source: need not exist.
        target: is made.

    Raises:
        OSError: something cannot be read or written.
    """
    target.mkdir(mode=0o700)
    for path, folders, files, fd in _walk(source):
        here = target / path
        for name in (*folders, *files):
            _copy(name, fd, here / name)
        os.utime(here, ns=(0, os.fstat(fd).st_mtime_ns))


def fingerprint(folder: Path) -> str:
    """Return a text that changes with what a folder holds."""
    import hashlib  # readers of a store need neither this nor shutil

    digest = hashlib.sha256()
    for path, folders, files, fd in _walk(folder):
        for name in sorted((*folders, *files)):
            try:
                found = os.stat(name, dir_fd=fd, follow_symlinks=False)
            except FileNotFoundError:
                continue
            size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
            row = (f"{path}/{name}", found.st_mode, size, found.st_mtime_ns, found.st_ino)
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str], int]]:
    """Yield each folder's path below the first, what it holds, and its descriptor; in order."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path, folders, files, fd in os.fwalk(folder, follow_symlinks=False):
        folders.sort()
        yield os.path.relpath(path, folder), folders, files, fd


def _copy(name: str, fd: int, target: Path) -> None:
    try:
        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return  # it went meanwhile
    if stat.S_ISLNK(found.st_mode):
        target.symlink_to(os.readlink(name, dir_fd=fd))
    elif stat.S_ISDIR(found.st_mode):
        target.mkdir(mode=0o700)
    elif stat.S_ISREG(found.st_mode):
        _copy_file(name, fd, target)


def _copy_file(name: str, fd: int, target: Path) -> None:
    import shutil

    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=fd), "rb") as reads, target.open("xb") as writes:
        found = os.fstat(reads.fileno())
        if not stat.S_ISREG(found.st_mode):
            return
        shutil.copyfileobj(reads, writes)
        writes.flush()
        os.fchmod(writes.fileno(), stat.S_IMODE(found.st_mode) & 0o777)
        os.fsync(writes.fileno())
        os.utime(writes.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
