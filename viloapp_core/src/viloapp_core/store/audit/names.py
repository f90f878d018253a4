"""Names that a file may have on every file system, and as people see them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from viloapp_core.store.audit import bounds

__all__ = ["folded", "name_issues", "shown"]

_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN = 160


def shown(name: str) -> str:
    """Return a name as it may stand in a message: one line, nothing that a terminal obeys."""
    if not name.isprintable():
        name = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}...{name[-_SHOWN // 2 :]}"


def folded(path: str) -> str:
    """Return what two paths share that some file system takes for one, by case or by Unicode form.

    Source: Unicode 3.13, definition D145, canonical caseless matching.
    """
    if path.isascii():
        return path.lower()
    normal = unicodedata.normalize
    return normal("NFD", normal("NFD", path).casefold())


def name_issues(name: str) -> Iterator[str]:
    """Yield what is wrong with a member's name, wherever it would land."""
    path = name.removesuffix("/")
    parts = path.split("/")
    if name.startswith("/") or "\\" in name or ".." in parts or any(_DRIVE.match(part) for part in parts):
        yield "leads outside"
    # Control characters, invisible ones that reorder or hide text, halves of characters, other spaces.
    if not path.isprintable():
        yield "has characters in its name that cannot be seen"
    if not name.startswith("/") and ("" in parts or "." in parts):
        yield "has a part of its path that is empty or a dot"
    if any(part.endswith((".", " ")) and part not in (".", "..") for part in parts):
        yield "has a part of its path that ends in a dot or a space"
    if len(parts) > bounds.LEVELS:
        yield f"is {len(parts)} levels deep, more than {bounds.LEVELS}"
    encoded = path.encode("utf-8", "surrogatepass")
    if len(encoded) > bounds.PATH_BYTES:
        yield f"its path has {len(encoded)} bytes, more than {bounds.PATH_BYTES}"
    if any(len(part) > bounds.NAME_BYTES for part in encoded.split(b"/")):
        yield f"has a name of more than {bounds.NAME_BYTES} bytes"
