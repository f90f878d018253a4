"""`Book`: what is written in ``trust.toml``. Pure; `keeper` reads and writes the file.

schema = 1
digest = "sha256:…"                     # of everything else; an edit by hand is noticed

[plugins.hello]                         # a publisher that is pinned, and the highest version installed
kind = "github"
issuer = "https://token.actions.githubusercontent.com"
repository = "octo/hello"
repository_id = "123"
owner_id = "45"
workflow = ".github/workflows/release.yml"
ref = "refs/tags/*"
highest_version = "1.2.0"
pinned_at = "2026-01-01T00:00:00Z"

[unsigned.world]                        # allowed without a signature, by name
allowed_at = "2026-01-01T00:00:00Z"
highest_version = "0.3"
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from viloapp_core.trust.errors import PublisherTextError
from viloapp_core.trust.publishers import Publisher, parse_publisher

SCHEMA = 1
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLUGIN_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PUBLISHER_KEYS = tuple(one.name for one in fields(Publisher))
_PUBLISHER_NEEDS = ("kind", "issuer")


@dataclass(frozen=True)
class Pin:
    """Who is pinned for a plugin, since when, and the highest version that was installed of it."""

    publisher: Publisher
    pinned_at: str
    highest_version: str = ""


@dataclass(frozen=True)
class Unsigned:
    """That a person allowed a plugin without a signature, when, and the highest version installed of it."""

    allowed_at: str
    highest_version: str = ""


@dataclass(frozen=True)
class CachedFile:
    """A file in the folder ``trust/`` that was verified once: its hash, and when it was taken."""

    sha256: str
    taken_at: str


@dataclass(frozen=True)
class ListSource:
    """Where a block list comes from, who has to have signed it, and what of it is kept.

    Args:
        source: URL or absolute path.
        publisher: who has to have signed it.
        sha256: of the list that was verified last.
        issued: of the list that was verified last; an older one is refused.
        fetched_at: when.
    """

    source: str
    publisher: Publisher
    sha256: str
    issued: str
    fetched_at: str


@dataclass(frozen=True)
class Book:
    """Everything that a person decided about trust, and what was seen."""

    plugins: Mapping[str, Pin] = field(default_factory=lambda: MappingProxyType({}))
    unsigned: Mapping[str, Unsigned] = field(default_factory=lambda: MappingProxyType({}))
    root: CachedFile | None = None
    config: CachedFile | None = None
    block_lists: Mapping[str, ListSource] = field(default_factory=lambda: MappingProxyType({}))

    def publisher(self, plugin_id: str) -> Publisher | None:
        """Return who is pinned for a plugin."""
        pin = self.plugins.get(plugin_id)
        return pin.publisher if pin else None

    def highest_version(self, plugin_id: str) -> str | None:
        """Return the highest version that was installed of a plugin, signed or not."""
        from packaging.version import Version

        rows = (self.plugins.get(plugin_id), self.unsigned.get(plugin_id))
        seen = [row.highest_version for row in rows if row is not None and row.highest_version]
        return max(seen, key=Version) if seen else None

    def pinned(self, plugin_id: str, publisher: Publisher, at: str) -> Book:
        """Return the book with a publisher pinned; what was installed before stays known."""
        pin = Pin(publisher, at, self.highest_version(plugin_id) or "")
        return replace(self, plugins={**self.plugins, plugin_id: pin})

    def unpinned(self, plugin_id: str) -> Book:
        """Return the book with nothing known of a plugin: no publisher, no permission, no version."""
        plugins = {key: pin for key, pin in self.plugins.items() if key != plugin_id}
        unsigned = {key: row for key, row in self.unsigned.items() if key != plugin_id}
        return replace(self, plugins=plugins, unsigned=unsigned)

    def with_unsigned(self, plugin_id: str, at: str) -> Book:
        """Return the book with a plugin allowed without a signature."""
        row = self.unsigned.get(plugin_id) or Unsigned(at)
        return replace(self, unsigned={**self.unsigned, plugin_id: row})

    def seen(self, plugin_id: str, version: str) -> Book:
        """Return the book after a version was installed; a lower one changes nothing."""
        from packaging.version import Version

        highest = self.highest_version(plugin_id)
        if highest is not None and Version(version) <= Version(highest):
            return self
        if (pin := self.plugins.get(plugin_id)) is not None:
            return replace(self, plugins={**self.plugins, plugin_id: replace(pin, highest_version=version)})
        if (row := self.unsigned.get(plugin_id)) is not None:
            return replace(self, unsigned={**self.unsigned, plugin_id: replace(row, highest_version=version)})
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return what ``trust.toml`` holds, with its digest."""
        value: dict[str, Any] = {"schema": SCHEMA}
        for name in ("root", "config"):
            if (cached := getattr(self, name)) is not None:
                value[name] = {"sha256": cached.sha256, "taken_at": cached.taken_at}
        value["plugins"] = {
            key: _filled(pin.publisher) | _filled(pin, "pinned_at", "highest_version")
            for key, pin in sorted(self.plugins.items())
        }
        value["unsigned"] = {
            key: _filled(row, "allowed_at", "highest_version") for key, row in sorted(self.unsigned.items())
        }
        value["block_lists"] = {
            name: {**_filled(row), "publisher": str(row.publisher)}
            for name, row in sorted(self.block_lists.items())
        }
        return {"schema": SCHEMA, "digest": digest(value), **value}


