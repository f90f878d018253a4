"""`viloapp logs`: what a plugin printed and logged."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO, Self

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.foundation.names import normalized

_NAME = "worker.log"
_POLL_S = 0.2


@click.command("logs", cls=options.ViloCommand)
@click.argument("plugin", metavar="ID", shell_complete=plugin_ids)
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is logged, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(min=0),
    metavar="N",
    default=100,
    show_default=True,
    help="How many of the last lines to print first.",
)
@click.option("--crashes", is_flag=True, help="List the crash reports instead, the newest first.")
@click.option(
    "--crash",
    metavar="NAME",
    help="Print this crash report instead: a name of the list, or 'latest'.",
)
@options.json_output
@pass_invocation
def logs_command(
    invocation: Invocation, plugin: str, follow: bool, count: int, crashes: bool, crash: str | None
) -> None:
    """Print what a plugin wrote to its log, standard output and standard error, or its crash reports."""
    folder = invocation.store().plugin(normalized(plugin)).log_dir
    if crashes or crash:
        from viloapp_core.cli import crash_reports

        crash_reports.show(invocation.output, normalized(plugin), folder, crash)
        return
    if invocation.output.as_json:
        if follow:
            raise click.UsageError("--json prints one object, and --follow has no end")
        with Log(folder / _NAME) as log:
            invocation.output.json(
                {"plugin": normalized(plugin), "lines": log.last(count, with_unfinished=True)}
            )
        return
    with Log(folder / _NAME) as log:
        # A log is text of the plugin's choice: on a terminal it must not move the cursor or set the title.
        output = invocation.output
        show = output.line if output.stdout is not None and output.stdout.isatty() else output.raw
        for line in log.last(count, with_unfinished=not follow):
            show(line)
        while follow:
            for line in log.new():
                show(line)
            time.sleep(_POLL_S)


class Log:
    """A plugin's log, read on across its rotation: each line once, none lost.

    Args:
        path: the newest file; ``<path>.1`` is the one before, and so on. It need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None
        self._unfinished = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream:
            self._stream.close()

    def last(self, count: int, *, with_unfinished: bool = False) -> list[str]:
        """Return the last lines until now, going back into the rotated files; `new` goes on from there.

        Args:
            count: how many at most.
            with_unfinished: also what has no line break yet, as a line; for a reader that does not go on.
        """
        found = self.new()
        if with_unfinished and self._unfinished:
            found.append(_text(self._unfinished))
        for older in sorted(self._path.parent.glob(f"{self._path.name}.[0-9]")):
            if len(found) >= count:
                break
            found = _lines(older) + found
        return found[len(found) - count :] if count < len(found) else found

    def new(self) -> list[str]:
        """Return the whole lines that were added since the last time."""
        found = self._drain()
        while newest := self._newest():
            found += self._drain()  # what came between the last look and the rotation
            if self._stream:
                self._stream.close()
            self._stream = newest
            found += self._drain()
        return found

    def _drain(self) -> list[str]:
        if self._stream is None:
            return []
        *whole, self._unfinished = (self._unfinished + self._stream.read()).split(b"\n")
        return [_text(line) for line in whole]

    def _newest(self) -> BinaryIO | None:
        """Open the file that now has the name; None when it is the one that is open, or there is none."""
        try:
            newest = self._path.open("rb")
        except FileNotFoundError:
            return None
        if self._stream and os.path.sameopenfile(self._stream.fileno(), newest.fileno()):
            newest.close()
            return None
        return newest


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; none when it was rotated away meanwhile."""
    try:
        return [_text(line) for line in path.read_bytes().removesuffix(b"\n").split(b"\n")]
    except FileNotFoundError:
        return []


def _text(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r")
