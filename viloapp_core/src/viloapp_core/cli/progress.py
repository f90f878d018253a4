"""Progress of installations: a bar each on a terminal, a line per step otherwise; on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from viloapp_core.cli.output import Output
from viloapp_core.cli.text import one_line

if TYPE_CHECKING:
    from rich.progress import TaskID

    from viloapp_core.operations import ProgressEvent


class View(Protocol):
    """Shows progress; is the `Progress` port of the operations."""

    def __call__(self, event: ProgressEvent) -> None:
        """Show one event; called by the operation, in its thread."""

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal alone meanwhile: a question is asked."""


class Silent:
    """Shows nothing, for ``-q``."""

    def __call__(self, event: ProgressEvent) -> None:
        """Show nothing."""

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is drawn, so nothing pauses."""
        return nullcontext()


class Lines:
    """A line for each stage, for logs and pipes; with ``-v`` for each message. Counts alone make none."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: set[tuple[str, ...]] = set()

    def __call__(self, event: ProgressEvent) -> None:
        """Print the event unless the like was printed."""
        like: tuple[str, ...] = (event.plugin, event.stage)
        if self._output.verbosity > 0:
            like += (event.message,)
        if like not in self._told:
            self._told.add(like)
            self._output.note(describe(event))

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is drawn, so nothing pauses."""
        return nullcontext()


class Bars:
    """A bar per plugin, for a terminal; gone when all is done, for the outcome says it.

    Args:
        output: whose standard error is drawn on.
    """

    def __init__(self, output: Output) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[amount]}", markup=False),
            TimeElapsedColumn(),
            console=Console(file=output.stderr, no_color=not output.colored(), highlight=False),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: ProgressEvent) -> None:
        """Draw the event on its plugin's bar."""
        ended = event.stage == "done"
        if event.plugin not in self._tasks:
            self._tasks[event.plugin] = self._progress.add_task("", total=None, amount="")
        self._progress.update(
            self._tasks[event.plugin],
            description=describe(event),
            completed=1 if ended else event.done,
            total=1 if ended else event.total or None,
            amount=amount(event),
        )

    @contextmanager
    def drawn(self) -> Iterator[Bars]:
        """Draw as long as the operation lasts."""
        with self._progress:
            yield self

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal alone meanwhile: a question is asked."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextmanager
def view(output: Output) -> Iterator[View]:
    """Yield the way to show progress that fits where standard error goes."""
    if output.verbosity < 0 or output.stderr is None:
        yield Silent()
    elif output.on_terminal() and output.environ.get("TERM") != "dumb":
        with Bars(output).drawn() as bars:
            yield bars
    else:
        yield Lines(output)


def describe(event: ProgressEvent) -> str:
    """Return an event as one line: ``hello: fetch: numpy 1.26.4``."""
    return one_line(": ".join(part for part in (event.plugin, event.stage, event.message) if part))


def amount(event: ProgressEvent) -> str:
    """Return how much is done: ``1.2/18.3 MB`` of a fetch, ``3/7`` of anything else, or nothing."""
    if not event.total:
        return ""
    if event.stage == "fetch":
        return f"{event.done / 1e6:.1f}/{event.total / 1e6:.1f} MB"
    return f"{event.done}/{event.total}"
