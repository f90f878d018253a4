"""Copies beside a file before it is changed: whole, and never over another file."""

from __future__ import annotations

import contextlib
import os
import shutil
from itertools import count
from pathlib import Path

from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import sync_dir

__all__ = ["back_up"]

SUFFIX = ".backup"
"""In place of the file's own. Source: the specification, ``backup_original``."""


def back_up(path: Path) -> Path:
    """Copy `path` to a name beside it that is free, and return that.

    The first name is the file's with the suffix ``.backup``, then ``.backup-2``, ``-3`` … A copy that is
    there already and holds the same is taken again: a command that was killed after it leaves no second one.
    The copy gets its name when it is whole, and only if nobody has that name.

    Raises:
        FileError: the copy cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        data = path.read_bytes()
        for number in count(1):
            target = path.with_suffix(SUFFIX if number == 1 else f"{SUFFIX}-{number}")
            if _holds(target, data):
                return target
            if os.path.lexists(target):
                continue
            if not partial.exists():
                _write(partial, data, like=path)
            if _name(partial, target):
                sync_dir(path.parent)
                return target
    except OSError as error:
        raise FileError(f"no copy of {path} can be made: {error.strerror}", "nothing was changed") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    raise AssertionError("there is always a next number")


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == data


def _write(path: Path, data: bytes, *, like: Path) -> None:
    # Nobody may read it who may not read the original, at no moment.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)
    shutil.copystat(like, path)


def _name(partial: Path, target: Path) -> bool:
    """Give a whole copy its name, if that is free; return whether it was."""
    try:
        os.link(partial, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without links: there the name is taken first
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return False
        os.close(descriptor)
        os.replace(partial, target)
    return True
