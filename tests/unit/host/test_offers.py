"""What a worker offers at run time is a stranger's."""

from typing import Any

import pytest

from viloapp_core.host.offers import usable
from viloapp_core.web.outbox import encode

GOOD = {"id": "a.good", "title": "Good", "description": "Two\nlines"}


@pytest.mark.parametrize(
    "row",
    [
        5,
        {},
        {"id": 7},
        {"id": "a b"},
        {"id": "ab" * 60_000},
        {"id": "a.x", "title": {"a": 1}},
        {"id": "a.x", "title": "\x1b]0;owned\x07"},
        {"id": "a.x", "parameters": 5},
        {"id": "a.x", "parameters": [5]},
        {"id": "a.x", "parameters": [{"name": "n", "type": "any", "default": float("nan")}]},
        {"id": "a.x", "parameters": [{"name": "n", "type": "any", "default": object()}]},
        {"id": "a.x", "parameters": [{"name": "n", "type": "any", "default": b"x"}]},
    ],
    ids=lambda row: repr(row)[:60],
)
def test_a_row_that_cannot_be_listed_is_left_out_and_named(row: Any) -> None:
    """The others are offered all the same, and can be told to a page."""
    good, bad = usable("commands", [row, GOOD])
    assert good == [GOOD]
    assert len(bad) == 1
    assert len(bad[0]) < 300
    encode(good)


@pytest.mark.parametrize("rows", [7, "rows", {"id": "a"}])
def test_rows_that_are_none(rows: Any) -> None:
    """A worker may answer anything."""
    assert usable("widgets", rows) == ([], ["widgets: must be an array"])


def test_no_rows_are_no_fault_and_too_many_are_cut() -> None:
    """A plugin without widgets is in order, one with a hundred thousand commands is not."""
    assert usable("widgets", None) == ([], [])
    good, bad = usable("commands", [{"id": f"a.{number}"} for number in range(1001)])
    assert len(good) == 1000
    assert bad == ["commands: has more than 1000 entries"]
