"""The entry point of the script `viloapp`: runs one command and turns what happens into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from viloapp_core.cli import signals
from viloapp_core.cli.errors import BROKEN_PIPE, DONE, failure
from viloapp_core.cli.invocation import Invocation
from viloapp_core.cli.output import Output
from viloapp_core.cli.root import root

_COMPLETE = "_VILOAPP_COMPLETE"
"""Set by the scripts of `viloapp completion`; Source: click's documentation, "Shell Completion"."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; this process's when None.

    Returns:
        The exit code: 0 done, 1 refused or failed, 2 wrong usage, 128 + n ended by signal n.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    invocation = Invocation()
    with signals.raising():
        return _guarded(arguments, invocation)


def _guarded(arguments: list[str], invocation: Invocation) -> int:
    """Run the command; every exception ends here, as lines on standard error."""
    output = invocation.output
    try:
        return _invoke(arguments, invocation)
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt as error:
        return signals.exit_code(error)
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # click's prompts turn Ctrl-C into this
            output.note("")
            return signals.exit_code(error.__context__)
        return _failed(error, output)
    except Exception as error:
        return _failed(error, output)


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
    try:
        output.failure(told)
    except OSError:
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


if __name__ == "__main__":
    sys.exit(main())
