"""Short commands and what is left of them: nothing."""

from __future__ import annotations

import os
import select
import sys
import threading
from pathlib import Path

import pytest

from viloapp_core.foundation.commands import run
from viloapp_core.foundation.errors import CommandError

SHELL = "/bin/sh"


def test_streams_code_and_lines(tmp_path: Path) -> None:
    """Both streams come back apart, lines as they come, and the exit code is no error."""
    lines: list[str] = []
    finished = run(
        [SHELL, "-c", "echo out; echo err >&2; printf last; pwd -P; exit 3"],
        env={},
        cwd=tmp_path,
        timeout_s=30,
        on_line=lines.append,
    )
    assert finished.returncode == 3
    assert finished.stdout == f"out\nlast{tmp_path.resolve()}\n"
    assert finished.stderr == "err\n"
    assert sorted(lines) == sorted(["out", "err", f"last{tmp_path.resolve()}"])


def test_nothing_is_inherited() -> None:
    """The environment is the one that is given, and standard input is empty."""
    code = "import os, sys; print(sorted(os.environ), repr(sys.stdin.read()))"
    finished = run([sys.executable, "-I", "-S", "-c", code], env={"ONE": "1"}, timeout_s=30)
    names = finished.stdout.split("]")[0]
    assert "'ONE'" in names
    assert "HOME" not in names
    assert finished.stdout.endswith("''\n")


def test_a_program_that_is_not_there() -> None:
    """It is named."""
    with pytest.raises(CommandError, match="/no/such/program") as caught:
        run(["/no/such/program"], env={}, timeout_s=1)
    assert caught.value.code == "command_not_started"


def _stays(marker: Path) -> list[str]:
    """Return a command whose grandchild writes its id and then waits for ever, as does the command."""
    return [SHELL, "-c", f"sleep 1000 & echo $! > {marker}.part; mv {marker}.part {marker}; echo up; wait"]


def _is_gone(pid: int) -> bool:
    """Whether a killed process ends; whoever adopted it may take a moment to bury it."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watch], [], [], 10)[0])
    finally:
        os.close(watch)


def test_time_is_up_for_the_whole_group(tmp_path: Path) -> None:
    """A command that takes too long is killed with all that it started."""
    marker = tmp_path / "pid"
    with pytest.raises(CommandError) as caught:
        run(_stays(marker), env={"PATH": os.environ["PATH"]}, timeout_s=0.7)
    assert caught.value.code == "command_timeout"
    assert _is_gone(int(marker.read_text()))


def test_cancelled_from_another_thread(tmp_path: Path) -> None:
    """Setting the event ends the command and its children."""
    marker, cancel = tmp_path / "pid", threading.Event()
    with pytest.raises(CommandError) as caught:
        run(
            _stays(marker),
            env={"PATH": os.environ["PATH"]},
            timeout_s=60,
            on_line=lambda line: cancel.set(),
            cancel=cancel,
        )
    assert caught.value.code == "command_cancelled"
    assert _is_gone(int(marker.read_text()))


def test_an_interrupt_ends_the_command_too(tmp_path: Path) -> None:
    """Ctrl-C, or anything that a listener raises, leaves nothing running."""
    marker = tmp_path / "pid"

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(_stays(marker), env={"PATH": os.environ["PATH"]}, timeout_s=60, on_line=interrupt)
    assert _is_gone(int(marker.read_text()))


def test_a_flood_keeps_its_end() -> None:
    """Memory is bounded, and the end of the output, where the reason stands, is kept."""
    code = "import sys; sys.stdout.write('x' * 8_000_000 + 'the reason')"
    finished = run([sys.executable, "-I", "-S", "-c", code], env={}, timeout_s=60)
    assert finished.stdout.endswith("the reason")
    assert len(finished.stdout) <= 1024 * 1024
