"""What is read of a file, line by line and bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logviewer import log as module
from logviewer.levels import LEVELS, NONE, level_of
from logviewer.log import Log, Wanted

TEXT = (
    "starting\n"
    "2026-01-02 10:00:00 INFO ready\n"
    "2026-01-02 10:00:01 ERROR it failed\n"
    "Traceback (most recent call last):\n"
    "ValueError: no\n"
    "2026-01-02 10:00:02 DEBUG Ready again\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small log."""
    path = tmp_path / "app.log"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    """It, read."""
    with path.open("rb") as file:
        log = Log(file)
        log.work(9)
        yield log


def shown(log: Log) -> list[str]:
    """Return what is in the rows."""
    return [log.text(line) for line in log.rows(0, log.shown)]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"2026 ERROR no", "error"),
        (b"[warn] disk", "warning"),
        (b'{"level":"debug"}', "debug"),
        (b"level=info msg=x", "info"),
        (b"<3>kernel: PANIC", "error"),
    ],
)
def test_levels_are_found(line: bytes, level: str) -> None:
    """In capitals, and small where it says that it is a level."""
    assert LEVELS[level_of(line)] == level


@pytest.mark.parametrize("line", [b"no error here", b"TERRORS", b"x" * 300 + b" ERROR", b""])
def test_words_are_no_levels(line: bytes) -> None:
    """Small letters in a sentence, parts of words, and what comes late."""
    assert level_of(line) == NONE


def test_a_traceback_has_the_level_of_its_error(log: Log) -> None:
    """Lines without a level belong to the one before."""
    assert log.counts == [3, 0, 1, 1, 1]
    log.want(Wanted(frozenset(["error"])))
    log.work(9)
    assert shown(log) == TEXT.splitlines()[2:5]


def test_text_is_found_in_any_case(log: Log) -> None:
    """And with a level both count."""
    log.want(Wanted(text="READY"))
    log.work(9)
    assert [log.number(row) for row in range(log.shown)] == [1, 5]
    log.want(Wanted(frozenset(["debug"]), "ready"))
    log.work(9)
    assert shown(log) == TEXT.splitlines()[5:]


def test_blocks_cut_lines_in_two(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of a block, the lines and their levels are the same."""
    for size in (1, 7, 30, 64):
        monkeypatch.setattr(module, "BLOCK", size)
        with path.open("rb") as file:
            log = Log(file)
            log.want(Wanted(text="ready"))
            while not log.done:
                log.work(0.001)
            assert (log.lines, log.counts, log.shown) == (6, [3, 0, 1, 1, 1], 2)


def test_what_is_added_is_followed(log: Log, path: Path) -> None:
    """Also the rest of a line that was half written; a file that was cut off begins anew."""
    with path.open("a", encoding="utf-8") as file:
        file.write("2026-01-02 10:00:03 WA")
    assert not log.done
    log.work(9)
    with path.open("a", encoding="utf-8") as file:
        file.write("RNING low\n")
    assert not log.work(9)
    assert (log.lines, log.counts[1]) == (7, 1)
    path.write_text("new\n", "utf-8")
    assert log.work(9)
    assert shown(log) == ["new"]


def test_a_little_time_is_a_little_work(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read in as many turns as it needs."""
    monkeypatch.setattr(module, "BLOCK", 16)
    ticks = iter(range(1000))
    with path.open("rb") as file:
        log = Log(file, now=lambda: next(ticks))
        log.work(2)
        assert 0 < log.read < log.size
        while not log.done:
            log.work(2)
        assert log.lines == 6


@pytest.mark.parametrize(("start", "step", "row"), [(0, 1, 1), (2, 1, 5), (4, -1, 1), (0, -1, None)])
def test_find_goes_both_ways(log: Log, start: int, step: int, row: int | None) -> None:
    """To the next row, from where one stands."""
    assert log.find("ready", start, step, 9) == (row, None)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00\n", b"no end", b"\r\n\r\n"])
def test_odd_files_are_shown(tmp_path: Path, content: bytes) -> None:
    """Nothing, empty lines, what is no text, and no last line break."""
    path = tmp_path / "odd.log"
    path.write_bytes(content)
    with path.open("rb") as file:
        log = Log(file)
        log.work(9)
        assert log.lines == len(content.splitlines())
        assert all(isinstance(line, str) for line in shown(log))


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    """A file of one line does not fill the memory."""
    path = tmp_path / "long.log"
    path.write_bytes(b"x" * 300_000)
    with path.open("rb") as file:
        log: Any = Log(file)
        log.work(9)
        assert len(log.text(0)) == module.MAX_LINE
