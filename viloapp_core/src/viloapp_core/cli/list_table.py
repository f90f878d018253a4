"""The table of `viloapp list`, for the whole command and for its quick answer; loads no click."""

from __future__ import annotations

from viloapp_core.cli.text import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_HEADER = ("plugin", "version", "state", "python", "source", "signature", "sandbox", "note")


def listing_lines(plugins: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table, the header first.

    Args:
        plugins: as ``--json`` has them, with ``held`` and ``sandbox``.
    """
    return table(_HEADER, [_cells(plugin) for plugin in plugins])


def _cells(plugin: Mapping[str, Any]) -> list[str]:
    state = "enabled" if plugin["enabled"] else "disabled" if plugin["managed"] else "not managed"
    if plugin["held"]:
        state = "held back"
    reason = plugin["reason"].removeprefix("not managed: ") or plugin["rolled_back"] or plugin["dependencies"]
    keys = ("python", "source", "signature", "sandbox")
    return [plugin["id"], plugin["version"], state, *(plugin[key] for key in keys), reason]
