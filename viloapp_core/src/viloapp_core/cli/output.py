"""Where everything is printed: data on standard output, the rest on standard error.

Source: https://no-color.org/ for `NO_COLOR`; https://bixense.com/clicolors/ is not followed.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import click

from viloapp_core.cli.errors import Failure
from viloapp_core.cli.shapes import SCHEMA, encode
from viloapp_core.cli.text import printable, table


class Output:
    """One command's two streams, and how much of what is told.

    Args:
        stdout: where data goes; None when the caller closed it.
        stderr: where notes, progress and errors go; None when the caller closed it.
        environ: read for ``NO_COLOR`` and ``TERM``.
    """

    def __init__(
        self,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.environ = environ
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self.as_json = False
        self.verbosity = 0
        """-1 quiet, 0 as usual, 1 what is done (-v), 2 everything and tracebacks (-vv)."""

    @classmethod
    def of_process(cls) -> Output:
        """Return the output on the streams of this process; what they cannot encode is spelt out."""
        for stream in (sys.stdout, sys.stderr):
            # Where it is so already, what could not be written would be tried once more.
            if hasattr(stream, "reconfigure") and stream.errors != "backslashreplace":
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdout, sys.stderr, os.environ)

    # -- data, on standard output ----------------------------------------------------------------------------

    def json(self, value: Mapping[str, Any]) -> None:
        """Print one JSON object with the field ``schema`` first."""
        self.raw(encode({"schema": SCHEMA, **value}, indent=2))

    def line(self, text: str) -> None:
        """Print text as data."""
        self.raw(printable(text))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows of cells in columns."""
        self.raw("\n".join(table(header, rows)))

    def raw(self, text: str) -> None:
        """Print text as it is, at once: a reader of the pipe may wait for it.

        Raises:
            OSError: the reader has gone, or the disk is full.
        """
        if self.stdout is not None:
            self.stdout.write(text + "\n")
            self.stdout.flush()

    def bytes(self, data: bytes) -> None:
        """Print bytes as they are, at once; a terminal gets text without what would command it.

        Raises:
            OSError: the reader has gone, or the disk is full.
        """
        if self.stdout is None:
            return
        if self.stdout.isatty():
            data = printable(self._decoder.decode(data)).encode(self.stdout.encoding, "backslashreplace")
        self.stdout.flush()
        # Past its buffer: what waits in there is waited for at the end, and the interpreter cannot end while
        # another thread waits with the buffer's lock.
        left = memoryview(data)
        while left:
            left = left[os.write(self.stdout.fileno(), left) :]

    # -- the rest, on standard error -------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Tell what a person wants to know meanwhile; nothing with ``-q``."""
        if self.verbosity >= 0:
            self._tell(printable(text))

    def say(self, text: str) -> None:
        """Tell what must be read, a question above all; even with ``-q``."""
        self._tell(printable(text))

    def warning(self, text: str) -> None:
        """Tell what may go wrong; even with ``-q``."""
        self._tell(self._styled("warning:", "yellow") + " " + printable(text))

    def failure(self, failed: Failure) -> None:
        """Tell why the command ends; with ``--json`` the same as an object on standard output.

        A line of the detail that is not indented is a problem of its own.
        """
        for line in failed.detail.splitlines() or [""]:
            indented = line[:1].isspace()
            self._tell(("" if indented else self._styled("error:", "red") + " ") + printable(line))
        for line in failed.hint.splitlines():
            self._tell(self._styled("hint:", "cyan") + " " + printable(line))
        if self.as_json:
            self.json({"error": failed.to_json()})

    def colored(self) -> bool:
        """Tell whether standard error takes colours: a terminal, and no ``NO_COLOR``."""
        return self.on_terminal() and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    def on_terminal(self) -> bool:
        """Tell whether standard error is a terminal, where progress may be drawn."""
        return self.stderr is not None and self.stderr.isatty()

    def _styled(self, text: str, color: str) -> str:
        return click.style(text, fg=color, bold=True) if self.colored() else text

    def _tell(self, text: str) -> None:
        """Write to standard error; one that went away must not stop what the command is doing."""
        if self.stderr is None:
            return
        try:
            self.stderr.write(text + "\n")
            self.stderr.flush()
        except OSError:
            self.stderr = None
