"""The audit log, ``audit.jsonl``: what was granted, denied, asked and done on behalf of plugins.

One JSON line for each: ``time, event, plugin, permission, call, outcome, detail, count``. It never holds an
environment, a file's content or a URL's query; whoever records sees to that, and the lengths are bounded.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock, SystemClock, timestamp
from viloapp_core.foundation.files import read_bytes

__all__ = ["AuditLog", "read_audit"]

_FILE = "audit.jsonl"
MAX_BYTES = 4 * 1024 * 1024
KEPT = 4
"""Older files beside the current one: at most twenty megabytes in all."""
_DELAY_S = 0.2
"""How long a line may wait for others: equal ones become one line with a count."""
_MAX_WAITING = 2000
_MAX_TEXT = 500
_BURST, _PER_SECOND = 200.0, 1.0
"""Lines about what one plugin did in one way; those beyond are counted, not written. Otherwise whoever wants
something forgotten would do a million other things, until the last file that has it is removed."""
_PERSONS = ("grant", "revoke", "reset")
"""Never left out: what a person decided."""

Key = tuple[str, str, str, str, str, str]


class AuditLog:
    """Appends to the log of one store. `record` costs a look-up in a dict; a thread of its own writes.

    It is safe from any thread, and several processes may append to one log.

    Args:
        root: the store's folder.
        clock: for the times.
    """

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.path = root / _FILE
        self._clock = clock or SystemClock()
        self._waiting: dict[Key, list[Any]] = {}
        self._dropped: dict[str, int] = {}
        self._budgets: dict[tuple[str, str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.problem = ""
        """Why what was written last is not in the log; empty when it is."""

    def record(
        self,
        event: str,
        plugin: str,
        permission: str = "",
        call: str = "",
        outcome: str = "",
        detail: str = "",
    ) -> None:
        """Note that something happened; never raises and never waits for the disk.

        Args:
            event: ``grant``, ``revoke``, ``deny``, ``prompt``, ``answer``, ``broker``, ``limit`` …
            plugin: id of the plugin that it concerns.
            permission: which.
            call: what was called, such as ``terminals.open``.
            outcome: what became of it.
            detail: more for a person; no secrets.
        """
        texts = (event, plugin, permission, call, outcome, detail)
        key: Key = tuple(text[:_MAX_TEXT] for text in texts)  # type: ignore[assignment]  # six stay six
        with self._lock:
            if (known := self._waiting.get(key)) is not None:
                known[1] += 1
                return
            if event not in _PERSONS and not self._affords((plugin, event, call)):
                self._dropped[plugin] = self._dropped.get(plugin, 0) + 1
                return
            self._waiting[key] = [timestamp(self._clock), 1]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="viloapp-audit", daemon=True)
                self._thread.start()
        self._wake.set()

    def flush(self) -> None:
        """Write what waits. A full disk loses lines of the log, never the host; `problem` says so."""
        with self._writing:
            with self._lock:
                waiting, self._waiting = self._waiting, {}
                dropped, self._dropped = self._dropped, {}
            lines = [_line(key, time, count) for key, (time, count) in waiting.items()]
            for plugin, count in dropped.items():
                key = ("dropped", plugin, "", "", "", "too much happened at once")
                lines.append(_line(key, timestamp(self._clock), count))
            if lines:
                try:
                    self._append("".join(lines).encode())
                    self.problem = ""
                except OSError as error:
                    why = error.strerror or error
                    self.problem = f"{self.path} cannot be written ({why}): what happens is not recorded"

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()

    def _affords(self, way: tuple[str, str, str]) -> bool:
        """Take one line from what a plugin has left for one way of doing things; it grows with time."""
        if len(self._waiting) >= _MAX_WAITING:
            return False
        now = time.monotonic()
        left, since = self._budgets.get(way, (_BURST, now))
        left = min(_BURST, left + (now - since) * _PER_SECOND)
        self._budgets[way] = (max(left - 1, 0), now)
        return left >= 1

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            self._ended.wait(_DELAY_S)
            self.flush()

    def _append(self, data: bytes) -> None:
        """Append under a lock, since another process may be moving the files along."""
        # Without waiting, as a FIFO in its place would have us do.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        while True:
            descriptor = os.open(self.path, flags, 0o600)
            try:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise OSError(errno.EINVAL, "it is no ordinary file")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                found = os.fstat(descriptor)
                if not _is(self.path, found):
                    continue  # moved along between open and lock
                if found.st_size > MAX_BYTES:
                    self._rotate()
                    continue
                # After a line that was cut off begins another one.
                cut = found.st_size and os.pread(descriptor, 1, found.st_size - 1) != b"\n"
                left = memoryview(b"\n" + data if cut else data)
                while left:  # a disk that is about to be full takes a part
                    left = left[os.write(descriptor, left) :]
                return
            finally:
                os.close(descriptor)

    def _rotate(self) -> None:
        for number in range(KEPT, 0, -1):
            older = self.path.with_name(f"{_FILE}.{number - 1}") if number > 1 else self.path
            with contextlib.suppress(FileNotFoundError):
                os.replace(older, self.path.with_name(f"{_FILE}.{number}"))


def read_audit(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a store's log, oldest first; one that a crash cut off is left out.

    Raises:
        UnreadableError: one of its files cannot be read.
        FileError: one of its files is larger than any of ours.
    """
    for number in range(KEPT, -1, -1):
        for line in (read_bytes(root / (f"{_FILE}.{number}" if number else _FILE)) or b"").splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(line)
                if isinstance(value, dict):
                    yield value


def _line(key: Key, time: str, count: int) -> str:
    names = ("event", "plugin", "permission", "call", "outcome", "detail")
    return json.dumps({"time": time, **dict(zip(names, key, strict=True)), "count": count}) + "\n"


def _is(path: Path, found: os.stat_result) -> bool:
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return (now.st_dev, now.st_ino) == (found.st_dev, found.st_ino)
