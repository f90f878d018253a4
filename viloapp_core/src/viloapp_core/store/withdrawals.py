"""What a plugin's part of ``state.json`` says of updates that were taken back. Pure.

{"enabled": true, "reason": "", "withdrawn": [{"version": "0.2", "generation": "0.2-…", "lock_digest": "…",
"reason": "it did not start: …", "at": "2026-01-02T03:04:05Z", "back_to": "0.1-…"}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEY = "withdrawn"
"""What enables or disables a plugin leaves it alone."""
_KEPT = 10


def withdrawn(state: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what was taken back of a plugin, the oldest first."""
    rows = state.get(KEY)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def with_row(state: Mapping[str, Any], row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return them with one more; the oldest of many are forgotten."""
    return [*withdrawn(state), row][-_KEPT:]


def told(state: Mapping[str, Any], generation: str) -> str:
    """Return, for listings, that the generation in use is one that was gone back to; else nothing."""
    row = next((row for row in reversed(withdrawn(state)) if row.get("back_to") == generation), None)
    return f"update to {row.get('version')} rolled back: {row.get('reason')}" if row else ""
