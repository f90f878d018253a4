"""What must not be installed or started, whoever signed it. Pure, and light: every start asks.

A list is JSON, signed by whoever publishes it. `block_lists` fetches and verifies; what was verified once
is read here again without any cryptography.

    {"schema": 1, "name": "example", "issued": "2026-01-01T00:00:00Z", "expires": "2026-02-01T00:00:00Z",
     "entries": [{"plugin": "hello", "versions": "<1.2", "reason": "leaks tokens"}]}

An entry names a ``plugin`` (and ``versions`` of it), a ``publisher`` (``github:owner/*``), an ``owner_id``
or a wheel's ``sha256``. What it names has to hold all at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from viloapp_core.trust.errors import PublisherTextError

if TYPE_CHECKING:
    from viloapp_core.trust.publishers import Publisher

SCHEMA = 1
MAX_ENTRIES = 20_000
_TOP = ("schema", "name", "issued", "expires", "entries")
_ENTRY = ("plugin", "versions", "publisher", "owner_id", "sha256", "reason")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")
_PLUGIN_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PUBLISHER = re.compile(r"(github|gitlab|email):[\x21-\x7e]+")
_MAX_REASON = 500


@dataclass(frozen=True)
class Entry:
    """One thing that is blocked; an empty field is not asked for."""

    reason: str
    plugin: str = ""
    versions: str = ""
    publisher: str = ""
    owner_id: str = ""
    sha256: str = ""

    def names(self, plugin_id: str, version: str, publisher: Publisher | None, sha256: str) -> bool:
        """Return whether the entry is of this artifact."""
        if self.plugin and self.plugin != plugin_id:
            return False
        if self.sha256 and self.sha256 != sha256:
            return False
        if self.publisher and not _fits(self.publisher, publisher.short if publisher else ""):
            return False
        if self.owner_id and (publisher is None or publisher.owner_id != self.owner_id):
            return False
        return not self.versions or _contains(self.versions, version)


@dataclass(frozen=True)
class BlockList:
    """A list as it was issued.

    Args:
        name: what it is called.
        issued: when; a list that was issued earlier never takes the place of a later one.
        expires: until when its publisher promises to stand by it; afterwards it still blocks.
        entries: what is blocked.
    """

    name: str
    issued: datetime
    expires: datetime
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Block:
    """Why something is blocked."""

    plugin_id: str
    list_name: str
    reason: str

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"{self.plugin_id} is blocked by the list {self.list_name!r}: {self.reason}"


@dataclass(frozen=True)
class Blocks:
    """Every list that is in force.

    Args:
        lists: the lists.
        warnings: a line for each that has expired.
    """

    lists: tuple[BlockList, ...] = ()
    warnings: tuple[str, ...] = ()

    def blocking(
        self, plugin_id: str, version: str, publisher: Publisher | str | None, sha256: str
    ) -> Block | None:
        """Return what blocks an artifact, or None.

        Args:
            plugin_id: the plugin.
            version: of the plugin.
            publisher: who signed it, or the text of it as a receipt has it; None or empty where nobody did.
            sha256: of the plugin's wheel.
        """
        if not self.lists:
            return None
        if isinstance(publisher, str):
            publisher = _publisher(publisher)
        for listed in self.lists:
            for entry in listed.entries:
                if entry.names(plugin_id, version, publisher, sha256):
                    return Block(plugin_id, listed.name, entry.reason)
        return None


def read_list(value: Any) -> BlockList:
    """Return the list that decoded JSON holds.

    Raises:
        ValueError: it is no such list; all problems at once.
    """
    if not isinstance(value, Mapping):
        raise ValueError("a block list is an object")
    problems = [f"{key!r} is not known" for key in value if key not in _TOP]
    problems += [f"{key!r} is missing" for key in _TOP if key not in value]
    if problems:
        raise ValueError("; ".join(problems))
    if value["schema"] != SCHEMA or isinstance(value["schema"], bool):
        raise ValueError(f"schema {value['schema']!r} is not {SCHEMA}; a newer viloapp may know it")
    if not isinstance(value["name"], str) or not _NAME.fullmatch(value["name"]):
        problems.append("name is not a short text")
    times = [_time(value[key], key, problems) for key in ("issued", "expires")]
    rows = value["entries"]
    if not isinstance(rows, list) or len(rows) > MAX_ENTRIES:
        problems.append(f"entries is not a list of at most {MAX_ENTRIES}")
        rows = []
    entries = [_entry(row, f"entries[{number}]", problems) for number, row in enumerate(rows)]
    issued, expires = times
    if issued and expires and expires <= issued:
        problems.append("it expires before it is issued")
    if problems or issued is None or expires is None:
        raise ValueError("; ".join(problems[:20]))
    return BlockList(value["name"], issued, expires, tuple(entries))


def _entry(row: Any, where: str, problems: list[str]) -> Entry:
    if not isinstance(row, Mapping):
        problems.append(f"{where} is no object")
        return Entry("")
    found = [f"{where}.{key} is not known" for key in row if key not in _ENTRY]
    found += [f"{where}.{key} is no text" for key in row if key in _ENTRY and not isinstance(row[key], str)]
    if not found:
        text = {key: row.get(key, "") for key in _ENTRY}
        checks = (
            ("plugin", not text["plugin"] or _PLUGIN_ID.fullmatch(text["plugin"])),
            ("sha256", not text["sha256"] or _SHA256.fullmatch(text["sha256"])),
            ("publisher", not text["publisher"] or _PUBLISHER.fullmatch(text["publisher"])),
            ("owner_id", not text["owner_id"] or (text["owner_id"].isdigit() and text["publisher"])),
            ("versions", not text["versions"] or (text["plugin"] and _is_specifier(text["versions"]))),
            ("reason", 0 < len(text["reason"]) <= _MAX_REASON and text["reason"].isprintable()),
        )
        found = [f"{where}.{key} cannot be used" for key, good in checks if not good]
        if not any(text[key] for key in ("plugin", "publisher", "sha256")):
            found.append(f"{where} names no plugin, publisher or sha256")
        if not found:
            return Entry(**text)
    problems += found
    return Entry("")


def _time(value: Any, key: str, problems: list[str]) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time
    except (TypeError, ValueError):
        pass
    problems.append(f"{key} is no time like 2026-01-01T00:00:00Z")
    return None


def _is_specifier(text: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def _contains(versions: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    # Pre-releases of a blocked range are blocked too; a version that cannot be read fails closed.
    try:
        return SpecifierSet(versions).contains(version, prereleases=True)
    except ValueError:
        return True


def _fits(pattern: str, short: str) -> bool:
    parts = (re.escape(part) for part in pattern.casefold().split("*"))
    return re.fullmatch(".*".join(parts), short.casefold()) is not None


def _publisher(text: str) -> Publisher | None:
    from viloapp_core.trust.publishers import parse_publisher

    try:
        return parse_publisher(text) if text else None
    except PublisherTextError:
        return None
