"""What the command line itself refuses, and how any exception becomes an exit code and lines for a person."""

from __future__ import annotations

from dataclasses import dataclass

import click

from viloapp_sdk.errors import ViloError

DONE = 0
FAILED = 1
USAGE = 2
BROKEN_PIPE = 141
"""128 + SIGPIPE, what a shell reports of a program that the reader of a pipe ended."""


class CliError(ViloError):
    """The command line refuses: an answer is missing, or another process stands in the way."""


class SignalError(KeyboardInterrupt):
    """A signal asked the command to end; cleans up as Ctrl-C does.

    Args:
        signum: the signal's number.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signum = signum


@dataclass(frozen=True)
class Failure:
    """What is left of an exception: the exit code, and what is told."""

    exit_code: int
    code: str
    detail: str
    hint: str = ""

    def to_json(self) -> dict[str, str]:
        """Return ``{"code", "detail", "hint"}``, the shape that errors have on the wire too."""
        return {"code": self.code, "detail": self.detail, "hint": self.hint}


def failure(error: BaseException) -> Failure:
    """Decide what a person is told of an exception, and the exit code.

    A group of one is told as its one; an exception that nobody foresaw is named with its type.
    """
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return failure(error.exceptions[0])
    if isinstance(error, ViloError):
        return Failure(FAILED, error.code, error.detail, error.hint)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "viloapp"
        return Failure(USAGE, "usage", _sentence(error.format_message()), f"see `{command} --help`")
    if isinstance(error, click.ClickException):
        return Failure(FAILED, "failed", _sentence(error.format_message()))
    if isinstance(error, (click.Abort, EOFError)):
        return Failure(FAILED, "no_answer", "no answer was given; nothing was changed")
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return Failure(FAILED, "os_error", f"{error.strerror}{where}")
    return Failure(
        FAILED,
        "internal_error",
        f"unexpected {type(error).__name__}: {error}",
        "this is a fault of ViloApp; -vv shows where it happened",
    )


def _sentence(message: str) -> str:
    """Return click's message without its full stop and its line breaks, as all others here are."""
    return " ".join(message.split()).removesuffix(".")
