"""Reading a log on, across its rotation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.cli.logs import Log
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise import log as supervise_log

from .conftest import OnTerminal, Ran


def test_the_last_lines_go_back_into_rotated_files(tmp_path: Path) -> None:
    """`-n` counts lines, wherever they are; the oldest come first."""
    (tmp_path / "worker.log.2").write_text("1\n2\n")
    (tmp_path / "worker.log.1").write_text("3\n4\n")
    (tmp_path / "worker.log").write_text("5\n6")
    with Log(tmp_path / "worker.log") as log:
        assert log.last(4, with_unfinished=True) == ["3", "4", "5", "6"]
    for count in range(8):
        with Log(tmp_path / "worker.log") as log:
            assert log.last(count, with_unfinished=True) == [str(n) for n in range(1, 7)][max(0, 6 - count) :]


def test_following_starts_where_the_last_lines_end(tmp_path: Path) -> None:
    """No line twice; one without an end is shown when it has one."""
    path = tmp_path / "worker.log"
    path.write_text("old\nhalf")
    with Log(path) as log:
        assert log.last(10) == ["old"]
        with path.open("a") as stream:
            stream.write(" whole\nnew\n")
        assert log.new() == ["half whole", "new"]
        assert log.new() == []


def test_following_a_log_that_does_not_exist_yet(tmp_path: Path) -> None:
    """A plugin that never ran has no log; its first lines are shown."""
    with Log(tmp_path / "worker.log") as log:
        assert log.last(10) == []
        (tmp_path / "worker.log").write_text("first\n")
        assert log.new() == ["first"]


def test_what_came_just_before_a_rotation_is_shown(tmp_path: Path) -> None:
    """The renamed file is read to its end before the new one."""
    path = tmp_path / "worker.log"
    path.write_text("one\n")
    with Log(path) as log:
        log.last(10)
        with path.open("a") as stream:
            stream.write("two\n")
        path.rename(tmp_path / "worker.log.1")
        path.write_text("three\n")
        assert log.new() == ["two", "three"]


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8")), max_size=5))
def test_every_line_comes_once(tmp_path_factory, lines: list[str]) -> None:  # type: ignore[no-untyped-def]  # hypothesis rewrites the signature
    """What a worker writes is what is shown, line by line."""
    folder = tmp_path_factory.mktemp("log")
    written = supervise_log.RotatingLog(folder)
    with Log(folder / "worker.log") as log:
        shown = log.last(100)
        for line in lines:
            written.write(line.encode() + b"\n")
            shown += log.new()
    written.close()
    assert shown == lines


def test_logs_prints_them_raw_to_a_pipe_and_safe_on_a_terminal(
    installed: Callable[..., InstalledPlugin],
    viloapp: Callable[..., Ran],
    on_terminal: Callable[..., OnTerminal],
) -> None:
    """A log's escape sequences are for whoever reads the file, not for this terminal."""
    (installed().log_dir / "worker.log").write_text("\x1b[2Jgone\n")
    assert viloapp("logs", "Hello").out == "\x1b[2Jgone\n"
    command = on_terminal("logs", "hello")
    assert command.end() == 0
    assert command.shown == "\\x1b[2Jgone\r\n"


def test_logs_of_what_is_not_installed(viloapp: Callable[..., Ran]) -> None:
    """One line, exit code 1; a path is no plugin."""
    for plugin in ("nothing", "../../etc"):
        ran = viloapp("logs", plugin)
        assert (ran.code, ran.err.count("error: ")) == (1, 1)
