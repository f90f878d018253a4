"""The plugin as ViloApp runs it: one file, by its name, when the person allows it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from viloapp_sdk.errors import PermissionDeniedError, ViloError
from viloapp_sdk.testing import FakeHost

LINES = "INFO one\nERROR two\nplain\nINFO three\n"


@pytest.fixture
def log(host: FakeHost) -> str:
    """A log in the workspace's folder."""
    path = Path(host.workspace.folder) / "app.log"
    path.write_text(LINES, "utf-8")
    return str(path)


@pytest.fixture
def path(host: FakeHost, log: str) -> str:
    """It, which the person allows to read when asked."""
    path = log
    host.permissions.answer(f"filesystem.read.{path}", True)
    return path


def ask(host: FakeHost, command: str, **arguments: Any) -> Any:
    """Ask the open widget as its page does."""
    return host.widget_command(host.workspace.widgets[-1].id, command, arguments)


def test_it_asks_for_the_one_file(host: FakeHost, path: str) -> None:
    """Nothing is allowed before, and nothing else is afterwards."""
    with pytest.raises(PermissionDeniedError):
        host.services.files.open(path)
    host.call("logviewer.open", path="app.log")
    assert [asked for asked, _ in host.permissions.asked] == [f"filesystem.read.{path}"]
    (widget,) = host.workspace.widgets
    assert (widget.title, widget.data["data"]["path"]) == ("app.log", path)


def test_the_page_is_told_of_lines_and_levels(host: FakeHost, path: str) -> None:
    """Row by row, with the pieces that are drawn."""
    host.call("logviewer.open", path="app.log")
    status = ask(host, "status")
    assert (status["lines"], status["shown"], status["counts"], status["done"]) == (
        4,
        4,
        [2, 0, 2, 0, 0],
        True,
    )
    rows = ask(host, "rows", start=1, count=2)
    assert [(row["n"], row["level"]) for row in rows] == [(2, "error"), (3, "error")]
    assert rows[0]["pieces"][0] == ["ERROR", "level.error"]
    assert ask(host, "line", n=4) == "INFO three"
    assert ask(host, "find", text="THREE", start=0) == {"row": 3, "next": None}


def test_a_filter_begins_the_rows_anew(host: FakeHost, path: str) -> None:
    """The page learns that what it has is another list's."""
    host.call("logviewer.open", path="app.log")
    before = ask(host, "status")["generation"]
    status = ask(host, "status", levels=["info"], text="t")
    assert status["generation"] > before
    assert [row["n"] for row in ask(host, "rows", start=0, count=9)] == [4]


def test_a_log_that_was_moved_away_is_followed(host: FakeHost, path: str) -> None:
    """What has the name now is shown."""
    host.call("logviewer.open", path="app.log")
    assert ask(host, "status")["lines"] == 4
    os.rename(path, path + ".1")
    Path(path).write_text("INFO new\n", "utf-8")
    assert ask(host, "status")["lines"] == 1


def test_what_nobody_allowed_can_be_allowed_in_the_page(host: FakeHost, log: str) -> None:
    """The tab opens, says what is missing, and asks again when it is told to."""
    host.call("logviewer.open", path="app.log")
    assert ask(host, "status")["problem"]["kind"] == "denied"
    host.permissions.answer(f"filesystem.read.{log}", True)
    assert ask(host, "allow")["lines"] == 4


def test_what_was_denied_says_how_to_allow_it(host: FakeHost, log: str) -> None:
    """A denial holds: asking again is of no use, and the page says what is."""
    host.permissions.answer(f"filesystem.read.{log}", False)
    host.call("logviewer.open", path="app.log")
    assert (
        f"viloapp permissions grant logviewer filesystem.read.{log}" in ask(host, "allow")["problem"]["text"]
    )


def test_a_file_that_is_not_there_is_said(host: FakeHost) -> None:
    """By the page in its tab, by the command with an error."""
    missing = f"{host.workspace.folder}/missing.log"
    host.permissions.answer(f"filesystem.read.{missing}", True)
    host.call("logviewer.open", path="missing.log")
    assert "No such file" in ask(host, "status")["problem"]["text"]
    with pytest.raises((OSError, ViloError)):
        host.call("logviewer.read", path="missing.log")


def test_it_is_read_without_a_page(host: FakeHost, path: str) -> None:
    """The last lines of a level, with their numbers."""
    read = host.call("logviewer.read", path=path, level="info", lines=1)
    assert read["last"] == [{"line": 4, "level": "info", "text": "INFO three"}]
    assert (read["lines"], read["matching"], read["counts"]["error"]) == (4, 2, 2)
    with pytest.raises(ViloError):
        host.call("logviewer.read", path=path, level="loud")


def test_the_tab_comes_back_with_its_file(host: FakeHost, path: str) -> None:
    """After a restart of the plugin."""
    host.call("logviewer.open", path="app.log")
    host.restart()
    assert ask(host, "status")["lines"] == 4
