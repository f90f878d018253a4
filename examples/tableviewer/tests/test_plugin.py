"""The plugin as ViloApp runs it: one file, by its name, when the person allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from viloapp_sdk.errors import ViloError
from viloapp_sdk.testing import FakeHost

CONTENT = "city,people\nPraha,1357000\nBrno,400000\n"


@pytest.fixture
def table(host: FakeHost) -> str:
    """A table in the workspace's folder."""
    path = Path(host.workspace.folder) / "cities.csv"
    path.write_text(CONTENT, "utf-8")
    return str(path)


@pytest.fixture
def path(host: FakeHost, table: str) -> str:
    """It, which the person allows to read when asked."""
    host.permissions.answer(f"filesystem.read.{table}", True)
    return table


def ask(host: FakeHost, command: str, **arguments: Any) -> Any:
    """Ask the open widget as its page does."""
    return host.widget_command(host.workspace.widgets[-1].id, command, arguments)


def test_it_asks_for_the_one_file(host: FakeHost, path: str) -> None:
    """By its name, when it is opened."""
    host.call("tableviewer.open", path="cities.csv")
    assert [asked for asked, _ in host.permissions.asked] == [f"filesystem.read.{path}"]
    (widget,) = host.workspace.widgets
    assert (widget.title, widget.data["data"]) == ("cities.csv", {"path": path})


def test_the_page_is_told_of_columns_and_rows(host: FakeHost, path: str) -> None:
    """And a part at a time."""
    host.call("tableviewer.open", path="cities.csv")
    opened = ask(host, "open")
    assert [column["name"] for column in opened["columns"]] == ["city", "people"]
    assert ask(host, "arrange", sort="people")["shown"] == 2
    assert ask(host, "rows", start=0, count=1) == [{"n": 2, "cells": ["Brno", "400000"]}]
    assert ask(host, "cell", n=1, column=0) == "Praha"
    assert ask(host, "summary", column="people")["facts"]["greatest"] == "1357000"


def test_the_tab_comes_back_as_it_was_seen(host: FakeHost, path: str) -> None:
    """After a restart of the plugin: file, order and filter."""
    host.call("tableviewer.open", path="cities.csv")
    ask(host, "open")
    ask(host, "arrange", sort="city", filter="brno")
    host.restart()
    opened = ask(host, "open")
    assert (opened["sort"], opened["filter"], opened["shown"]) == ("city", "brno", 1)


def test_what_is_in_the_way_is_said_in_the_tab(host: FakeHost, table: str) -> None:
    """Not allowed, denied, no table: the tab is there and says so."""
    host.call("tableviewer.open", path="cities.csv")
    assert ask(host, "open")["problem"]["kind"] == "denied"
    host.permissions.answer(f"filesystem.read.{table}", True)
    assert ask(host, "open", ask=True)["problem"] is None
    Path(table).write_text("", "utf-8")
    assert ask(host, "open")["problem"] == {"kind": "failed", "text": "The file is empty."}


def test_a_denial_says_how_to_allow_it(host: FakeHost, table: str) -> None:
    """Asking again is of no use, and the page says what is."""
    host.permissions.answer(f"filesystem.read.{table}", False)
    host.call("tableviewer.open", path="cities.csv")
    assert "viloapp permissions grant tableviewer" in ask(host, "open", ask=True)["problem"]["text"]


def test_it_is_read_without_a_page(host: FakeHost, path: str) -> None:
    """Rows and a description; what is wrong is an error."""
    found = host.call("tableviewer.rows", path=path, filter="people>500000")
    assert found == {"rows": 2, "matching": 1, "first": [{"city": "Praha", "people": "1357000"}]}
    assert host.call("tableviewer.describe", path=path)["columns"][0]["top"] == [["Praha", 1], ["Brno", 1]]
    with pytest.raises(ViloError):
        host.call("tableviewer.rows", path=path, sort="planet")


def test_it_has_its_own_pandas(host: FakeHost) -> None:
    """Of the versions that it was written for."""
    assert host.call("tableviewer.versions")["pandas"].startswith("2.")
