"""JSON as the command line prints it."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEMA = 1
"""The version of the shapes that ``--json`` prints; a breaking change raises it."""


def encode(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON; bytes, which JSON lacks, as ``{"base64": "…"}``, and sets sorted."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        from base64 import b64encode

        return {"base64": b64encode(bytes(value)).decode()}
    if hasattr(value, "keys"):
        return dict(value)
    if isinstance(value, (tuple, set, frozenset)):
        return sorted(value)
    return str(value)
