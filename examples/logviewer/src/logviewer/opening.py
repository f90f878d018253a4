"""The file that the person named: nothing else on the disk is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from viloapp_sdk import PluginContext

__all__ = ["locate", "open_log"]


def locate(context: PluginContext, path: str) -> str:
    """Return the absolute path of what the person typed: relative to the workspace's folder, or ``~/…``."""
    if path.startswith("~/"):
        return path
    return os.path.normpath(os.path.join(context.services.workspace.get_folder(), path))


def open_log(context: PluginContext, path: str) -> BinaryIO:
    """Open a file that the person has allowed.

    Raises:
        PermissionDeniedError: not yet.
        OSError: it is not there, or no file.
    """
    return cast("BinaryIO", context.services.files.open(path, "rb"))
