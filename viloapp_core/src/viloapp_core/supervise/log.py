"""Logs that are bounded on disk: all that a plugin's process prints, and the failures of all plugins."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["RotatingLog"]

MAX_BYTES = 1024 * 1024
KEPT = 2
"""Older files beside the current one: at most three megabytes for each plugin."""
_RECENT = 16 * 1024


class RotatingLog:
    """Appends bytes to ``worker.log`` and moves it to ``worker.log.1``, ``.2`` when it is full.

    Args:
        folder: where the files lie; made when it is missing.
        name: of the file.

    Attributes:
        written: how many bytes were handed to this object.
    """

    def __init__(self, folder: Path, name: str = "worker.log") -> None:
        self.path = folder / name
        self.written = 0
        self._recent = b""
        self._file: BinaryIO | None = None
        with contextlib.suppress(OSError):
            self._open()

    def write(self, data: bytes) -> None:
        """Append ``data``. A full disk loses lines of the log, never the host."""
        self.written += len(data)
        self._recent = (self._recent + data)[-_RECENT:]
        with contextlib.suppress(OSError):
            file = self._file or self._open()
            file.write(data)
            if file.tell() > MAX_BYTES:
                self._rotate()

    def since(self, mark: int) -> str:
        """Return what was written after ``mark`` bytes, its last 16 kilobytes at most; 0 is the beginning."""
        fresh = min(len(self._recent), self.written - mark)
        return self._recent[len(self._recent) - fresh :].decode(errors="replace")

    def tail(self, lines: int) -> list[str]:
        """Return the last lines that were written through this object, without blank ones."""
        return [line for line in self.since(0).splitlines() if line.strip()][-lines:]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> BinaryIO:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        return self._file

    def _rotate(self) -> None:
        self.close()
        for number in range(KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            with contextlib.suppress(FileNotFoundError):
                os.replace(older, self.path.with_name(f"{self.path.name}.{number}"))
