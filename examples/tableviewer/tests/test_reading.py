"""Files as people have them."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from tableviewer.reading import TableError, read_table


def read(content: bytes | str, name: str = "a.csv") -> list[dict[str, Any]]:
    """Return the rows of a file."""
    raw = content.encode() if isinstance(content, str) else content
    frame = read_table(io.BytesIO(raw), name)
    return frame.to_dict("records")  # type: ignore[return-value]  # the names are texts


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("a,b\n1,x\n", "a.csv"),
        ("a;b\n1;x\n", "a.csv"),
        ("a|b\n1|x\n", "a.txt"),
        ("a\tb\n1\tx\n", "a.tsv"),
        ("\ufeffa,b\r\n1,x\r\n", "a.csv"),
        ('{"a": 1, "b": "x"}\n', "a.jsonl"),
        (gzip.compress(b"a,b\n1,x\n"), "a.csv.gz"),
    ],
)
def test_a_table_is_read(content: bytes | str, name: str) -> None:
    """Whatever separates the values, with a mark of the byte order, compressed."""
    assert read(content, name) == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "a.csv", "empty"),
        ("\n\n", "a.csv", "empty"),
        ("a,b\n1,2,3\n1,2,3,4,5\n", "a.csv", "line 3"),
        (b"\x00\x01\x02", "a.csv", "no text"),
        ("{nonsense}\n", "a.jsonl", "no table"),
        (b"not compressed", "a.csv.gz", "no table"),
        (gzip.compress(b"a,b\n1,x\n" * 99)[:-20], "a.csv.gz", "no table"),
    ],
)
def test_what_is_none_is_said(content: bytes | str, name: str, said: str) -> None:
    """In a line, with where it is."""
    with pytest.raises(TableError) as caught:
        read(content, name)
    assert said in caught.value.detail
    assert "\n" not in caught.value.detail


def test_a_head_alone_is_a_table() -> None:
    """Of no rows; what is no UTF-8 is shown as what it is."""
    assert read("a,b\n") == []
    assert read(b"a\n\xff\n") == [{"a": "\ufffd"}]
