"""Which user of the system each plugin runs as, for a host that is root's.

A number is given once and kept, also when the plugin is removed: its files may still be about. Where the
search for a free one starts depends on the store too, so that two stores seldom share numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from viloapp_core.foundation.files import FileLock, read_json, write_json
from viloapp_core.store.errors import StoreError

__all__ = ["Identities", "first_free", "trial_user", "usable_range"]

# Between the users that systems hand out themselves: below are systemd's dynamic users (61184 to 65519) and
# nobody (65534), above the subordinate ids of useradd (from 100000). Source: systemd's UIDS-GIDS.md.
_RANGE = range(70000, 100000)
# A container with 65536 users has none of those.
_SMALL_RANGE = range(30000, 60000)
_UID_MAP = Path("/proc/self/uid_map")


class Identities:
    """The numbers of one store, in a file of it.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, plugin_id: str) -> int:
        """Return a plugin's user id, chosen and written down at the first call.

        Raises:
            StoreError: this system has no user ids to give.
            FileError: the file cannot be written.
        """
        known = _numbers(read_json(self._path))
        if plugin_id in known:
            return known[plugin_id]
        with FileLock(self._path.with_suffix(".lock")):
            known = _numbers(read_json(self._path))
            if plugin_id not in known:
                allowed = usable_range(_UID_MAP.read_text("ascii"))
                key = f"{self._path}\0{plugin_id}"
                known[plugin_id] = first_free(allowed, set(known.values()), key)
                write_json(self._path, known)
        return known[plugin_id]


def trial_user() -> int:
    """Return the user that a trial runs as; it may be a plugin's, since a trial leaves nothing.

    Raises:
        StoreError: see `usable_range`.
    """
    return usable_range(_UID_MAP.read_text("ascii"))[-1]


def usable_range(uid_map: str) -> range:
    """Return the user ids that may be given, from the content of ``/proc/self/uid_map``.

    Raises:
        StoreError: none of ours exists in this user namespace.
    """
    spans = [
        range(int(first), int(first) + int(count)) for first, _, count in map(str.split, uid_map.splitlines())
    ]
    for wanted in (_RANGE, _SMALL_RANGE):
        if any(wanted[0] in span and wanted[-1] in span for span in spans):
            return wanted
    raise StoreError(
        "no_user_ids",
        "plugins cannot be given users of their own: this container has too few user ids",
        "run ViloApp as an ordinary user, or give the container 65536 user ids",
    )


def first_free(allowed: range, taken: Collection[int], key: str) -> int:
    """Return the first number that is not taken, from a place that ``key`` decides on, around the end.

    Raises:
        StoreError: all are taken.
    """
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % len(allowed)
    for step in range(len(allowed)):
        number = allowed[(start + step) % len(allowed)]
        if number not in taken:
            return number
    raise StoreError("no_user_ids", "every user id for plugins is taken", "use another store: VILOAPP_HOME")


def _numbers(document: Any) -> dict[str, int]:
    """Take what a file holds for what it should be; another number would be a user that exists."""
    pairs = document.items() if isinstance(document, Mapping) else ()
    return {
        name: number
        for name, number in pairs
        if isinstance(name, str) and isinstance(number, int) and (number in _RANGE or number in _SMALL_RANGE)
    }
