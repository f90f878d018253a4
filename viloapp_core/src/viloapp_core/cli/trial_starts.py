"""The starts that `viloapp bisect` tries, each with some of the plugins, and who judges them.

Which plugins is said in the environment of what is started, and nowhere else: there is nothing to restore.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli.asking import read_line
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation
from viloapp_core.foundation.commands import Finished, run
from viloapp_core.foundation.errors import CommandError
from viloapp_core.foundation.leash import end_with_parent
from viloapp_core.host.holding import ONLY

if TYPE_CHECKING:
    from viloapp_core.operations import Verdict

Start = Callable[[Mapping[str, str]], tuple["Verdict", dict[str, str]]]
"""Starts with an environment; returns how that went, and what is wrong by plugin, as far as it is known."""

_CANNOT_TELL = 125
_NOT_RUNNABLE = (126, 127)
"""Source: git-bisect(1) and the shell's own exit codes (POSIX, Shell Command Language, 2.8.2)."""
_END_S = 20.0
_ANSWERS: Mapping[str, Verdict] = {"g": "good", "b": "bad", "s": "skip"}


class Starts:
    """Counts the starts, tells of each, and keeps why they failed.

    Args:
        invocation: where it is told.
        start: what tries one.
        items: all plugins.
    """

    def __init__(self, invocation: Invocation, start: Start, items: Sequence[str]) -> None:
        self.reasons: dict[str, str] = {}
        self._invocation = invocation
        self._start = start
        self._items = items
        self._count = 0

    def one(self, plugins: tuple[str, ...]) -> Verdict:
        """Try a start with some of the plugins."""
        self._count += 1
        output = self._invocation.output
        output.note(f"start {self._count}, with {_named(plugins, self._items)}")
        verdict, reasons = self._start({**os.environ, ONLY: ",".join(plugins)})
        self.reasons |= reasons
        output.note(f"  {verdict}" + "".join(f"; {key}: {why}" for key, why in reasons.items()))
        return verdict


def _named(plugins: Sequence[str], items: Sequence[str]) -> str:
    if len(plugins) == len(items):
        return "all plugins"
    without = [item for item in items if item not in plugins]
    if plugins and len(without) < len(plugins):
        return f"all but {', '.join(without)}"
    return ", ".join(plugins) or "no plugin"


def of_command(command: Sequence[str], timeout_s: float) -> Start:
    """Return what starts by a command of the person's; its output is shown."""

    def start(environ: Mapping[str, str]) -> tuple[Verdict, dict[str, str]]:
        done = _finished(command, environ, timeout_s, shown=True)
        if done is not None and done.returncode in _NOT_RUNNABLE:
            raise CliError("not_runnable", f"{command[0]} cannot be run: exit code {done.returncode}")
        if done is None:
            return "bad", {}
        return "skip" if done.returncode == _CANNOT_TELL else "bad" if done.returncode else "good", {}

    return start


def of_ours(command: Sequence[str], timeout_s: float) -> Start:
    """Return what starts in a process of ours, and is told what is wrong with which plugin."""

    def start(environ: Mapping[str, str]) -> tuple[Verdict, dict[str, str]]:
        done = _finished(command, environ, timeout_s, shown=False)
        if done is None or done.returncode == 0:
            return "bad" if done is None else "good", {}
        told = _json(done.stdout)
        if isinstance(faults := told.get("faults"), dict):
            return "bad", {str(key): str(why) for key, why in faults.items()}
        error = told.get("error", {})
        if error.get("code") == "host_running":
            raise CliError("host_running", "ViloApp was started on this store meanwhile", "end it first")
        return "bad", {"ViloApp": str(error.get("detail", f"exit code {done.returncode}"))}

    return start


def _finished(
    command: Sequence[str], environ: Mapping[str, str], timeout_s: float, *, shown: bool
) -> Finished | None:
    """Run to the end; None when time was up, and all of it was killed.

    Raises:
        CommandError: it cannot be run.
    """

    def show(line: str) -> None:
        click.echo(f"  | {line}", err=True)

    try:
        return run(command, env=environ, timeout_s=timeout_s, on_line=show if shown else None)
    except CommandError as error:
        if error.code == "command_timeout":
            return None
        raise


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def judged(invocation: Invocation, command: Sequence[str]) -> Start:
    """Return what starts the workspace and asks the person how it is.

    Raises:
        CliError: nobody can be asked.
    """
    if not (sys.stdin and sys.stdin.isatty() and invocation.output.on_terminal()):
        raise CliError(
            "no_answer", "nobody can be asked whether a start is good", "use --auto, or --run COMMAND"
        )

    def start(environ: Mapping[str, str]) -> tuple[Verdict, dict[str, str]]:
        ours = os.getpid()
        with subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,  # Ctrl-C is ours, and ends it below
            preexec_fn=lambda: end_with_parent(ours),  # and so does whatever kills us
        ) as process:
            try:
                return _asked(invocation, process), {}
            finally:
                _end(process)

    return start


def _asked(invocation: Invocation, process: subprocess.Popen[bytes]) -> Verdict:
    """Ask until there is an answer, or nothing to judge any more."""
    output = invocation.output
    output.say("Is it [g]ood, [b]ad, or can you not tell: [s]kip? [q]uit")
    while True:
        typed = read_line(lambda: process.poll() is not None)
        if typed is None:
            output.say(f"It ended by itself (exit code {process.returncode}), which is bad.")
            return "bad"
        if not typed or typed.strip().lower()[:1] == "q":
            raise CliError("no_answer", "no answer was given; nothing was changed")
        if (verdict := _ANSWERS.get(typed.strip().lower()[:1])) is not None:
            return verdict
        output.say("[g]ood, [b]ad, [s]kip or [q]uit?")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
