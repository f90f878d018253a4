"""Files of the test's own, opened as the host opens them: after a look at what was granted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import Any, TypeVar

from viloapp_sdk.errors import InvalidArgumentsError, ViloError
from viloapp_sdk.manifest.needs import opening
from viloapp_sdk.manifest.permission import Permission
from viloapp_sdk.testing.grants import FakePermissions

__all__ = ["FakeFiles"]

T = TypeVar("T")


class FakeFiles:
    """Answers ``files.*``.

    Real files, real permissions of the vocabulary, and where links lead counts. What the host refuses to
    everybody (keys, logins, its own store) is not known here: a test has files of its own.

    Args:
        permissions: what the plugin may.
        home: what ``~`` stands for.
    """

    def __init__(self, permissions: FakePermissions, home: Path) -> None:
        self._permissions = permissions
        self._home = home

    def open(self, path: str, mode: str) -> int:
        """Return a descriptor, which is its own ticket.

        Raises:
            InvalidArgumentsError: there is no such mode, or the path is none.
            PermissionDeniedError: nothing allows it.
            ViloError: (``file_unavailable``) the system refused.
        """
        flags, scope = opening(mode)
        real = self._judge(path, scope, "files.open")
        return _tried(real, lambda: os.open(real, flags, 0o666))

    def write(self, path: str, data: bytes) -> None:
        """Replace a file's content; see `open` for what it raises."""
        real = self._judge(path, "write", "files.write")
        _tried(real, lambda: real.write_bytes(data))

    def list(self, path: str) -> list[dict[str, Any]]:
        """Return what is in a folder; see `open` for what it raises."""
        real = self._judge(path, "read", "files.list")
        return _tried(real, lambda: [_described(each) for each in sorted(real.iterdir())])

    def stat(self, path: str) -> dict[str, Any]:
        """Return what is known of a file or a folder; see `open` for what it raises."""
        real = self._judge(path, "read", "files.stat")
        return _tried(real, lambda: _described(real))

    def _judge(self, path: str, scope: str, call: str) -> Path:
        text = str(self._home) + path[1:] if path == "~" or path.startswith("~/") else path
        if not text.startswith("/") or "\0" in text:
            raise InvalidArgumentsError(f"{path[:80]!r} is no absolute path", "begin it with / or ~/")
        if ".." in text.split("/"):
            raise InvalidArgumentsError(f"{path[:80]!r} has '..' in it", "write the path that it means")
        written = os.path.normpath(text)
        real = os.path.realpath(written)
        for each in dict.fromkeys((written, real)):
            self._permissions.require(Permission("filesystem", scope, each), call)
        return Path(real)


def _tried(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        # The SDK makes an OSError of it again, by the number.
        why = f"{path}: {error.strerror or error}"
        raise ViloError("file_unavailable", why, str(error.errno or 0)) from None


def _described(path: Path) -> dict[str, Any]:
    found = path.lstat()
    kinds = ((S_ISREG, "file"), (S_ISDIR, "folder"), (S_ISLNK, "link"))
    kind = next((word for check, word in kinds if check(found.st_mode)), "other")
    return {"name": path.name, "kind": kind, "size": found.st_size, "modified": found.st_mtime}
