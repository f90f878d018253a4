"""The file that the person named: nothing else on the disk is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tableviewer.reading import read_table
from tableviewer.table import Table

if TYPE_CHECKING:
    from viloapp_sdk import PluginContext

__all__ = ["allow", "locate", "open_table"]


def locate(context: PluginContext, path: str) -> str:
    """Return the absolute path of what the person typed: relative to the workspace's folder, or ``~/…``."""
    if path.startswith("~/"):
        return path
    return os.path.normpath(os.path.join(context.services.workspace.get_folder(), path))


def allow(context: PluginContext, path: str) -> bool:
    """Ask the person for this one file; True when it may be read."""
    return context.request_permission(f"filesystem.read.{path}", "show this table")


def open_table(context: PluginContext, path: str) -> Table:
    """Read a file that the person has allowed.

    Raises:
        PermissionDeniedError: not yet.
        OSError: it is not there, or no file.
        TableError: it is no table.
    """
    with context.services.files.open(path, "rb") as file:
        return Table(read_table(file, path))
