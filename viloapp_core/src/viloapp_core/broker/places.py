"""Files reached one folder after the other, through no link; and what no plugin is given."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from viloapp_core.sandbox import masks

__all__ = ["describe", "hidden", "list_folder", "open_file", "replace_file"]

_KERNEL = ("/proc", "/sys", "/dev", "/run")


def hidden(path: Path, home: Path, store: Path) -> str | None:
    """Return why nobody gets a path, None when it is an ordinary one.

    Args:
        path: free of links.
        home: the person's.
        store: the store's folder.
    """
    for name in masks.SECRETS:
        if masks.within(path, Path(os.path.realpath(home / name))):
            return f"~/{name} is key material or a person's own record"
    if masks.within(path, Path(os.path.realpath(store))):
        return "it is part of the store"
    if any(masks.within(path, Path(each)) for each in _KERNEL):
        return "it is the system's own, not a file"
    return None


def open_file(path: Path, flags: int) -> int:
    """Open an ordinary file; nothing else is touched, not even opened for a moment.

    Args:
        path: absolute, free of links.
        flags: of ``open(2)``.

    Raises:
        OSError: it is a link by now, or no ordinary file, or the system refused.
    """
    common = flags | os.O_CLOEXEC | os.O_NOCTTY
    with _folder(path.parent) as parent:
        if flags & os.O_CREAT:
            try:
                return os.open(path.name, common | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=parent)
            except FileExistsError:
                if flags & os.O_EXCL:
                    raise
        held = os.open(path.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            if not stat.S_ISREG(os.fstat(held).st_mode):
                raise OSError(errno.EINVAL, "not an ordinary file")
            # Not waiting: who holds a lease on it (fcntl(2), F_SETLEASE) could have the host wait for 45 s.
            opened = os.open(f"/proc/self/fd/{held}", common & ~(os.O_CREAT | os.O_EXCL) | os.O_NONBLOCK)
            os.set_blocking(opened, True)
            return opened
        finally:
            os.close(held)


def replace_file(path: Path, data: bytes) -> None:
    """Put a new file in a file's place, with its mode.

    Args:
        path: absolute, free of links.
        data: its content.

    Raises:
        OSError: the system refused; the old file is as it was.
    """
    with _folder(path.parent) as parent:
        mode = 0o666
        with suppress(FileNotFoundError):
            old = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISREG(old.st_mode):
                raise OSError(errno.EINVAL, "not an ordinary file")
            mode = old.st_mode & 0o777  # never set-user-id: the content is a plugin's
        new = f".{path.name[:200]}.{secrets.token_hex(6)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new, flags, mode, dir_fd=parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            os.replace(new, path.name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(new, dir_fd=parent)
            raise


def list_folder(path: Path, most: int) -> list[dict[str, Any]]:
    """Return what is in a folder.

    Args:
        path: absolute, free of links.
        most: how many entries are listed.

    Raises:
        OSError: the system refused, or it has more.
    """
    rows: list[dict[str, Any]] = []
    with _folder(path, os.O_RDONLY) as folder, os.scandir(folder) as entries:
        for entry in entries:
            if len(rows) >= most:
                raise OSError(errno.EOVERFLOW, f"it has more than {most} entries")
            with suppress(FileNotFoundError):
                rows.append(describe(entry.name, entry.stat(follow_symlinks=False)))
    return sorted(rows, key=lambda row: str(row["name"]))


def describe(name: str, about: os.stat_result) -> dict[str, Any]:
    """Return ``{"name", "kind", "size", "modified"}``; kind is file, folder, link or other."""
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"), (stat.S_ISLNK, "link"))
    kind = next((word for check, word in kinds if check(about.st_mode)), "other")
    shown = name.encode(errors="replace").decode()
    return {"name": shown, "kind": kind, "size": about.st_size, "modified": about.st_mtime}


@contextmanager
def _folder(path: Path, last: int = os.O_PATH) -> Iterator[int]:
    """Open a folder from the root on, following no link."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    here = os.open("/", flags | (last if path == Path("/") else os.O_PATH))
    try:
        for number, part in enumerate(path.parts[1:], 2):
            mode = last if number == len(path.parts) else os.O_PATH
            below = os.open(part, flags | mode, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)
