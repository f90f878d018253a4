"""How a line looks: rich finds what is in it, and the page gets pieces of text with the names of styles."""

from __future__ import annotations

import re
from itertools import pairwise

from rich.highlighter import ReprHighlighter
from rich.style import Style
from rich.text import Text

__all__ = ["MAX_SHOWN", "Piece", "draw"]

MAX_SHOWN = 2000
"""Characters of a line that are drawn in its row; the whole of it is shown below the rows."""

Piece = tuple[str, str]
"""A text, and the names of its styles (``repr.number``, ``bold``, ``red``) or a colour (``#ff8800``)."""

_PLAIN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_COLORS = (*_PLAIN, *(f"bright_{name}" for name in _PLAIN))

_HIGHLIGHTER = ReprHighlighter()
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?"
)
_LEVEL = re.compile(
    r"\b(?P<error>FATAL|CRITICAL|SEVERE|ALERT|EMERG|PANIC|ERROR|ERR)\b|\b(?P<warning>WARN(?:ING)?)\b"
    r"|\b(?P<info>INFO|NOTICE)\b|\b(?P<debug>DEBUG|TRACE)\b"
)


def draw(line: str, find: str = "") -> list[Piece]:
    """Return a line in pieces.

    >>> draw("ERROR 42")
    [('ERROR', 'level.error'), (' ', ''), ('42', 'repr.number')]

    Args:
        line: may have the colours of a terminal in it.
        find: what is marked wherever it stands.
    """
    text = Text.from_ansi(line[: 4 * MAX_SHOWN], end="") if "\x1b" in line else Text(_printable(line))
    text.truncate(MAX_SHOWN, overflow="ellipsis")
    if not text.spans:  # who coloured a line meant something by it
        _HIGHLIGHTER.highlight(text)
    if found := _TIME.search(text.plain, 0, 120):
        text.stylize("time", *found.span())
    if found := _LEVEL.search(text.plain, 0, 160):
        text.stylize(f"level.{found.lastgroup}", *found.span())
    if find:
        text.highlight_words([find], "match", case_sensitive=False)
    return _pieces(text)


def _printable(line: str) -> str:
    return "".join(
        each if each.isprintable() or each == "\t" else "\N{REPLACEMENT CHARACTER}" for each in line
    )


def _pieces(text: Text) -> list[Piece]:
    """Cut a text where its styles change; a later style lies over an earlier one."""
    cuts = sorted({0, len(text), *(edge for span in text.spans for edge in (span.start, span.end))})
    pieces = []
    for start, end in pairwise(cuts):
        names = [_name(span.style) for span in text.spans if span.start <= start and end <= span.end]
        pieces.append((text.plain[start:end], " ".join(dict.fromkeys(name for name in names if name))))
    return pieces


def _name(style: str | Style) -> str:
    """Return the name that a page knows a style by; of a terminal's its colour and what is bold or dim."""
    if isinstance(style, str):
        return style
    words = [word for word in ("bold", "dim", "italic", "underline") if getattr(style, word)]
    color = style.color
    if color is not None and not color.is_default:
        sixteen = color.number is not None and color.number < len(_COLORS)
        words.append(_COLORS[color.number or 0] if sixteen else color.get_truecolor().hex)
    return " ".join(words)
