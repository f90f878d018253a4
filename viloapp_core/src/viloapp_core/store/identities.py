"""Which user of the system each plugin runs as, for a host that is root's.

A number is given once and kept, also when the plugin is removed: its files may still be about. No two stores
of a machine have one in common: the kernel counts processes by user, and guards them and files by user.
Which number is whose stands in a file that they share (`Claims`); a store whose number turns out to be
another's, as a copied one or one from before there was that file, gets a new one, and its files follow at
the next start.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import FileLock, read_json, write_json
from viloapp_core.foundation.paths import machine_dir
from viloapp_core.store.errors import StoreError

__all__ = ["Claims", "Identities", "first_free", "trial_user", "usable_range"]

# Between the users that systems hand out themselves: below are systemd's dynamic users (61184 to 65519) and
# nobody (65534), above the subordinate ids of useradd (from 100000). Source: systemd's UIDS-GIDS.md.
_RANGE = range(70000, 100000)
# A container with 65536 users has none of those.
_SMALL_RANGE = range(30000, 60000)
_UID_MAP = Path("/proc/self/uid_map")


class Claims:
    """Which store each number belongs to, on this machine.

    Args:
        folder: root's alone, and the same for all stores.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "users.json"
        self.lock = FileLock(folder / "users.lock")

    def read(self) -> dict[int, str]:
        """Return the file of the store that has each number.

        Raises:
            StoreError: nobody can tell any more.
        """
        return dict(self._known())

    def holder(self, number: int) -> str | None:
        """Return the file of the store that has a number.

        Raises:
            StoreError: nobody can tell any more.
        """
        return self._known().get(number)

    def _known(self) -> Mapping[int, str]:
        try:
            return _claims_in(self._path, _state(self._path))
        except (FoundationError, ValueError, AttributeError) as error:
            raise StoreError(
                "bad_users",
                f"{self._path} does not say whose users are whose: {error}",
                f"remove it, and each store will say so again: rm {self._path}",
            ) from error

    def write(self, claims: Mapping[int, str]) -> None:
        """Replace it all. The lock has to be held."""
        write_json(self._path, {str(number): store for number, store in sorted(claims.items())})


class Identities:
    """The numbers of one store, in a file of it.

    Args:
        path: the file; it need not exist.
        claims: of all stores; this machine's by default.
    """

    def __init__(self, path: Path, claims: Claims | None = None) -> None:
        self._path = path
        self._claims = claims or Claims(machine_dir())

    def of(self, plugin_id: str) -> int:
        """Return a plugin's user id, chosen and written down at the first call.

        Raises:
            StoreError: this system has no user ids to give, or it cannot be known which are given.
            FoundationError: a file cannot be read or written.
        """
        # Where it really is: one store has one name.
        store = os.path.realpath(self._path)
        number = _numbers_in(self._path, _state(self._path)).get(plugin_id)
        if number is not None and self._claims.holder(number) == store:
            return number
        with FileLock(self._path.with_suffix(".lock")), self._claims.lock:
            return self._settled(plugin_id, store)

    def _settled(self, plugin_id: str, store: str) -> int:
        known, claims = _numbers(read_json(self._path)), self._claims.read()
        others = _standing({each: holder for each, holder in claims.items() if holder != store})
        number = known.get(plugin_id)
        if number is None or number in others:
            # The last one is for trials.
            allowed = usable_range(_UID_MAP.read_text("ascii"))[:-1]
            taken = others.keys() | set(known.values())
            number = known[plugin_id] = first_free(allowed, taken, f"{self._path}\0{plugin_id}")
            write_json(self._path, known)
        own = {each: store for each, holder in claims.items() if holder == store and each in known.values()}
        self._claims.write({**others, **own, number: store})
        return number


def trial_user() -> int:
    """Return the user that trials run as.

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


def _standing(claims: Mapping[int, str]) -> dict[int, str]:
    """Return the claims of stores that still have those numbers; one that cannot be read has all of its."""
    numbers: dict[str, set[int] | None] = {}
    for store in set(claims.values()):
        try:
            numbers[store] = set(_numbers(read_json(Path(store))).values())
        except FoundationError:
            numbers[store] = None
    return {
        number: store
        for number, store in claims.items()
        if (held := numbers[store]) is None or number in held
    }


# Both files are asked at each start of a plugin, have a line for each plugin, and seldom change: what is in
# them is kept for as long as they are the same files.


def _state(path: Path) -> tuple[int, ...]:
    """Return what tells one content of a file that is only ever replaced from the next."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=4)
def _claims_in(path: Path, state: tuple[int, ...]) -> Mapping[int, str]:
    found = read_json(path)
    return {int(number): str(store) for number, store in ({} if found is None else found).items()}


@lru_cache(maxsize=4)
def _numbers_in(path: Path, state: tuple[int, ...]) -> Mapping[str, int]:
    return _numbers(read_json(path))


def _numbers(document: Any) -> dict[str, int]:
    """Take what a file holds for what it should be; another number would be a user that exists."""
    pairs = document.items() if isinstance(document, Mapping) else ()
    return {
        name: number
        for name, number in pairs
        if isinstance(name, str) and isinstance(number, int) and (number in _RANGE or number in _SMALL_RANGE)
    }
