"""What may not be started: the store's block lists, asked at every start, without any cryptography.

>>> revocation = Revocation(Path("/home/me/.local/share/viloapp"), SystemClock())     # doctest: +SKIP
>>> revocation.why(store.plugin("hello"))                                             # doctest: +SKIP
"hello is blocked by the list 'example': leaks tokens; use: viloapp update hello, or viloapp uninstall hello"
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.foundation.clock import Clock

if TYPE_CHECKING:
    from viloapp_core.store.index import InstalledPlugin
    from viloapp_core.trust import Blocks

_Stamp = tuple[int, int, int]


class Revocation:
    """The block lists of a store as they are now; they are read again when they have changed.

    Args:
        root: the store's folder.
        clock: says which lists have expired.
        starting: something is to be started, so that an edit of ``trust.toml`` has to be noticed: who took
            the lists out of it must not free what they name. A listing of thousands does without.
    """

    def __init__(self, root: Path, clock: Clock, *, starting: bool = True) -> None:
        self._root = root
        self._clock = clock
        self._starting = starting
        self._stamp: tuple[_Stamp, ...] = ()
        self._blocks: Blocks | None = None
        self._broken = ""

    def stamp(self) -> tuple[_Stamp, ...]:
        """Return what is different once a list was taken, removed or edited."""
        folder = self._root / "trust"
        try:
            lists = sorted(folder.iterdir())
        except OSError:
            lists = []
        return tuple(_stat(path) for path in (self._root / "trust.toml", *lists))

    def why(self, plugin: InstalledPlugin) -> str:
        """Return why a plugin may not be started and what to do, on one line; empty when it may."""
        return self.why_row(
            plugin.plugin_id,
            {"version": plugin.version, "publisher": plugin.publisher, "sha256": plugin.sha256},
        )

    def why_row(self, plugin_id: str, row: Mapping[str, Any]) -> str:
        """Return the same for a plugin's row of the index."""
        return self.why_rows({plugin_id: row}).get(plugin_id, "")

    def why_rows(self, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Return the same for those rows of the index that may not be started; the disk is asked once."""
        self._load()
        if self._broken:
            return dict.fromkeys(rows, self._broken)
        blocks, found = self._blocks, {}
        if blocks is not None and blocks.lists:
            for plugin_id, row in rows.items():
                block = blocks.blocking(plugin_id, row["version"], row["publisher"], row["sha256"])
                if block is not None:
                    what_to_do = f"use: viloapp update {plugin_id}, or viloapp uninstall {plugin_id}"
                    found[plugin_id] = f"{block}; {what_to_do}"
        return found

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lists that have expired, a line each; they still block."""
        self._load()
        return self._blocks.warnings if self._blocks is not None else ()

    def _load(self) -> None:
        if (stamp := self.stamp()) == self._stamp:
            return
        self._stamp, self._blocks, self._broken = stamp, None, ""
        if stamp[0] == _NOWHERE or not self._has_lists():
            return
        from viloapp_core.trust import TrustFileError, TrustStore

        try:
            self._blocks = TrustStore(self._root).blocks(self._clock.now())
        except TrustFileError as error:  # what is blocked is not known, so nothing may start
            self._broken = f"{error.detail}; {error.hint}"

    def _has_lists(self) -> bool:
        """Whether ``trust.toml`` has to be read in full: it names lists, or is not as it was written."""
        try:
            data = (self._root / "trust.toml").read_bytes()
        except OSError:
            return True  # who reads it in full says what is wrong
        if not self._starting:
            return b"[block_lists." in data
        import tomllib

        from viloapp_core.trust.book import digest

        try:
            value = tomllib.loads(data.decode())
        except (ValueError, RecursionError):
            return True
        return bool(value.get("block_lists")) or value.get("digest") != digest(value)


_NOWHERE: _Stamp = (0, 0, 0)


def _stat(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return _NOWHERE
    return (status.st_mtime_ns, status.st_ino, status.st_size)
