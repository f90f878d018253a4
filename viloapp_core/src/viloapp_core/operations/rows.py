"""What a listing says of each plugin, as ``viloapp list --json`` has it; loads nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["listed_row", "unmanaged_row"]


def listed_row(plugin_id: str, row: Mapping[str, Any], damage: str = "") -> dict[str, Any]:
    """Return what a listing says of a plugin, from its row of the index as that has it."""
    return {
        "id": plugin_id,
        "version": row["version"],
        "managed": True,
        "enabled": row["enabled"],
        "reason": damage or row["reason"],
        "rolled_back": row["rolled_back"],
        "source": row["source"],
        "signature": row["signature"],
        "publisher": row["publisher"],
        "dependencies": row["dependencies"],
        "python": row["python_version"],
        "summary": row["summary"],
        "permissions": list(row["permissions"]),
    }


def unmanaged_row(name: str, version: str) -> dict[str, Any]:
    """Return what a listing says of a plugin that pip installed beside the core."""
    keys = ("rolled_back", "signature", "publisher", "dependencies", "python", "summary")
    return {
        "id": name,
        "version": version,
        "managed": False,
        "enabled": False,
        "reason": f"not managed: pip installed it beside the core; use: viloapp install {name}",
        "source": "pip",
        **dict.fromkeys(keys, ""),
        "permissions": [],
    }
