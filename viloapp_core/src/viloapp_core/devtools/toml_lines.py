r"""Where in a TOML file a key stands: `tomllib` keeps no positions.

>>> line_of('[project]\nname = "x"\n', "project.name")
2
"""

from __future__ import annotations

import re

__all__ = ["line_of"]

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*(?P<name>(?:[A-Za-z0-9_.-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[\w\"'.-]+)*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"'\[\]]+)")


def line_of(text: str, path: str) -> int:
    """Return the line of a key, or of the nearest table around it; 0 where nothing of it is there.

    Args:
        text: the file.
        path: dotted, with quotes where a part has a dot; indices in brackets are passed over.
    """
    wanted = _parts(re.sub(r"\[\d+\]", "", path))
    best, line = 0, 0
    table: tuple[str, ...] = ()
    for number, content in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(content):
            table = found = _parts(header["name"])
        elif key := _KEY.match(content):
            found = (*table, *_parts(key["name"]))
        else:
            continue
        depth = len(found)
        if found == wanted[:depth] and depth > best:
            best, line = depth, number
    return line


def _parts(text: str) -> tuple[str, ...]:
    return tuple(next(filter(None, match.groups()), "") for match in _PART.finditer(text))
