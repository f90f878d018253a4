"""Which level a line of a log has. Pure."""

from __future__ import annotations

import re

__all__ = ["LEVELS", "NONE", "level_of"]

LEVELS = ("error", "warning", "info", "debug")
"""The levels that can be chosen; a line's is its place in here."""
NONE = len(LEVELS)
"""Of lines before the first that names one."""

_WORDS = {
    b"FATAL": 0,
    b"CRITICAL": 0,
    b"SEVERE": 0,
    b"ALERT": 0,
    b"EMERG": 0,
    b"PANIC": 0,
    b"ERROR": 0,
    b"ERR": 0,
    b"WARNING": 1,
    b"WARN": 1,
    b"NOTICE": 2,
    b"INFO": 2,
    b"DEBUG": 3,
    b"TRACE": 3,
}
# Capitals anywhere near the start. A set of first letters is what `re` finds fastest, five times as fast as
# the words in a row; the rest of each word comes after a look at what its first letter was.
_CAPITALS = re.compile(
    rb"([ACDEFINPSTW](?<!\w[A-Z])(?:"
    + b"|".join(rb"(?<=%c)%s" % (word[0], word[1:]) for word in _WORDS)
    + rb")(?!\w))"
)
# Small letters only where a key or a bracket says that it is the level.
_SMALL = re.compile(rb'(?:\blevel"?\s*[=:]\s*"?|\[)(' + b"|".join(word.lower() for word in _WORDS) + rb")\b")
_NEAR = 160


def level_of(line: bytes, before: int = NONE) -> int:
    """Return the place of a line's level in `LEVELS`.

    >>> LEVELS[level_of(b"2026-01-02 10:00:00 WARN disk is filling")]
    'warning'
    >>> LEVELS[level_of(b'{"level": "error", "msg": "no"}')]
    'error'

    Args:
        line: as it is in the file.
        before: the level of the line before it, which a line that names none belongs to: a traceback's.
    """
    found = _CAPITALS.search(line, 0, _NEAR)
    if found is None and (b"level" in line or b"[" in line):
        found = _SMALL.search(line, 0, _NEAR)
    return before if found is None else _WORDS[found[1].upper()]
