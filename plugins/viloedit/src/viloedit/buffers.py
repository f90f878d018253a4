"""A buffer of the application before this one, as an editor's state.

>>> from_buffer({"file_path": "a.py", "cursor_position": {"line": 2, "column": 0}})["cursor"]
{'line': 3, 'column': 1}

Source: the specification, State Migration: ``{"id", "file_path", "content", "cursor_position", "selection",
"modified", "syntax"}``, lines and columns counted from 0. Of a selection it says nothing; it is understood as
``start`` and ``end``, or ``anchor`` and ``head`` (or ``active``), each with line and column.
"""

from typing import Any

__all__ = ["from_buffer"]

_ENDS = (("anchor", "head"), ("anchor", "active"), ("start", "end"))


def from_buffer(buffer: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"path", "content", "modified", "cursor", "selection", "syntax"}``, whatever is in it."""
    cursor = _place(buffer.get("cursor_position")) or {"line": 1, "column": 1}
    return {
        "path": str(buffer.get("file_path") or "") or None,
        "content": str(buffer.get("content") or ""),
        "modified": buffer.get("modified") is True,
        "cursor": cursor,
        "selection": _selection(buffer.get("selection"), cursor),
        "syntax": str(buffer.get("syntax") or ""),
    }


def _selection(value: object, cursor: dict[str, int]) -> dict[str, dict[str, int]] | None:
    if not isinstance(value, dict):
        return None
    for names in _ENDS:
        anchor, head = (_place(value.get(name)) for name in names)
        if anchor and head:
            # Selected backwards: the cursor stands where the selection starts.
            return {"anchor": head, "head": anchor} if anchor == cursor else {"anchor": anchor, "head": head}
    return None


def _place(value: object) -> dict[str, int] | None:
    """Return a place counted from 1; None for what is none."""
    if not isinstance(value, dict):
        return None
    places = {
        key: each + 1 for key in ("line", "column") if isinstance(each := value.get(key), int) and each >= 0
    }
    return places if len(places) == 2 else None
