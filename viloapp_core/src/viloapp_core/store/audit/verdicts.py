"""What audits found, remembered by the hash of the wheel: the same bytes are not judged twice.

Kept as ``archives/<sha256>.audit`` beside the wheel, whose bytes are hashed before each use; goes with it.
Only acceptances are kept, and only of dependencies: a plugin's own wheel is judged more strictly, each time.
A changed audit remembers nothing of what an older one found.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
from pathlib import Path

from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.store.audit.finding import Finding
from viloapp_core.store.layout import Layout

__all__ = ["Verdicts"]

_LISTS = ("names", "landings", "notes")


class Verdicts:
    """The audits of one store's dependencies.

    Args:
        layout: the store's.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def recall(self, sha256: str, filename: str) -> Finding | None:
        """Return what this very audit found of a dependency's wheel under that name; None when it has not."""
        try:
            value = read_json(self._path(sha256))
        except FileError:
            return None
        if not isinstance(value, dict):
            return None
        expected = {"audit": _fingerprint(), "sha256": sha256, "wheel": filename}
        if any(value.get(key) != told for key, told in expected.items()):
            return None
        lists = [value.get(key) for key in _LISTS]
        if not all(isinstance(each, list) and all(isinstance(i, str) for i in each) for each in lists):
            return None
        names, landings, notes = (tuple(each) for each in lists if isinstance(each, list))
        return Finding(filename, names, landings, notes)

    def keep(self, sha256: str, finding: Finding) -> None:
        """Remember an acceptance. Where that cannot be written, the wheel is judged again next time."""
        found: dict[str, object] = {key: list(getattr(finding, key)) for key in _LISTS}
        value = {**found, "audit": _fingerprint(), "sha256": sha256, "wheel": finding.wheel}
        with contextlib.suppress(FileError):
            write_json(self._path(sha256), value)

    def _path(self, sha256: str) -> Path:
        return self._layout.archives / f"{sha256}.audit"


@functools.cache
def _fingerprint() -> str:
    """Return a digest of the audit's own sources and of the Python that reads archives for it."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
