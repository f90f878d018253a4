"""`viloapp run --safe`, and the offer of it after a start that never became ready."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from viloapp_core.host.start_marker import StartMarker
from viloapp_core.store import InstalledPlugin, Store

from .conftest import OnTerminal, Ran
from .test_run import WITH_A_PAGE

pytest.importorskip("starlette", reason="the extra `app` is not installed")
_QUESTION = "Start in safe mode, without third-party plugins? [Y/n]"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page that can be served."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    return folder


@pytest.fixture
def left_over(store: Store) -> StartMarker:
    """What a start left that never became ready."""
    store.root.mkdir(parents=True, exist_ok=True)
    marker = StartMarker(store.root)
    marker.begin(safe=False)
    return marker


class _Piped:
    """A `viloapp run` that nobody can answer."""

    def __init__(self, page: Path, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITH_A_PAGE, str(page), "run", "--no-browser", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=30)[1]


@pytest.fixture
def piped(page: Path) -> Iterator[Callable[..., _Piped]]:
    """Return a function that runs `viloapp run ARGS` until the address is there."""
    started: list[_Piped] = []

    def start(*args: str) -> _Piped:
        started.append(_Piped(page, *args))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


def _on_terminal(on_terminal: Callable[..., OnTerminal], page: Path) -> OnTerminal:
    arguments = json.dumps([str(page), "run", "--no-browser"])
    return on_terminal(code=f"import sys; sys.argv[1:] = {arguments}\n{WITH_A_PAGE}")


def test_an_update_that_is_rolled_back_is_told_in_one_line(
    piped: Callable[..., _Piped], installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """On standard error of `run`, and in `list` and `info` for as long as the former version is used."""
    installed("hello")
    installed("hello", version="2.0")
    assert viloapp("info", "hello", "--json").json["on_probation"] is True
    running = piped()  # these plugins have no code, so that no start succeeds
    deadline = time.monotonic() + 120
    while (row := viloapp("list", "--json").json["plugins"][0])["version"] != "1.0":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert row["enabled"]
    assert row["rolled_back"].startswith("update to 2.0 rolled back: it did not start: ")
    assert row["rolled_back"] in viloapp("list").out
    assert viloapp("info", "hello", "--json").json["rolled_back"] == row["rolled_back"]
    assert running.end().count("warning: update of hello to 2.0 rolled back to 1.0: it did not start: ") == 1


@pytest.mark.parametrize(("typed", "safe"), [("\n", True), ("n\n", False)])
def test_a_person_is_asked(
    page: Path,
    left_over: StartMarker,
    installed: Callable[..., InstalledPlugin],
    on_terminal: Callable[..., OnTerminal],
    typed: str,
    safe: bool,
) -> None:
    """Before anything starts; once this start is ready, the next is not asked."""
    installed("hello")
    command = _on_terminal(on_terminal, page)
    command.until(_QUESTION)
    command.type(typed)
    shown = command.until("http://")
    assert ("Safe mode; held back: hello;" in shown) is safe
    command.type("\x03")
    command.end()
    assert not left_over.left_over()


def test_ctrl_c_at_the_question_ends_it(
    page: Path, left_over: StartMarker, on_terminal: Callable[..., OnTerminal]
) -> None:
    """Nothing was started, and the next run asks again."""
    command = _on_terminal(on_terminal, page)
    command.until(_QUESTION)
    command.type("\x03")
    assert command.end() != 0
    assert left_over.left_over()


def test_where_nobody_can_answer_it_is_said(piped: Callable[..., _Piped], left_over: StartMarker) -> None:
    """One line that names `--safe`, and the start goes on as it was asked for."""
    running = piped()
    assert running.address.startswith("http://")
    err = running.end()
    assert err.count("never became ready") == 1
    assert "viloapp run --safe" in err
    assert "Safe mode" not in err
    assert not left_over.left_over()


def test_a_safe_workspace_shows_what_it_holds_back_and_enables_it(
    piped: Callable[..., _Piped],
    store: Store,
    installed: Callable[..., InstalledPlugin],
    viloapp: Callable[..., Ran],
) -> None:
    """`list`, `info` and `status` say so with the reason, until `enable` starts one."""
    installed("hello")
    installed("other")
    running = piped("--safe")
    rows = {row["id"]: row for row in viloapp("list", "--json").json["plugins"]}
    assert (rows["hello"]["enabled"], rows["hello"]["held"]) == (True, True)
    assert rows["hello"]["reason"] == "held back: safe mode; use: viloapp enable hello"
    assert viloapp("list").out.count("held back ") == 2
    assert viloapp("info", "hello", "--json").json["reason"] == rows["hello"]["reason"]
    assert viloapp("status").out.count("held back ") == 2
    assert viloapp("enable", "hello").out == "enabled hello\n"
    rows = {row["id"]: row for row in viloapp("list", "--json").json["plugins"]}
    assert (rows["hello"]["held"], rows["other"]["held"]) == (False, True)
    assert "Safe mode; held back: hello, other;" in running.end()
    assert not any(row["held"] for row in viloapp("list", "--json").json["plugins"])
