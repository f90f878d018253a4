"""Progress: lines for pipes, bars for terminals, nothing when quiet."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from viloapp_core.cli.output import Output
from viloapp_core.cli.progress import amount, view
from viloapp_core.operations import ProgressEvent

from .conftest import OnTerminal

EVENTS = [
    ProgressEvent("hello", "resolve", "resolving hello"),
    ProgressEvent("hello", "resolve", "Collecting msgpack"),
    ProgressEvent("hello", "fetch", "msgpack", 0, 2_000_000),
    ProgressEvent("hello", "fetch", "msgpack", 1_000_000, 2_000_000),
    ProgressEvent("hello", "fetch", "other\x1b[2J", 1_000_000, 2_000_000),
]


def _lines(verbosity: int) -> list[str]:
    stream = io.StringIO()
    output = Output(None, stream, {})
    output.verbosity = verbosity
    with view(output) as shown:
        for event in EVENTS:
            shown(event)
    return stream.getvalue().splitlines()


def test_a_pipe_gets_a_line_for_each_stage() -> None:
    """Counts make no lines, and what pip collects is told with `-v` alone."""
    assert _lines(0) == ["hello: resolve: resolving hello", "hello: fetch: msgpack"]
    assert _lines(1) == [
        "hello: resolve: resolving hello",
        "hello: resolve: Collecting msgpack",
        "hello: fetch: msgpack",
        r"hello: fetch: other\x1b[2J",
    ]
    assert _lines(-1) == []


def test_a_listener_that_leaves_does_not_stop_the_installation() -> None:
    """`viloapp install … 2>&1 | head -1` installs."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with view(Output(None, Gone(), {})) as shown:
        for event in EVENTS:
            shown(event)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ProgressEvent("a", "fetch", "", 1_250_000, 18_300_000), "1.2/18.3 MB"),
        (ProgressEvent("a", "lay down", "", 3, 7), "3/7"),
        (ProgressEvent("a", "lock", ""), ""),
    ],
)
def test_amounts(event: ProgressEvent, text: str) -> None:
    """Bytes while fetching, counts otherwise, nothing where unknown."""
    assert amount(event) == text


ON_TERMINAL = """
from viloapp_core.cli.output import Output
from viloapp_core.cli.progress import view
from viloapp_core.operations import ProgressEvent
with view(Output.of_process()) as shown:
    shown(ProgressEvent("hello", "fetch", "numpy[1] \\x1b]0;owned\\x07", 1_000_000, 2_000_000))
    with shown.paused():
        print("a question")
"""


def test_a_terminal_gets_a_bar_that_steps_aside(on_terminal: Callable[..., OnTerminal]) -> None:
    """The bar has message and amount, the message cannot command the terminal, and a question is readable."""
    command = on_terminal(code=ON_TERMINAL, COLUMNS="120")
    assert command.end() == 0, command.shown
    assert r"hello: fetch: numpy[1] \x1b]0;owned\x07" in command.shown
    assert "1.0/2.0 MB" in command.shown
    assert "a question\r\n" in command.shown
    assert "\x1b]0;" not in command.shown
