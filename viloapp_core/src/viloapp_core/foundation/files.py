"""Files that are there whole or not at all, and locks between processes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Any

from viloapp_core.foundation.errors import FileError, LockHeldError, UnreadableError

# A cap on what is read at once: none of our files comes near, and a hostile one must not fill memory.
_MAX_BYTES = 64 * 1024 * 1024
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data` so that a reader sees the old bytes or the new ones, even after a crash.

    Raises:
        FileError: the file cannot be written (no space, no right).
    """
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        os.replace(partial, path)
        sync_dir(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        hint = "move that folder away" if isinstance(error, IsADirectoryError) else ""
        raise FileError(f"{path} cannot be written: {error.strerror}", hint) from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` atomically as JSON; see `write_atomic`."""
    write_atomic(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def read_json(path: Path) -> Any:
    """Return the decoded JSON of `path`, or None when there is no such file.

    Raises:
        UnreadableError: the file is there and cannot be read.
        FileError: it is too large or not JSON.
    """
    if (data := read_bytes(path)) is None:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not JSON: {error}") from error


def read_bytes(path: Path) -> bytes | None:
    """Return what is in one of our files, or None when there is no such file.

    Raises:
        UnreadableError: the file is there and cannot be read.
        FileError: it is larger than any of ours.
    """
    try:
        # Without waiting: opening a FIFO in its place would last until somebody writes to it.
        with open(path, "rb", opener=_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnreadableError(f"{path} cannot be read: it is no ordinary file", passing=False)
            data = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        detail = f"{path} cannot be read: {error.strerror}"
        raise UnreadableError(detail, passing=error.errno in _PASSING) from error
    if len(data) > _MAX_BYTES:
        raise FileError(f"{path} is larger than {_MAX_BYTES} bytes")
    return data


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def sync_dir(folder: Path) -> None:
    """Make renames in `folder` durable. A file system that cannot is left as it is."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class FileLock:
    """An advisory lock between processes and between holders in one process (flock).

    It ends with its process, however that ends, and children do not inherit it:

        >>> with FileLock(tmp / "store.lock").acquire():
        ...     pass
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, *, blocking: bool = True, shared: bool = False) -> FileLock:
        """Take the lock and return self, for a ``with`` statement.

        Args:
            blocking: wait for it; otherwise fail at once.
            shared: with other shared holders, keeping exclusive ones out.

        Raises:
            LockHeldError: someone else holds it and `blocking` is false.
            FileError: the lock's file cannot be opened.
        """
        if self._descriptor is not None:
            raise LockHeldError(f"{self.path} is already held by this object")
        flags = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if blocking else fcntl.LOCK_NB)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise FileError(f"{self.path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, flags)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise LockHeldError(f"{self.path} is held by another process") from error
            raise
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Give the lock up; does nothing when it is not held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> FileLock:
        if self._descriptor is None:
            self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
