"""`InstalledPlugin` and `index.json`: what readers need of every plugin, in one small file.

The index is a cache. The truth is each plugin's ``current`` link, its receipt and ``state.json``; `entry`
derives a row from those, `encode` and `decode` are the file's format. All three are pure.

What listings show of each plugin comes first, the rest behind it and is decoded once a plugin is asked for:

    {"plugins":{"hello":{"enabled":true,…},…},"revision":7,"schema":6,
    "details":{"hello":{"commands":[…],…},…},
    "crc32":123456}
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_core.store import listed, withdrawals
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout
from viloapp_core.store.listed import CHECKSUM, DETAILS, INDEX_SCHEMA


@dataclass(frozen=True)
class InstalledPlugin:
    """One installed plugin, as the host and the listings see it. Paths are absolute and resolved."""

    plugin_id: str
    version: str
    enabled: bool
    reason: str
    """Why it is disabled; empty while it is enabled."""
    source: str
    """``index``, ``wheel`` or ``dev``."""
    signature: str
    """``signed by …``, ``UNSIGNED`` or ``dev``."""
    publisher: str
    """Who signed it, in full; empty for what nobody signed."""
    sha256: str
    """Of the plugin's own wheel."""
    dependencies: str
    """What is not signed of what it imports, for people; empty where there is nothing to say."""
    summary: str
    generation: Path
    python: Path
    """The virtualenv's interpreter: started only inside the sandbox."""
    base_prefix: Path
    base_executable: Path
    python_version: str
    entry_point: str
    """``package.module:Class``"""
    api_version: str
    """Of the interface between plugin and core for which it was written."""
    commands: tuple[dict[str, Any], ...]
    widgets: tuple[dict[str, Any], ...]
    activation_events: tuple[str, ...]
    keybindings: tuple[dict[str, Any], ...]
    menus: tuple[dict[str, Any], ...]
    configuration: dict[str, Any]
    permissions: tuple[str, ...]
    """The ids that the person consented to."""
    limits: dict[str, Any]
    restart: dict[str, Any]
    requires_plugins: tuple[str, ...]
    conflicts: tuple[str, ...]
    load_after: tuple[str, ...]
    load_before: tuple[str, ...]
    formerly: tuple[str, ...]
    dev_source: Path | None
    data_dir: Path
    log_dir: Path


# Keys of a row that are taken from the receipt as they are.
_FROM_RECEIPT = ("version", "source", "python_version", "entry_point", "permissions")
# Keys of a row that are taken from the receipt's manifest; the value is what an absent key means.
_FROM_MANIFEST: dict[str, Any] = {
    "api_version": "1.0",
    "commands": [],
    "widgets": [],
    "activation_events": [],
    "keybindings": [],
    "menus": [],
    "configuration": {},
    "limits": {},
    "restart": {},
    "requires_plugins": [],
    "conflicts": [],
    "load_after": [],
    "load_before": [],
    "formerly": [],
}
# What comes first; the reader of a listing pays for each key.
_LISTED = (
    *("generation", "version", "enabled", "reason", "source", "signature", "python_version", "summary"),
    *("publisher", "sha256", "dependencies", "permissions", "rolled_back"),
)
# The keys of a row and what each holds; what is in the lists was checked when the plugin was installed.
_KINDS: tuple[tuple[str, Any], ...] = (
    *((key, str) for key in _FROM_RECEIPT if key != "permissions"),
    *((key, type(empty)) for key, empty in _FROM_MANIFEST.items()),
    *((key, str) for key in ("generation", "summary", "reason", "base_prefix", "base_executable")),
    *((key, str) for key in ("signature", "publisher", "sha256", "dependencies", "rolled_back")),
    ("permissions", list),
    ("enabled", bool),
    ("dev_source", (str, type(None))),
)