def digest(value: Mapping[str, Any]) -> str:
    """Return the digest over everything in the file but the digest itself.

    It has no secret: it notices an edit, it does not stop somebody with the person's own rights who
    computes it anew.
    """
    rest = {key: part for key, part in value.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def read_book(value: Mapping[str, Any]) -> tuple[Book, list[str]]:
    """Return the book that decoded TOML holds, and every problem; with one, the book counts for nothing.

    The digest is not looked at: see `digest`.
    """
    problems: list[str] = []
    known = ("schema", "digest", "root", "config", "plugins", "unsigned", "block_lists")
    problems += [f"{key} is not known" for key in value if key not in known]
    if value.get("schema") != SCHEMA:
        problems.append(f"schema is {value.get('schema')!r}, not {SCHEMA}")
    plugins = {
        key: pin
        for key, row in _tables(value, "plugins", problems)
        if (pin := _pin(row, f"plugins.{key}", problems)) is not None
    }
    unsigned = {}
    for key, row in _tables(value, "unsigned", problems):
        text = _text(row, f"unsigned.{key}", ("allowed_at",), ("highest_version",), problems)
        if text is not None:
            unsigned[key] = Unsigned(text["allowed_at"], text["highest_version"])
    lists = {}
    for key, row in _tables(value, "block_lists", problems):
        if (found := _list_source(row, f"block_lists.{key}", problems)) is not None:
            lists[key] = found
    cached: dict[str, CachedFile | None] = {"root": None, "config": None}
    for name in cached:
        if name in value:
            text = _text(value[name], name, ("sha256", "taken_at"), (), problems)
            cached[name] = CachedFile(**text) if text is not None else None
    names = [("plugins", key) for key in plugins] + [("unsigned", key) for key in unsigned]
    problems += [f"{part}.{key} is no plugin id" for part, key in names if not _PLUGIN_ID.fullmatch(key)]
    return Book(plugins, unsigned, cached["root"], cached["config"], lists), problems


def _pin(row: Any, where: str, problems: list[str]) -> Pin | None:
    optional = tuple(key for key in _PUBLISHER_KEYS if key not in _PUBLISHER_NEEDS)
    text = _text(row, where, (*_PUBLISHER_NEEDS, "pinned_at"), (*optional, "highest_version"), problems)
    if text is None:
        return None
    publisher = Publisher(**{key: text[key] for key in _PUBLISHER_KEYS})
    problems += [f"{where}: {problem}" for problem in publisher.problems()]
    return Pin(publisher, text["pinned_at"], text["highest_version"])


def _list_source(row: Any, where: str, problems: list[str]) -> ListSource | None:
    names = tuple(one.name for one in fields(ListSource))
    text = _text(row, where, names, (), problems)
    if text is None:
        return None
    try:
        publisher = parse_publisher(text["publisher"])
    except PublisherTextError as error:
        problems.append(f"{where}: {error.detail}")
        return None
    return ListSource(text["source"], publisher, text["sha256"], text["issued"], text["fetched_at"])


def _tables(value: Mapping[str, Any], part: str, problems: list[str]) -> list[tuple[str, Any]]:
    found = value.get(part, {})
    if not isinstance(found, Mapping):
        problems.append(f"{part} is no table")
        return []
    return list(found.items())


def _text(
    row: Any, where: str, needs: tuple[str, ...], may: tuple[str, ...], problems: list[str]
) -> dict[str, str] | None:
    """Return a table whose values are all text, the optional ones empty; None after adding the problems."""
    from packaging.version import InvalidVersion, Version

    if not isinstance(row, Mapping):
        problems.append(f"{where} is no table")
        return None
    found = [f"{where}.{key} is not known" for key in row if key not in needs and key not in may]
    found += [f"{where}.{key} is missing" for key in needs if key not in row]
    found += [f"{where}.{key} is no text" for key, part in row.items() if not isinstance(part, str)]
    if not found:
        for key, part in row.items():
            if key.endswith("_at") and not _TIME.fullmatch(part):
                found.append(f"{where}.{key} is no time like 2026-01-01T00:00:00Z")
            elif key == "sha256" and not _SHA256.fullmatch(part):
                found.append(f"{where}.{key} is no SHA-256")
        try:
            if row.get("highest_version"):
                Version(row["highest_version"])
        except InvalidVersion:
            found.append(f"{where}.highest_version is no version")
    problems += found
    return None if found else {key: row.get(key, "") for key in (*needs, *may)}


def _filled(row: object, *names: str) -> dict[str, str]:
    """Return the fields of a dataclass that are not empty."""
    keys = names or tuple(one.name for one in fields(row))  # type: ignore[arg-type]
    return {key: text for key in keys if (text := getattr(row, key))}
