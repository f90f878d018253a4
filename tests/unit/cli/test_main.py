"""What becomes of exceptions, signals and closed pipes: lines, and an exit code."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from viloapp_core.cli.errors import CliError, failure
from viloapp_core.store import InstalledPlugin
from viloapp_sdk.errors import ViloError

from .conftest import OnTerminal, Ran

VILOAPP = [sys.executable, "-m", "viloapp_core.cli.main"]


@pytest.mark.parametrize(
    ("error", "exit_code", "code", "detail"),
    [
        (ViloError("gone", "it is gone", "look"), 1, "gone", "it is gone"),
        (builtins.ExceptionGroup("g", [CliError("refused", "no")]), 1, "refused", "no"),
        (click.UsageError("No such\n option."), 2, "usage", "No such option"),
        (click.Abort(), 1, "no_answer", "no answer was given; nothing was changed"),
        (PermissionError(13, "Permission denied", "/x"), 1, "os_error", "Permission denied: /x"),
        (ValueError("odd"), 1, "internal_error", "unexpected ValueError: odd"),
    ],
)
def test_each_exception_becomes_a_line_and_an_exit_code(
    error: BaseException, exit_code: int, code: str, detail: str
) -> None:
    """Refusals are 1 and wrong usage is 2; what nobody foresaw is named with its type."""
    told = failure(error)
    assert (told.exit_code, told.code, told.detail) == (exit_code, code, detail)


def test_a_failure_is_told_as_json_too(viloapp: Callable[..., Ran]) -> None:
    """With `--json` a script reads the code, and a person the lines."""
    ran = viloapp("info", "nothing", "--json")
    assert ran.code == 1
    assert ran.json["schema"] == 1
    assert ran.json["error"]["code"] == "not_installed"
    assert ran.err.splitlines()[0] == "error: nothing is not installed"


def test_every_problem_has_its_line(viloapp: Callable[..., Ran]) -> None:
    """All that is wrong is said at once, each on a line that starts with `error:`."""
    ran = viloapp("disable", "one", "two")
    assert ran.code == 1
    assert [line for line in ran.err.splitlines() if line.startswith("error: ")] == [
        "error: one is not installed",
        "error: two is not installed",
    ]
    assert sum(line.startswith("hint: ") for line in ran.err.splitlines()) == 1


def test_tracebacks_only_with_vv(monkeypatch: pytest.MonkeyPatch, viloapp: Callable[..., Ran]) -> None:
    """A relative VILOAPP_HOME is refused in one line; -vv shows from where."""
    monkeypatch.setenv("VILOAPP_HOME", "relative")
    assert "Traceback" not in viloapp("-v", "list").err
    ran = viloapp("list", "-vv")
    assert "Traceback" in ran.err
    assert "error: VILOAPP_HOME is 'relative', which is not an absolute path" in ran.err


def test_a_reader_that_leaves_is_no_error(installed: Callable[..., InstalledPlugin]) -> None:
    """`viloapp list | head -0` prints nothing on standard error."""
    installed()
    read, write = os.pipe()
    os.close(read)
    try:
        ran = subprocess.run(
            [*VILOAPP, "list"], stdout=write, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(write)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(installed: Callable[..., InstalledPlugin]) -> None:
    """Output that cannot be written is a failure."""
    installed()
    with open("/dev/full", "wb") as full:
        ran = subprocess.run([*VILOAPP, "list"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"error: No space left on device\n")


def test_closed_streams_are_no_error(installed: Callable[..., InstalledPlugin]) -> None:
    """`viloapp list >&- 2>&-` runs, and says nothing."""
    installed()
    ran = subprocess.run(["sh", "-c", f"{' '.join(VILOAPP)} list >&- 2>&-"], timeout=60, check=False)
    assert ran.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_as_a_shell_expects(
    installed: Callable[..., InstalledPlugin], number: signal.Signals
) -> None:
    """128 + n, and no traceback."""
    plugin = installed()
    (plugin.log_dir / "worker.log").write_text("ready\n")
    # A test runner in the background has SIGINT ignored, one under nohup SIGHUP, and children inherit that.
    with subprocess.Popen(
        [*VILOAPP, "logs", "hello", "-f"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL) and None,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()  # one that did not hear the signal must not hold up the tests
    assert (process.returncode, err) == (128 + number, b"")


def test_an_ignored_signal_stays_ignored(installed: Callable[..., InstalledPlugin]) -> None:
    """`nohup viloapp …` outlives its terminal."""
    plugin = installed()
    log = plugin.log_dir / "worker.log"
    log.write_text("ready\n")
    with subprocess.Popen(
        [*VILOAPP, "logs", "hello", "-f"],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN) and None,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGHUP)
        with log.open("a") as stream:
            stream.write("still here\n")
        assert process.stdout.readline() == b"still here\n"
        process.terminate()


def test_colours_are_for_terminals_without_no_color(on_terminal: Callable[..., OnTerminal]) -> None:
    """`error:` is red on a terminal, and plain with NO_COLOR or on a dumb one."""
    colored, plain, dumb = (
        on_terminal("info", "nothing", **env) for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"})
    )
    assert [command.end() for command in (colored, plain, dumb)] == [1, 1, 1]
    assert "\x1b[31m\x1b[1merror:" in colored.shown
    assert "\x1b" not in plain.shown
    assert "\x1b" not in dumb.shown


def test_version_and_quiet(viloapp: Callable[..., Ran]) -> None:
    """`--version` prints one line; `-q` leaves out notes, wherever it stands."""
    assert viloapp("--version").out.startswith("viloapp ")
    assert "no plugins are installed" in viloapp("list").err
    assert viloapp("-q", "list").err == ""
    assert viloapp("list", "-q").err == ""