def entry(receipt: Mapping[str, Any], generation: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the index's row for a plugin.

    Args:
        receipt: the decoded ``receipt.json`` of its generation.
        generation: the name of the generation's folder.
        state: the plugin's part of ``state.json``; empty for enabled.

    Raises:
        KeyError, TypeError: the receipt lacks something, or has something else in its place.
    """
    manifest = receipt["manifest"]
    if not isinstance(manifest, dict):
        raise TypeError("manifest is no object")
    row = {key: receipt[key] for key in _FROM_RECEIPT}
    row |= {key: manifest.get(key, empty) for key, empty in _FROM_MANIFEST.items()}
    row |= trust_facts(receipt)
    row |= {
        "generation": generation,
        "summary": receipt.get("summary", ""),
        "base_prefix": receipt["base_prefix"],
        "base_executable": receipt["base_executable"],
        "dev_source": receipt.get("dev_source"),
        "enabled": bool(state.get("enabled", True)),
        "reason": str(state.get("reason", "")),
        "rolled_back": withdrawals.told(state, generation),
    }
    _check(row)
    return row


def trust_facts(receipt: Mapping[str, Any]) -> dict[str, str]:
    """Return what the receipt says of who made a plugin, for its row.

    A receipt from before signatures were verified says nothing of it: that plugin is unsigned.
    """
    from viloapp_core.trust import DEPENDENCIES_NOTE, label_of  # a reader of the index does without

    kept = receipt.get("trust")
    if not isinstance(kept, dict):
        kept = {"kind": "dev"} if receipt["source"] == "dev" else {}
    partly = kept.get("kind") == "signed" and not kept.get("covers_dependencies")
    return {
        "signature": label_of(kept),
        "publisher": str(kept.get("publisher", "")),
        "sha256": str(kept.get("sha256", "")),
        "dependencies": DEPENDENCIES_NOTE if partly else "",
    }


def _check(row: Mapping[str, Any]) -> None:
    for key, kind in _KINDS:
        if not isinstance(row[key], kind):
            raise TypeError(f"{key} is {type(row[key]).__name__}")


def encode(revision: int, rows: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return the bytes of an ``index.json``."""
    listed = {plugin_id: {key: row[key] for key in _LISTED} for plugin_id, row in rows.items()}
    details = {
        plugin_id: {key: value for key, value in row.items() if key not in _LISTED}
        for plugin_id, row in rows.items()
    }
    head = _json({"schema": INDEX_SCHEMA, "revision": revision, "plugins": listed}).removesuffix(b"}")
    data = head + DETAILS + _json(details)
    return data + CHECKSUM + b"%d}\n" % zlib.crc32(data)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Plugins(Mapping[str, InstalledPlugin]):
    """The plugins of an index, by id and in its order; each is decoded when it is first asked for.

    Args:
        rows: what listings show.
        details: the JSON of the rest.
        layout: the store's.
    """

    def __init__(self, rows: Mapping[str, Mapping[str, Any]], details: bytes, layout: Layout) -> None:
        self.rows = rows
        """What listings show of each, as JSON has it: no path is made."""
        self._details: bytes | dict[str, dict[str, Any]] = details
        self._layout = layout
        self._decoded: dict[str, InstalledPlugin] = {}

    def __getitem__(self, plugin_id: str) -> InstalledPlugin:
        if (known := self._decoded.get(plugin_id)) is None:
            listed, details = self.rows[plugin_id], self._details
            if isinstance(details, bytes):
                details = self._details = json.loads(details)
            row = {**listed, **details[plugin_id]}
            made = self._decoded[plugin_id] = plugin(plugin_id, row, self._layout)
            return made
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self.rows

    def unusual(self) -> list[str]:
        """Return the ids of those that may be damaged, and of plugins that the index does not know."""
        return listed.unusual(str(self._layout.plugins), self.rows)


def decode(data: bytes, layout: Layout) -> tuple[int, Plugins]:
    """Return revision and plugins of an ``index.json``.

    Raises:
        StoreError: it is not an index of this schema; it can be rebuilt.
    """
    try:
        revision, rows, details = listed.split(data)
        return revision, Plugins(rows, details, layout)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            "bad_index", "index.json is not an index", "any viloapp command rebuilds it"
        ) from error


def plugin(plugin_id: str, row: Mapping[str, Any], layout: Layout) -> InstalledPlugin:
    """Return the plugin that a whole row, as `entry` makes it, describes."""
    folder = layout.plugin(plugin_id)
    # As few steps as there can be: a host makes these of each plugin when it starts.
    generation = folder.joinpath("generations", row["generation"])
    return InstalledPlugin(
        plugin_id=plugin_id,
        version=row["version"],
        enabled=row["enabled"],
        reason=row["reason"],
        source=row["source"],
        signature=row["signature"],
        publisher=row["publisher"],
        sha256=row["sha256"],
        dependencies=row["dependencies"],
        summary=row["summary"],
        generation=generation,
        python=generation.joinpath("venv/bin/python"),
        base_prefix=Path(row["base_prefix"]),
        base_executable=Path(row["base_executable"]),
        python_version=row["python_version"],
        entry_point=row["entry_point"],
        api_version=row["api_version"],
        commands=tuple(row["commands"]),
        widgets=tuple(row["widgets"]),
        activation_events=tuple(row["activation_events"]),
        keybindings=tuple(row["keybindings"]),
        menus=tuple(row["menus"]),
        configuration=dict(row["configuration"]),
        permissions=tuple(row["permissions"]),
        limits=dict(row["limits"]),
        restart=dict(row["restart"]),
        requires_plugins=tuple(row["requires_plugins"]),
        conflicts=tuple(row["conflicts"]),
        load_after=tuple(row["load_after"]),
        load_before=tuple(row["load_before"]),
        formerly=tuple(row["formerly"]),
        dev_source=Path(row["dev_source"]) if row["dev_source"] else None,
        data_dir=folder / "data",
        log_dir=folder / "log",
    )


def clashes(plugin_id: str, manifest: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return, for people, the command and widget ids of `manifest` that another plugin already has."""
    found = []
    for kind, key in (("command", "commands"), ("widget", "widgets")):
        taken = {item["id"]: other for other, row in rows.items() if other != plugin_id for item in row[key]}
        found += [
            f"{kind} {item['id']} belongs to {taken[item['id']]}"
            for item in manifest.get(key, ())
            if item["id"] in taken
        ]
    return found
