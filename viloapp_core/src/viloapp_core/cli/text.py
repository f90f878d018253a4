"""What a plugin, an index or a log wrote, made safe to show: it must not speak in our name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# C0 and C1 controls (escape sequences start with one), and the marks that reorder or hide text. Tab and
# newline stay: they only move on. Source: ECMA-48; Unicode Technical Report 36.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LINE_BREAK = re.compile(r"\s*\n\s*")


def printable(text: str) -> str:
    r"""Return the text with what could command or deceive a terminal spelt out.

    >>> printable("red \x1b[31malert")
    'red \\x1b[31malert'
    """
    if text.isprintable():  # by far the most: nothing that is unsafe counts as printable
        return text
    return _UNSAFE.sub(lambda match: ascii(match[0])[1:-1], text)


def one_line(text: str) -> str:
    """Return `printable` text on one line."""
    text = text.strip()
    return text if text.isprintable() else printable(_LINE_BREAK.sub(" ", text))


def width(text: str) -> int:
    """Return the columns that a terminal gives to the text (wide characters two, combining ones none)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay cells out in columns two spaces apart, the header in capitals first.

    Args:
        header: the names of the columns.
        rows: as many cells each as the header has.
    """
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    columns = [_column(name, column) for name, column in zip(header, cells, strict=True)]
    return ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]


def _column(name: str, cells: Sequence[str]) -> list[str]:
    """Return the cells of a column, its header first, made safe and of one width."""
    # In thousands of rows most columns hold the same few words: each is laid out once.
    shown = {cell: one_line(cell) or "-" for cell in cells}
    widths = {cell: width(text) for cell, text in shown.items()}
    size = max([width(name), *widths.values()])
    padded = {cell: text + " " * (size - widths[cell]) for cell, text in shown.items()}
    return [name.upper().ljust(size), *(padded[cell] for cell in cells)]
