"""The whole command line: runs one command and turns what happens into an exit code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import click

from viloapp_core.cli import signals
from viloapp_core.cli.errors import BROKEN_PIPE, DONE, failure
from viloapp_core.cli.invocation import Invocation
from viloapp_core.cli.output import Output
from viloapp_core.cli.root import root

_COMPLETE = "_VILOAPP_COMPLETE"
"""Set by the scripts of `viloapp completion`; Source: click's documentation, "Shell Completion"."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code as `viloapp_core.cli.main.main` has it.

    Args:
        arguments: those after the program's name.
    """
    invocation = Invocation()
    with signals.raising():
        return _guarded(list(arguments), invocation)


def ended(error: BaseException) -> int:
    """Tell of what ended a quick answer; return the exit code."""
    return _told(error, Invocation().output)


def _guarded(arguments: list[str], invocation: Invocation) -> int:
    """Run the command; every exception ends here, as lines on standard error."""
    try:
        return _invoke(arguments, invocation)
    except BaseException as error:
        return _told(error, invocation.output)


def _told(error: BaseException, output: Output) -> int:
    if isinstance(error, BrokenPipeError):
        _abandon_stdout()
        return BROKEN_PIPE
    if isinstance(error, KeyboardInterrupt):
        _abandon_stdout()  # the last flush would wait for a reader that has stopped reading
        return signals.exit_code(error)
    if isinstance(error, click.Abort) and isinstance(error.__context__, KeyboardInterrupt):
        output.note("")  # click's prompts turn Ctrl-C into this
        _abandon_stdout()
        return signals.exit_code(error.__context__)
    if isinstance(error, Exception):
        return _failed(error, output)
    raise error


def _invoke(arguments: list[str], invocation: Invocation) -> int:
    if instruction := invocation.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(root, {"obj": invocation}, "viloapp", _COMPLETE, instruction)
    try:
        with root.make_context("viloapp", arguments, obj=invocation) as ctx:
            _log_to_stderr(invocation.output)
            result = root.invoke(ctx)
    except click.exceptions.Exit as finished:  # --help, --version
        return finished.exit_code
    return result if isinstance(result, int) else DONE


def _failed(error: BaseException, output: Output) -> int:
    """Tell of an exception."""
    if output.verbosity >= 2:
        import traceback

        output.note("".join(traceback.format_exception(error)).rstrip())
    told = failure(error)
    with contextlib.suppress(OSError):  # nobody reads it
        output.failure(told)
    try:
        if output.stdout is not None:
            output.stdout.flush()
    except OSError:  # a full disk: what it did not take is still here
        _abandon_stdout()
    return told.exit_code


def _log_to_stderr(output: Output) -> None:
    """Show the log with ``-v``; otherwise warnings alone, and no logging is imported for that."""
    if output.verbosity > 0 and output.stderr is not None:
        import logging

        level = logging.INFO if output.verbosity == 1 else logging.DEBUG
        logging.basicConfig(stream=output.stderr, level=level, format="%(levelname).1s %(name)s: %(message)s")


def _abandon_stdout() -> None:
    """Point standard output nowhere, so that the interpreter's last flush does not fail as well.

    Source: Python's documentation, "Note on SIGPIPE" of the module signal.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
