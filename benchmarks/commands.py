"""Run a command and measure it, without anything of the user's that could change what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 600.0
_PASSED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


class BenchmarkError(Exception):
    """Something could not be measured; has what was run and what it said."""


@dataclass(frozen=True)
class Finished:
    """A command that ended well."""

    seconds: float
    """From before it was started until it had ended."""
    stdout: str
    progress: tuple[tuple[float, str], ...]
    """Each line of standard error, with the seconds after which it came."""


def script(name: str) -> str:
    """Return the path of a script of this interpreter's environment."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def base_python() -> str:
    """Return the interpreter that this one's virtualenv was made with."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def measure(words: Sequence[str | Path], environ: Mapping[str, str]) -> Finished:
    """Run a command to its end.

    Args:
        words: the command.
        environ: its variables, beside the few that every program needs.

    Raises:
        BenchmarkError: it failed.
    """
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    argv = [str(word) for word in words]
    progress: list[tuple[float, str]] = []
    # Standard output goes to a file: a pipe that nobody reads meanwhile would fill.
    with tempfile.TemporaryFile("w+") as stdout:
        began = time.perf_counter()
        with subprocess.Popen(
            argv,
            env={**kept, "PATH": os.defpath, **environ},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                progress.append((time.perf_counter() - began, line.rstrip()))
            code = process.wait(_TIMEOUT_S)
        seconds = time.perf_counter() - began
        stdout.seek(0)
        said = stdout.read()
    if code != 0:
        lines = "\n".join([*(line for _, line in progress[-20:]), said[-2000:]])
        raise BenchmarkError(f"{' '.join(argv)}: exit {code}\n{lines}")
    return Finished(seconds, said, tuple(progress))
