"""What is kept of a plugin's failure: for listeners, and as one line in ``plugin_errors.log``."""

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.life import Life
from viloapp_core.supervise.log import RotatingLog

__all__ = ["FILE_NAME", "Failure", "FailureLog", "Kind", "failure_of", "traceback_in"]

FILE_NAME = "plugin_errors.log"
Kind = Literal["exit", "signal", "start", "start_timeout", "hung", "unhealthy", "protocol", "limit"]
_MAX_TRACEBACK = 8000
_LOG_LINES = 40
_WRAPPED_SIGNAL = 128
"""A wrapper (bubblewrap) reports a program that died of signal N as exit code 128 + N."""
# What Python writes above a stack: of an exception, of a fatal signal.
_TRACEBACK, _FATAL = "Traceback (most recent call last):", "Fatal Python error"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a plugin's process.

    Args:
        plugin_id: whose.
        version: of the plugin.
        kind: ``exit`` with a code or by a ``signal``; it did not ``start``, or not in time
            (``start_timeout``); it ``hung`` or was found ``unhealthy``; it broke the ``protocol``, or reached
            a ``limit``.
        error: why, in one line or a few.
        traceback: where in the plugin's code, as far as it is known; else empty.
        timestamp: seconds since the epoch.
        pid: process id of its first process, None when there was none.
        code: its exit code, None when a signal ended it.
        signal: the number of that signal.
        lived_s: seconds since its process was started.
        was_ready: whether it had answered.
        python: the version of the interpreter that it said it runs on.
        sdk: the version of viloapp-sdk that it said it has.
        running: what it was asked at that moment, without arguments, and for how many seconds.
        log: the last lines of its log.
    """

    plugin_id: str
    version: str
    kind: Kind
    error: str
    traceback: str
    timestamp: float
    pid: int | None = None
    code: int | None = None
    signal: int | None = None
    lived_s: float = 0.0
    was_ready: bool = False
    python: str = ""
    sdk: str = ""
    running: tuple[tuple[str, float], ...] = ()
    log: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return every field, of plain values."""
        return asdict(self)


def failure_of(
    plugin: InstalledPlugin, kind: Kind | None, error: str, life: Life, trace: str = ""
) -> Failure:
    """Return what is known of a failure.

    Args:
        plugin: whose.
        kind: what the host knows; None for what the process's end itself says.
        error: one line.
        life: the process, which has ended.
        trace: where it hung.
    """
    ending = life.ended.result()
    number = ending.status.signal
    if number is None and (ending.status.code or 0) > _WRAPPED_SIGNAL:
        number = (ending.status.code or 0) - _WRAPPED_SIGNAL
    if kind is None:
        kind = "limit" if ending.breach else "protocol" if life.fault else "signal" if number else "exit"
    now = time.time()
    return Failure(
        plugin_id=plugin.plugin_id,
        version=plugin.version,
        kind=kind,
        error=error,
        traceback=trace[-_MAX_TRACEBACK:] or traceback_in(life.log.since(0), kind),
        timestamp=now,
        pid=life.pid,
        code=None if number else ending.status.code,
        signal=number,
        lived_s=max(0.0, round(now - life.began, 3)),  # the clock may have been set back
        was_ready=life.was_ready,
        python=life.python,
        sdk=life.sdk,
        running=tuple((what, round(for_s, 3)) for what, for_s in life.running),
        log=tuple(life.log.tail(_LOG_LINES)),
    )


class FailureLog:
    """Appends a JSON object with ``plugin_id``, ``error``, ``traceback`` and ``timestamp`` for each failure.

    Source: the specification has the file, its name and its keys. Here it is bounded, as a plugin's log is:
    at most three megabytes, in ``plugin_errors.log`` and two older files.

    Args:
        folder: the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, failure: Failure) -> None:
        """Append a failure; a disk that is full, or cannot be written to, loses it."""
        row = {
            "plugin_id": failure.plugin_id,
            "error": failure.error,
            "traceback": failure.traceback,
            "timestamp": failure.timestamp,
        }
        with contextlib.suppress(OSError):
            log = RotatingLog(self._folder, FILE_NAME)
            try:
                log.write(json.dumps(row).encode() + b"\n")
            finally:
                log.close()


def traceback_in(text: str, kind: Kind) -> str:
    """Return the stack in a log that belongs to a failure of that kind; empty when there is none.

    A process that is killed says nothing, and what an earlier command raised has nothing to do with it.
    """
    starts = {"start": _TRACEBACK, "unhealthy": _TRACEBACK, "signal": _FATAL}
    if kind not in starts:
        return ""
    lines = text.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith(starts[kind])]
    return "\n".join(lines[found[-1] :])[-_MAX_TRACEBACK:] if found else ""
