"""The truth of a store, read from its folders: every plugin's ``current``, receipt and state.

Everything here reads; `viloapp_core.store.store` writes. A damaged plugin never hides the others.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from viloapp_core.foundation.errors import FileError, UnreadableError
from viloapp_core.foundation.files import read_json
from viloapp_core.store import index, listed
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout

STATE_SCHEMA = 1
RECEIPT_SCHEMA = 1


def read_state(layout: Layout) -> dict[str, Any]:
    """Return the decoded ``state.json``; an empty state when it is missing or damaged.

    Raises:
        UnreadableError: it is there and cannot be read. It would be overwritten by nothing, and what was
            disabled would run.
    """
    try:
        state = read_json(layout.state)
    except UnreadableError:
        raise
    except FileError:
        state = None
    if not isinstance(state, dict) or not isinstance(state.get("plugins"), dict):
        state = {"schema": STATE_SCHEMA, "revision": 0, "plugins": {}}
    return state


def current_generation(layout: Layout, plugin_id: str) -> str | None:
    """Return the name of the generation in use, or None when the plugin is not installed.

    Only a link to a sibling ``generations/<name>`` counts; one that leads elsewhere is damage.
    """
    try:
        folder, _, name = os.readlink(layout.current(plugin_id)).partition("/")
    except OSError:
        return None
    if folder != "generations" or not name or "/" in name or name in (".", ".."):
        return None
    return name if (layout.generations(plugin_id) / name).is_dir() else None


def read_receipt(generation: Path) -> dict[str, Any]:
    """Return the decoded receipt of a generation.

    Raises:
        StoreError: it is missing, damaged, or of another schema.
        UnreadableError: it cannot be read at this moment.
    """
    hint = f"viloapp install --force-reinstall {generation.parent.parent.name}"
    try:
        receipt = read_json(generation / "receipt.json")
    except FileError as error:
        if isinstance(error, UnreadableError) and error.passing:
            raise
        raise StoreError("bad_receipt", error.detail, hint) from error
    if not isinstance(receipt, dict) or receipt.get("schema") != RECEIPT_SCHEMA:
        raise StoreError("bad_receipt", f"{generation}/receipt.json is missing or not a receipt", hint)
    return receipt


def installed_ids(layout: Layout) -> list[str]:
    """Return the ids of the plugins that have a generation in use, whole or not."""
    return listed.beside(str(layout.plugins), ())


def read_rows(layout: Layout) -> dict[str, dict[str, Any]]:
    """Return the index's rows as the folders have them; plugins without a readable receipt are left out.

    Raises:
        UnreadableError: the state cannot be read, or a receipt not at this moment.
    """
    states = read_state(layout)["plugins"]
    rows = {}
    for plugin_id in installed_ids(layout):
        try:
            if (generation := current_generation(layout, plugin_id)) is None:
                continue
            receipt = read_receipt(layout.generations(plugin_id) / generation)
            rows[plugin_id] = index.entry(receipt, generation, states.get(plugin_id, {}))
        except (StoreError, KeyError, TypeError):
            continue
    return rows
