"""Short commands: run one to its end, never leave any of it behind.

Long-lived children are `viloapp_core.process`'s business.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation.errors import CommandError

# What is kept of each stream; a command that prints more keeps only its end, where the reason stands.
_KEEP_BYTES = 1024 * 1024
# How often a waiting command looks at `cancel`, in seconds.
_POLL_S = 0.1


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    timeout_s: float,
    on_line: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run a command in a session of its own and return how it ended, whatever its exit code.

    When time is up, or anything is raised here (KeyboardInterrupt too), its whole process group is killed.

    Args:
        argv: the program's absolute path and its arguments.
        env: its whole environment; nothing is inherited.
        cwd: its folder; ours when None.
        timeout_s: how long it may take, in seconds.
        on_line: called with each line of stdout and stderr as it comes, without the line's end.
        cancel: when set from another thread, the command is killed.
        pass_fds: descriptors that it inherits under the same numbers.

    Raises:
        CommandError: ``command_not_started``, ``command_timeout`` or ``command_cancelled``.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except OSError as error:
        raise CommandError("command_not_started", f"{argv[0]} cannot be run: {error.strerror}") from error
    deadline = time.monotonic() + timeout_s
    try:
        stdout, stderr = _collect(process, deadline, on_line, cancel)
        # It may have closed its pipes and run on.
        returncode = process.wait(max(0.0, deadline - time.monotonic()))
        return Finished(returncode, stdout.text(), stderr.text())
    except (_OutOfTimeError, subprocess.TimeoutExpired) as error:
        raise CommandError("command_timeout", f"{argv[0]} did not end within {timeout_s:g} s") from error
    finally:
        _end(process)


class _OutOfTimeError(Exception):
    """The deadline passed; `run` says it with the command's name."""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the command's group; after it is reaped its number may be another's: nothing."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class _Stream:
    """The kept bytes of one pipe, handed on line by line."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._kept = bytearray()
        self._line = bytearray()
        self._on_line = on_line

    def feed(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * _KEEP_BYTES:
            del self._kept[:-_KEEP_BYTES]
        if self._on_line is None:
            return
        self._line += data
        *lines, rest = bytes(self._line).replace(b"\r", b"\n").split(b"\n")
        self._line = bytearray(rest[-_KEEP_BYTES:])
        for line in lines:
            if line:
                self._on_line(line.decode(errors="replace"))

    def end(self) -> None:
        if self._line:
            self.feed(b"\n")

    def text(self) -> str:
        return bytes(self._kept[-_KEEP_BYTES:]).decode(errors="replace")


def _collect(
    process: subprocess.Popen[bytes],
    deadline: float,
    on_line: Callable[[str], None] | None,
    cancel: threading.Event | None,
) -> tuple[_Stream, _Stream]:
    """Read both pipes until they close or the command has ended; raise when time is up or `cancel` is set."""
    stdout, stderr = _Stream(on_line), _Stream(on_line)
    with selectors.DefaultSelector() as selector:
        for pipe, stream in ((process.stdout, stdout), (process.stderr, stderr)):
            if pipe is not None:
                selector.register(pipe.fileno(), selectors.EVENT_READ, stream)
        while selector.get_map():
            if cancel is not None and cancel.is_set():
                raise CommandError("command_cancelled", "cancelled")
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise _OutOfTimeError
            ready = selector.select(min(left_s, _POLL_S))
            for key, _ in ready:
                if data := os.read(key.fd, 65536):
                    key.data.feed(data)
                else:
                    selector.unregister(key.fd)
            # A daemonised grandchild may keep the pipes open for ever; we wait for the command itself.
            if not ready and process.poll() is not None:
                break
    stdout.end()
    stderr.end()
    return stdout, stderr
