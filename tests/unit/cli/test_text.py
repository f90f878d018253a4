"""What is shown of foreign text."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.cli.text import one_line, printable, table, width


@given(st.text())
def test_printable_text_cannot_command_a_terminal(text: str) -> None:
    """No control character but tab and newline is left, and nothing that reorders text."""
    shown = printable(text)
    assert all(char in "\t\n" or unicodedata.category(char) != "Cc" for char in shown)
    assert not set("\u202e\u2066\u200f") & set(shown)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"])))
def test_printable_leaves_ordinary_text_alone(text: str) -> None:
    """Letters of every script, digits and punctuation stay as they are."""
    assert printable(text) == text


def test_an_escape_sequence_is_spelt_out() -> None:
    """A plugin that sets the window's title shows how it tried."""
    assert printable("a\x1b]0;owned\x07b") == r"a\x1b]0;owned\x07b"


def test_one_line_joins_lines() -> None:
    """A summary with line breaks cannot add rows to a table."""
    assert one_line(" one\n  two\r\nthree ") == "one two three"


def test_columns_are_aligned_for_wide_and_combining_characters() -> None:
    """A wide character takes two columns and a combining one none."""
    assert (width("日本"), width("e\u0301"), width("ab")) == (4, 1, 2)
    lines = table(("id", "note"), [("日本", "x"), ("e\u0301", ""), ("abcdef", "y\nz")])
    assert lines == ["ID      NOTE", "日本    x", "e\u0301       -", "abcdef  y z"]


def test_a_table_without_rows_is_its_header() -> None:
    """Nothing to list is a header, not an error."""
    assert table(("id", "note"), []) == ["ID  NOTE"]
