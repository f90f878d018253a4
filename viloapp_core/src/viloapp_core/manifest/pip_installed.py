"""Plugins that somebody installed with pip beside the core: told of, never loaded.

A listing asks this each time, so the folders are scanned by hand: importing a reader of metadata and
reading all of it costs many times more than finding that nobody advertises the group.
"""

from __future__ import annotations

import os
import re
import sys

from viloapp_core.foundation.names import normalized
from viloapp_sdk.manifest.format import ENTRY_POINT_GROUP
from viloapp_sdk.manifest.printable import make_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["find_unmanaged"]

_GROUP = re.compile(rf"^\s*\[{re.escape(ENTRY_POINT_GROUP)}\]\s*$", re.MULTILINE)
_INFO = re.compile(r"(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?\.(?:dist|egg)-info", re.IGNORECASE)
_MAX_BYTES = 1 << 20


def find_unmanaged(paths: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Return (normalized name, version) of the distributions that advertise a plugin, sorted.

    Args:
        paths: folders as in `sys.path`, which is the default; the first that has a name wins, as in an
            import.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path if paths is None else map(str, paths)):
        for entry, name, version in _infos(folder or os.curdir):
            if name not in seen and _advertises(os.path.join(entry, "entry_points.txt")):
                found[name] = version or _metadata_version(entry)
            seen.add(name)
    return sorted(found.items())


def _infos(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield (path, normalized name, version or "") of the metadata folders; an unreadable folder has none."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for entry in sorted(names):
        if match := _INFO.fullmatch(entry):
            yield os.path.join(folder, entry), normalized(match["name"]), match["version"] or ""


def _advertises(path: str) -> bool:
    return bool(_GROUP.search(_head(path)))


def _metadata_version(entry: str) -> str:
    """Return the version of an ``.egg-info`` folder, whose name need not have it."""
    match = re.search(r"^Version:(.*)$", _head(os.path.join(entry, "PKG-INFO")), re.MULTILINE)
    return make_safe(match[1], 100) if match else ""


def _head(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""
