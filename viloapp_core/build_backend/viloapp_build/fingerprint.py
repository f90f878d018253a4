"""Whether something that was made from a source tree is still what that tree would make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["IGNORED", "STAMP", "fresh", "of", "stamp"]

STAMP = ".stamp"
IGNORED = frozenset({"node_modules", "build", "dist", "__pycache__"})
"""Folders that are made, never written by hand; `*.egg-info` is another."""


def of(*trees: Path) -> str:
    """Return the SHA-256 over names and contents of all files under `trees`, in hex.

    Modes and times are left out: a clone on another machine has to give the same answer.
    """
    digest = hashlib.sha256()
    for tree in trees:
        for path in _files(tree):
            # Lengths are hashed too, or moving a byte from a name to its content would go unseen.
            name, data = path.relative_to(tree).as_posix().encode(), path.read_bytes()
            digest.update(b"%d %d " % (len(name), len(data)) + name + data)
    return digest.hexdigest()


def fresh(made: Path, expected: str) -> bool:
    """Tell whether the folder `made` was stamped with `expected`."""
    try:
        return (made / STAMP).read_text("ascii").strip() == expected
    except OSError:
        return False


def stamp(made: Path, value: str) -> None:
    """Note in the folder `made` what it was made from; call it last: a stopped build has no stamp."""
    (made / STAMP).write_text(value + "\n", "ascii")


def _files(tree: Path) -> Iterator[Path]:
    entries: Iterable[Path] = sorted(tree.iterdir())
    for entry in entries:
        if entry.name in IGNORED or entry.name.endswith((".egg-info", ".pyc")):
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.is_file():
            yield entry
