"""JSON as a stranger may send it: one meaning, or an issue that says why not."""

from __future__ import annotations

import json
from typing import Any

from viloapp_core.manifest.errors import Issue
from viloapp_sdk.manifest.shapes import shorten

__all__ = ["decode"]


class _RefusedError(ValueError):
    """Valid to Python's reader, and not to ours."""


def decode(content: bytes) -> tuple[Any, list[Issue]]:
    """Decode UTF-8 JSON.

    Returns:
        The value and no issue, or None and what is wrong: bytes that are no UTF-8, a syntax error with
        its line, a key that stands twice (readers differ in which they take), a number that JSON does
        not have, nesting without end.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [
            Issue("plugin.json", f"is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}")
        ]
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse), []
    except json.JSONDecodeError as error:
        return None, [Issue(f"plugin.json:{error.lineno}:{error.colno}", f"is no JSON: {error.msg}")]
    except _RefusedError as error:
        return None, [Issue("plugin.json", str(error))]
    except ValueError:  # more digits than Python converts
        return None, [Issue("plugin.json", "has a number that is too long")]
    except RecursionError:
        return None, [Issue("plugin.json", "is nested too deep")]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RefusedError(f"has the key {shorten(key)} twice in one table")
        found[key] = value
    return found


def _refuse(constant: str) -> Any:
    raise _RefusedError(f"has {constant}, which is no JSON")
