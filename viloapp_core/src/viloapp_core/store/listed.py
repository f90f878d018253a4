"""The part of a store's index that listings show, read with as few imports as can be.

`viloapp_core.store.index` has the whole of it. This module loads no class, no path and no typing, since
`viloapp list` takes little longer than the interpreter's own start:

    revision, rows, details = split(data)
    unusual(store_folder, rows)             # [] where every plugin is whole and none is beside the index
"""

from __future__ import annotations

import json
import os
import zlib

from viloapp_core.foundation.names import is_normalized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

__all__ = ["CHECKSUM", "DETAILS", "INDEX_SCHEMA", "beside", "split", "suspects", "unusual"]

INDEX_SCHEMA = 6
# No line break is in what `json` writes, so that neither can be in a plugin's words.
DETAILS = b',\n"details":'
CHECKSUM = b',\n"crc32":'


def split(data: bytes) -> tuple[int, dict[str, dict[str, Any]], bytes]:
    """Return revision, rows by plugin id, and the JSON of the rest, which stays undecoded.

    That its sum is right means that it is as it was written, from rows that were checked.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not an index of this schema.
    """
    summed, _, checksum = data.rpartition(CHECKSUM)
    if zlib.crc32(summed) != int(checksum.removesuffix(b"}\n")):
        raise ValueError("crc32")
    head, _, details = summed.partition(DETAILS)
    value = json.loads(head + b"}")
    if value["schema"] != INDEX_SCHEMA:
        raise KeyError("schema")
    rows = value["plugins"]
    for plugin_id in rows:
        if not is_normalized(plugin_id):
            raise ValueError(plugin_id)
    return int(value["revision"]), rows, details


def unusual(plugins: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the ids of those that may be damaged, and of plugins that the index does not know.

    Args:
        plugins: the store's folder of plugins.
        rows: of the index, by plugin id.
    """
    return sorted([*beside(plugins, rows), *suspects(plugins, rows)])


def suspects(plugins: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the ids of those whose interpreter is not there, for whatever reason."""
    try:
        folder = os.open(plugins, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return list(rows)
    try:
        return [
            plugin_id
            for plugin_id, row in rows.items()
            # Half the time of os.path.exists, which for thousands of plugins is worth it.
            if not os.access(
                f"{plugin_id}/generations/{row['generation']}/venv/bin/python", os.F_OK, dir_fd=folder
            )
        ]
    finally:
        os.close(folder)


def beside(plugins: str, known: Collection[str]) -> list[str]:
    """Return the ids of plugins that have a generation in use, whole or not, but for `known`, sorted."""
    try:
        names = set(os.listdir(plugins)).difference(known)
    except FileNotFoundError:
        return []
    return sorted(
        name for name in names if is_normalized(name) and os.path.lexists(f"{plugins}/{name}/current")
    )
