"""The consent ledger, ``ledger.json``: what a person decided, for every plugin, until further notice."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock, SystemClock, timestamp
from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import FileLock, read_bytes, read_json, write_json
from viloapp_core.ledger.entries import Entry, Standing, standing
from viloapp_core.ledger.errors import LedgerError
from viloapp_core.permissions import Permission

__all__ = ["Ledger"]

_SCHEMA = 1
_MAX_ENTRIES = 500
"""Of one plugin: what a person answers in a lifetime."""


class Ledger:
    """Reads and changes the ledger of one store; each change is one locked, atomic replacement.

        ledger = Ledger(store.root)
        ledger.decide("hello", [Permission.parse("process.spawn.terminal")], "denied", by="command")

    Args:
        root: the store's folder.
        clock: for the times of the entries.
    """

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self._path = root / "ledger.json"
        self._file = str(self._path)
        self._lock_path = root / "ledger.lock"
        self._clock = clock or SystemClock()
        self._known: tuple[object, dict[str, list[Entry]]] = (None, {})

    def entries(self, plugin_id: str) -> Sequence[Entry]:
        """Return what was decided about a plugin, in the order of the decisions.

        Raises:
            LedgerError: the file is damaged.
        """
        return tuple(self._read().get(plugin_id, ()))

    def standing(self, plugin_id: str, consented: Iterable[str]) -> Standing:
        """Return what a plugin has, given what its receipt says was consented to.

        Raises:
            LedgerError: the file is damaged.
        """
        return standing(consented, self.entries(plugin_id))

    def decide(
        self, plugin_id: str, permissions: Iterable[Permission], state: str, *, by: str, reason: str = ""
    ) -> None:
        """Write down one decision about each; an earlier one about the same goes.

        A grant also takes away what had been denied of it: a person who grants means it.

        Raises:
            LedgerError: the file is damaged, or the plugin has too many entries.
        """

        def change(entries: list[Entry]) -> list[Entry]:
            for permission in permissions:
                entries = [each for each in entries if not _replaces(permission, state, each)]
                entries.append(Entry(permission, state, by, timestamp(self._clock), reason))
            return entries

        self._change(plugin_id, change)

    def installed(self, plugin_id: str, reasons: Mapping[str, str], *, fresh: bool) -> None:
        """Note what was accepted at an installation.

        Args:
            plugin_id: of the plugin.
            reasons: the permissions, each with what the plugin says that it is for.
            fresh: nothing of the plugin was installed before: what it had been granted in an earlier life is
                not given to whoever has its name now. What was denied stays denied.

        Raises:
            LedgerError: the file is damaged.
        """
        permissions = {Permission.parse(id): reason for id, reason in reasons.items()}

        def change(entries: list[Entry]) -> list[Entry]:
            kept = [each for each in entries if each.by != "install"]
            if fresh:
                kept = [each for each in kept if each.state == "denied"]
            at = timestamp(self._clock)
            before = {each.permission: each.at for each in entries if each.by == "install"}
            return [
                *(
                    Entry(permission, "granted", "install", before.get(permission, at), reason)
                    for permission, reason in permissions.items()
                ),
                *kept,
            ]

        self._change(plugin_id, change)

    def reset(self, plugin_id: str) -> list[Entry]:
        """Forget every decision but those of the installation; return what was forgotten.

        Raises:
            LedgerError: the file is damaged.
        """
        forgotten = [each for each in self.entries(plugin_id) if each.by != "install"]
        self._change(plugin_id, lambda entries: [each for each in entries if each.by == "install"])
        return forgotten

    def forget(self, plugin_id: str) -> None:
        """Forget a plugin altogether (``uninstall --purge``).

        Raises:
            LedgerError: the file is damaged.
        """
        if self.entries(plugin_id):
            self._change(plugin_id, lambda entries: [])

    def _change(self, plugin_id: str, change: Callable[[list[Entry]], list[Entry]]) -> None:
        with FileLock(self._lock_path).acquire():
            plugins = dict(self._read())
            before = plugins.get(plugin_id, [])
            after = change(list(before))
            if len(after) > _MAX_ENTRIES:
                raise LedgerError(
                    self._path, f"has no room for more than {_MAX_ENTRIES} decisions on {plugin_id}"
                )
            if after == before:
                return
            plugins[plugin_id] = after
            rows = {id: [each.to_json() for each in plugins[id]] for id in plugins if plugins[id]}
            write_json(self._path, {"schema": _SCHEMA, "plugins": rows})

    def content(self) -> bytes:
        """Return the file as it is, undecoded, to be compared later by `changed_since`; empty without one.

        Raises:
            LedgerError: it cannot be read.
        """
        try:
            return read_bytes(self._path) or b""
        except FoundationError as error:
            raise LedgerError(self._path, error.detail) from error

    def changed_since(self, before: bytes) -> set[str]:
        """Return the plugins about which something else is decided now than in an earlier `content`.

        Raises:
            LedgerError: the file is damaged.
        """
        try:
            then, now = (_rows(json.loads(each)) if each else {} for each in (before, self.content()))
        except ValueError as error:
            raise LedgerError(self._path, str(error)) from error
        return {id for id in {*then, *now} if then.get(id) != now.get(id)}

    def _read(self) -> dict[str, list[Entry]]:
        """Return all of it, decoded once for each version of the file (one `stat` otherwise)."""
        stamp = self.stamp()
        if self._known[0] is None or self._known[0] != stamp:
            try:
                self._known = (stamp, _decode(read_json(self._path)))
            except (FoundationError, ValueError) as error:
                why = (
                    error.detail.removeprefix(f"{self._path} ")
                    if isinstance(error, FoundationError)
                    else error
                )
                raise LedgerError(self._path, str(why)) from error
        return self._known[1]

    def stamp(self) -> object:
        """Return what changes whenever the file does (one `stat`).

        Raises:
            LedgerError: it cannot be looked at.
        """
        try:
            found = os.stat(self._file)
        except FileNotFoundError:
            return "absent"
        except OSError as error:
            raise LedgerError(self._path, f"cannot be read: {error.strerror}") from error
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def _replaces(permission: Permission, state: str, earlier: Entry) -> bool:
    if earlier.by == "install":
        return False
    if earlier.permission == permission:
        return True
    return state == "granted" and earlier.state == "denied" and permission.covers(earlier.permission)


def _decode(value: Any) -> dict[str, list[Entry]]:
    """Return the entries by plugin.

    Raises:
        ValueError: it is no ledger.
    """
    return {id: [Entry.from_json(row) for row in rows] for id, rows in _rows(value).items()}


def _rows(value: Any) -> dict[str, list[Any]]:
    """Return the undecoded entries by plugin; raises as `_decode` does."""
    if value is None:
        return {}
    if not isinstance(value, dict) or value.keys() != {"schema", "plugins"}:
        raise ValueError("is not a ledger")
    if value["schema"] != _SCHEMA:
        raise ValueError(f"is of schema {value['schema']!r}; this version knows {_SCHEMA}")
    if not isinstance(value["plugins"], dict) or not all(
        isinstance(rows, list) for rows in value["plugins"].values()
    ):
        raise ValueError("is not a ledger")
    rows: dict[str, list[Any]] = value["plugins"]
    return rows
