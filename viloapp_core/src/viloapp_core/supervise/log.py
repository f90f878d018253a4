"""A plugin's log: all that its process prints, bounded on disk."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["RotatingLog"]

MAX_BYTES = 1024 * 1024
KEPT = 2
"""Older files beside the current one: at most three megabytes for each plugin."""


class RotatingLog:
    """Appends bytes to ``worker.log`` and moves it to ``worker.log.1``, ``.2`` when it is full.

    Args:
        folder: where the files lie; made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / "worker.log"
        self._file = self._open()

    def write(self, data: bytes) -> None:
        """Append ``data``. A full disk loses lines of the log, never the host."""
        with contextlib.suppress(OSError):
            self._file.write(data)
            if self._file.tell() > MAX_BYTES:
                self._rotate()

    def tail(self, lines: int) -> list[str]:
        """Return the last lines that were written, without blank ones."""
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 16 * 1024))
            text = file.read().decode(errors="replace")
            return [line for line in text.splitlines() if line.strip()][-lines:]
        return []

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> BinaryIO:
        descriptor = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        return os.fdopen(descriptor, "ab", buffering=0)

    def _rotate(self) -> None:
        self._file.close()
        try:
            for number in range(KEPT, 0, -1):
                older = self.path.with_name(f"worker.log.{number - 1}") if number > 1 else self.path
                with contextlib.suppress(FileNotFoundError):
                    os.replace(older, self.path.with_name(f"worker.log.{number}"))
        finally:
            self._file = self._open()
