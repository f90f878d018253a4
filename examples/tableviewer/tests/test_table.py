"""Rows in another order, some of them, and what is said of columns."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tableviewer.reading import TableError, read_table
from tableviewer.table import MAX_CELL, MAX_COLUMNS, Table

CITIES = """city,people,coast,founded
Praha,1357000,False,0870-01-01
Brno,400000,False,
Lisboa,545000,True,1147-10-25
Lisboa,12,True,
,5,,2001-01-01
"""


def table_of(content: str, name: str = "a.csv") -> Table:
    """Return a table of this content."""
    return Table(read_table(io.BytesIO(content.encode()), name))


@pytest.fixture
def table() -> Table:
    """A small one with gaps."""
    return table_of(CITIES)


def first(table: Table, column: int = 0) -> list[Any]:
    """Return a column's texts as they are seen."""
    return [row["cells"][column] for row in table.page(0, 100)]


def test_columns_have_kinds(table: Table) -> None:
    """Numbers stand on the right; a column of booleans with a gap is still text for pandas."""
    found = [(column["name"], column["kind"], column["right"]) for column in table.columns()]
    assert found == [
        ("city", "text", False),
        ("people", "integer", True),
        ("coast", "text", False),
        ("founded", "text", False),
    ]


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("lisboa", [3, 4]),
        ("city=Lisboa people>100", [3]),
        ("people<=400_000", [2, 4, 5]),
        ("city!=Lisboa", [1, 2, 5]),
        ("city~RN", [2]),
        ("coast=True", [3, 4]),
        ("founded>1100", [3, 5]),
        ("CITY=Praha", [1]),
        ("nothing=here", []),
        ("people>=5 people<13", [4, 5]),
    ],
)
def test_conditions_choose_rows(table: Table, filter: str, numbers: list[int]) -> None:
    """By a column, or anywhere; rows keep their number in the file."""
    table.arrange(filter=filter)
    assert [row["n"] for row in table.page(0, 100)] == numbers
    assert table.shown == len(numbers)


@pytest.mark.parametrize("filter", ["people>many", '"open'])
def test_conditions_that_cannot_be_are_said(table: Table, filter: str) -> None:
    """And what was seen is seen on."""
    table.arrange(filter="lisboa")
    with pytest.raises(TableError):
        table.arrange(filter=filter)
    assert (table.shown, table.filter) == (2, "lisboa")


def test_rows_are_sorted_and_equal_ones_stay(table: Table) -> None:
    """What is missing comes last, both ways."""
    table.arrange(sort="city")
    assert first(table) == ["Brno", "Lisboa", "Lisboa", "Praha", None]
    assert [row["n"] for row in table.page(0, 100)] == [2, 3, 4, 1, 5]
    table.arrange(sort="people", descending=True, filter="city~o")
    assert first(table, 1) == ["545000", "400000", "12"]
    with pytest.raises(TableError, match="no column"):
        table.arrange(sort="planet")


def test_a_page_is_a_part(table: Table) -> None:
    """Never more than was asked for, nor outside."""
    assert [row["n"] for row in table.page(3, 10)] == [4, 5]
    assert table.page(9, 5) == []
    assert table.page(-5, 5) == []


def test_numbers_are_summed_up(table: Table) -> None:
    """With quartiles; texts with what is most frequent."""
    facts = table.summary("people")["facts"]
    assert (facts["values"], facts["missing"], facts["least"], facts["greatest"]) == (5, 0, "5", "1357000")
    city = table.summary("city")
    assert (city["facts"]["missing"], city["facts"]["distinct"]) == (1, 3)
    assert city["top"][0] == ("Lisboa", 2)


def test_mixed_and_nested_values_are_shown() -> None:
    """Objects in a JSON file can be counted, sorted and shown."""
    table = table_of('{"a": [1], "b": 1}\n{"a": {"x": 1}, "b": "z"}\n{"b": null}\n', "a.jsonl")
    table.arrange(sort="b")
    assert table.summary("a")["facts"]["distinct"] == 2
    assert first(table) == ["[1]", "{'x': 1}", None]


def test_wide_and_long_is_cut() -> None:
    """A whole value is there for the one that is looked at."""
    long, wide = "x" * 5000, MAX_COLUMNS + 5
    table = table_of(",".join(f"c{each}" for each in range(wide)) + "\n" + ",".join([long] * wide) + "\n")
    assert len(table.columns()) == MAX_COLUMNS < table.column_count
    (row,) = table.page(0, 1)
    assert (len(row["cells"]), len(row["cells"][0])) == (MAX_COLUMNS, MAX_CELL)
    assert table.cell(1, 0) == long
    with pytest.raises(TableError):
        table.cell(2, 0)


def test_a_million_rows_are_seen_a_page_at_a_time() -> None:
    """Sorted and filtered, and what crosses is what is in sight."""
    table = table_of("n,word\n" + "".join(f"{each},w{each % 7}\n" for each in range(1_000_000)))
    table.arrange(filter="word=w3", sort="n", descending=True)
    assert table.shown == 142_857
    assert table.page(0, 2)[0]["cells"] == ["999995", "w3"]
    assert len(table.page(100_000, 100)) == 100
