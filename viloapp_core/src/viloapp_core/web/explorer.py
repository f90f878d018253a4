"""What the explorer shows: the folders of the workspace, and nothing outside them."""

import os
import stat
from pathlib import Path
from typing import Any, Final

from viloapp_core.web.errors import OutsideWorkspaceError, UnreadableFolderError

__all__ = ["MAX_ENTRIES", "listing", "locate"]

MAX_ENTRIES: Final = 5000
"""A folder with more entries is shown in part, so that one message stays a few hundred kilobytes."""


def locate(folder: Path, path: str) -> Path:
    """Return where ``path`` really is, with symbolic links resolved.

    Args:
        folder: the workspace folder.
        path: absolute, or relative to it; empty for the folder itself.

    Raises:
        OutsideWorkspaceError: it leads out of the folder, if only through a link.
    """
    root = folder.resolve()
    if "\0" in path:
        raise OutsideWorkspaceError(path.replace("\0", "\\0"), str(root))
    try:
        resolved = (root / path).resolve()
    except UnicodeEncodeError as error:
        raise UnreadableFolderError(ascii(path), "no file can have such a name") from error
    except (OSError, RuntimeError) as error:  # a loop of links
        raise UnreadableFolderError(path, str(error)) from error
    if not resolved.is_relative_to(root):
        raise OutsideWorkspaceError(path, str(root))
    return resolved


def listing(folder: Path, path: str) -> dict[str, Any]:
    """List one folder of the workspace: folders first, then by name.

    Returns:
        ``{"path", "entries": [{"name", "path", "kind": "folder"|"file"|"other", "size"}], "truncated"}``;
        paths are absolute, sizes in bytes. A link that leads outside is listed as ``other``.

    Raises:
        OutsideWorkspaceError: the path leads out of the workspace.
        UnreadableFolderError: it is not a folder that can be read.
    """
    where = locate(folder, path)
    root = folder.resolve()
    try:
        with os.scandir(where) as found:
            entries = [_describe(root, entry) for entry in found]
    except OSError as error:
        raise UnreadableFolderError(str(where), error.strerror or str(error)) from error
    entries.sort(key=lambda entry: (entry["kind"] != "folder", entry["name"].casefold(), entry["name"]))
    return {"path": str(where), "entries": entries[:MAX_ENTRIES], "truncated": len(entries) > MAX_ENTRIES}


def _describe(root: Path, entry: os.DirEntry[str]) -> dict[str, Any]:
    kind, size = "other", 0
    try:
        outside = entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root)
        if not outside:
            status = entry.stat()
            if stat.S_ISDIR(status.st_mode):
                kind = "folder"
            elif stat.S_ISREG(status.st_mode):
                kind, size = "file", status.st_size
    except (OSError, RuntimeError):
        pass  # a link to nowhere, or a file that went while we looked: shown, but not to be opened
    return {"name": _text(entry.name), "path": _text(entry.path), "kind": kind, "size": size}


def _text(name: str) -> str:
    """Make a file name that is not UTF-8 presentable: a lone surrogate cannot be sent to the page."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
