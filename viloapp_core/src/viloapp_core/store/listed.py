"""The part of a store's index that listings show, read with as few imports as can be.

`viloapp_core.store.index` has the whole of it. This module loads no class, no path and no typing, since
`viloapp list` takes little longer than the interpreter's own start:

    revision, rows = split(data)
    unusual(store_folder, rows)             # [] where every plugin is whole and none is beside the index

Each plugin has a line of its own in both halves of the index, so that one can be read without the others:

    head, rows, details = parts(data)
    head["ids"], line(details, "hello")     # ["hello", …], b'{"commands":…}'
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

__all__ = [
    "CHECKSUM",
    "DETAILS",
    "INDEX_SCHEMA",
    "ROWS",
    "beside",
    "line",
    "parts",
    "split",
    "suspects",
    "unusual",
]

INDEX_SCHEMA = 7
# No line break is in what `json` writes, so that none of these can be in a plugin's words.
ROWS = b',\n"plugins":'
DETAILS = b',\n"details":'
CHECKSUM = b',\n"crc32":'


def split(data: bytes) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return revision and rows by plugin id.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not an index of this schema.
    """
    head, rows, _ = parts(data)
    return int(head["revision"]), json.loads(rows)


def line(lines: bytes, plugin_id: str) -> bytes:
    """Return the JSON of one plugin out of the rows or the details of `parts`.

    Raises:
        KeyError: there is none of that id.
    """
    begins = b'\n"%s":' % plugin_id.encode()
    at = lines.find(begins)
    if at < 0:
        raise KeyError(plugin_id)
    at += len(begins)
    return lines[at : lines.index(b"\n", at)].removesuffix(b",")


def parts(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Return what an index says of all plugins together, and the JSON of its rows and details, undecoded.

    That its sum is right means that it is as it was written, from rows that were checked.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not an index of this schema.
    """
    end = data.rfind(CHECKSUM)
    checksum = data[end + len(CHECKSUM) :].removesuffix(b"}\n")
    if end < 0 or zlib.crc32(memoryview(data)[:end]) != int(checksum):
        raise ValueError("crc32")
    rows = data.find(ROWS)
    details = data.find(DETAILS, rows)
    head = json.loads(data[:rows] + b"}")
    if head["schema"] != INDEX_SCHEMA:
        raise KeyError("schema")
    if not all(map(is_normalized, head["ids"])):
        raise ValueError("ids")
    return head, data[rows + len(ROWS) : details], data[details + len(DETAILS) : end]


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
