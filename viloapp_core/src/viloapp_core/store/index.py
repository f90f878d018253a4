"""`InstalledPlugin` and `index.json`: what readers need of every plugin, in one small file.

The index is a cache. The truth is each plugin's ``current`` link, its receipt and ``state.json``; `entry`
derives a row from those, `encode` and `decode` are the file's format. All three are pure.

What a host has to know of all plugins together comes first, then what listings show of each, then the rest. A
plugin's two lines are decoded once it is asked for:

    {"activation":{"onStartup":["hello"]},"disabled":[],"ids":["hello",…],…,"revision":7,"schema":7,
    "plugins":{
    "hello":{"enabled":true,…},
    …
    },
    "details":{
    "hello":{"commands":[…],…},
    …
    },
    "crc32":123456}
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_core.store import listed, withdrawals
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout
from viloapp_core.store.listed import CHECKSUM, DETAILS, INDEX_SCHEMA, ROWS


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
_RELATIONS = ("requires_plugins", "conflicts", "load_after", "load_before")
# The keys of a row and what each holds; what is in the lists was checked when the plugin was installed.
_KINDS: tuple[tuple[str, Any], ...] = (
    *((key, str) for key in _FROM_RECEIPT if key != "permissions"),
    *((key, type(empty)) for key, empty in _FROM_MANIFEST.items()),
    *((key, str) for key in ("generation", "summary", "reason", "base_prefix", "base_executable")),
    *((key, str) for key in ("signature", "publisher", "sha256", "dependencies", "rolled_back")),
    ("permissions", list),
    ("enabled", bool),
    ("replaces", bool),
    ("dev_source", (str, type(None))),
)


_LISTED_KINDS = tuple((key, kind) for key, kind in _KINDS if key in _LISTED)
_NO_ROW = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""What comes of JSON that is none, or says something else than a row."""


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
        "replaces": isinstance(receipt.get("replaces"), str),
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


def _check(row: Mapping[str, Any], kinds: Sequence[tuple[str, Any]] = _KINDS) -> None:
    for key, kind in kinds:
        if not isinstance(row[key], kind):
            raise TypeError(f"{key} is {type(row[key]).__name__}")
    if "/" in row["generation"] or row["generation"] in ("", ".", ".."):
        raise ValueError("generation")  # the name of a folder, never a way to another


def _check_head(head: Mapping[str, Any]) -> None:
    """Refuse what `encode` never says of all plugins together, though its sum is right.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is such.
    """
    ids = head["ids"]
    if ids != sorted({*ids}):
        raise ValueError("ids")
    several = (head["disabled"], head["replacing"], head["related"], *head["activation"].values())
    if not all(isinstance(each, list) for each in several):
        raise TypeError("no list")
    if not {*head["former"].values()}.union(*several) <= {*ids}:
        raise ValueError("unknown ids")


def _edited(what: str) -> StoreError:
    return StoreError("bad_index", f"index.json was edited: {what} cannot be used", "viloapp repair")


def encode(revision: int, rows: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return the bytes of an ``index.json``."""
    listed = {plugin_id: {key: row[key] for key in _LISTED} for plugin_id, row in rows.items()}
    details = {
        plugin_id: {key: value for key, value in row.items() if key not in _LISTED}
        for plugin_id, row in rows.items()
    }
    head = _json({"schema": INDEX_SCHEMA, "revision": revision, **_of_all(rows)}).removesuffix(b"}")
    data = head + ROWS + _lines(listed) + DETAILS + _lines(details)
    return data + CHECKSUM + b"%d}\n" % zlib.crc32(data)


def _of_all(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a host asks of all plugins when it starts, and so does not look at each for."""
    activation: dict[str, list[str]] = {}
    for plugin_id, row in sorted(rows.items()):
        for event in dict.fromkeys(map(str, row["activation_events"])):
            # Who has a command or a widget is found by that, not by its word.
            if event == "onStartup" or event.startswith("onEvent:"):
                activation.setdefault(event, []).append(plugin_id)
    return {
        "ids": sorted(rows),
        "disabled": sorted(id for id, row in rows.items() if not row["enabled"]),
        "activation": activation,
        "replacing": sorted(id for id, row in rows.items() if row["replaces"]),
        "related": sorted(id for id, row in rows.items() if any(row[key] for key in _RELATIONS)),
        "former": {old: id for id, row in sorted(rows.items()) for old in row["formerly"]},
    }


def _lines(rows: Mapping[str, Mapping[str, Any]]) -> bytes:
    return b"{\n" + b",\n".join(_json(id) + b":" + _json(rows[id]) for id in sorted(rows)) + b"\n}"


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Plugins(Mapping[str, InstalledPlugin]):
    """The plugins of an index, by id and in its order; each is decoded when it is first asked for.

    Args:
        head: what the index says of all together.
        rows: the JSON of what listings show.
        details: the JSON of the rest.
        layout: the store's.

    Attributes:
        disabled: ids of those that are.
        replacing: ids of those whose generation took another's place, and may be on probation.
        related: ids of those that say something of other plugins, such as that they start after them.
        former: ids that installed plugins had before, and theirs.
    """

    def __init__(self, head: Mapping[str, Any], rows: bytes, details: bytes, layout: Layout) -> None:
        self._ids = dict.fromkeys(head["ids"])
        self.disabled: frozenset[str] = frozenset(head["disabled"])
        self.replacing: Sequence[str] = head["replacing"]
        self.related: Sequence[str] = head["related"]
        self.former: Mapping[str, str] = head["former"]
        self._activation: Mapping[str, Sequence[str]] = head["activation"]
        self._json = (rows, details)
        self._layout = layout
        self._decoded: dict[str, InstalledPlugin] = {}
        self._whole: tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]] | None = None
        self._listed: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """What listings show of each, as JSON has it: no path is made."""
        if self._listed is None:
            try:
                listed_rows = json.loads(self._json[0])
                if listed_rows.keys() != self._ids.keys():
                    raise ValueError("ids")
                for row in listed_rows.values():
                    _check(row, _LISTED_KINDS)
            except _NO_ROW as error:
                raise _edited("what listings show") from error
            self._listed = listed_rows
        return self._listed

    def __getitem__(self, plugin_id: str) -> InstalledPlugin:
        if (known := self._decoded.get(plugin_id)) is None:
            if plugin_id not in self._ids:
                raise KeyError(plugin_id)
            try:
                row = self._row(plugin_id)
                _check(row)
                made = plugin(plugin_id, row, self._layout)
            except _NO_ROW as error:
                raise _edited(f"what it says of {plugin_id}") from error
            self._decoded[plugin_id] = made
            return made
        return known

    def _row(self, plugin_id: str) -> dict[str, Any]:
        if len(self._decoded) < _FEW:
            listed_row, details = (json.loads(listed.line(lines, plugin_id)) for lines in self._json)
            return {**listed_row, **details}
        if self._whole is None:  # one after the other they would be looked for again and again
            self._whole = (json.loads(self._json[0]), json.loads(self._json[1]))
        return {**self._whole[0][plugin_id], **self._whole[1][plugin_id]}

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self._ids

    def activated(self, event: str) -> Sequence[str]:
        """Return the ids of those that an event starts: ``onStartup`` or ``onEvent:NAME``."""
        return self._activation.get(event, ())

    def naming(self, id: str) -> Iterator[str]:
        """Yield the ids of those that may have a command or a widget of that id; no other has."""
        details, text = self._json[1], b'"id":' + _json(id)
        at = details.find(text)
        while at >= 0:
            try:
                begins = details.rindex(b'\n"', 0, at) + 2
                found = details[begins : details.index(b'"', begins)].decode()
                at = details.find(text, details.index(b"\n", at))
            except ValueError as error:
                raise _edited("what it says of commands and widgets") from error
            if found in self._ids:
                yield found

    def changed_since(self, before: Plugins) -> list[str]:
        """Return the ids that both have, of those that are not as they were."""
        known = {line for lines in before._json for line in _each(lines)}
        changed = [line for lines in self._json for line in _each(lines) if line not in known]
        found = {line[1 : line.index(b'"', 1)].decode() for line in changed}
        return sorted(found.intersection(before))

    def unusual(self) -> list[str]:
        """Return the ids of those that may be damaged, and of plugins that the index does not know."""
        return listed.unusual(str(self._layout.plugins), self.rows)


_FEW = 16
"""So many plugins are looked for line by line; whoever wants more, wants all."""


def _each(lines: bytes) -> list[bytes]:
    return [line.removesuffix(b",") for line in lines.split(b"\n")[1:-1] if line]


def decode(data: bytes, layout: Layout) -> tuple[int, Plugins]:
    """Return revision and plugins of an ``index.json``.

    Raises:
        StoreError: it is not an index of this schema; it can be rebuilt.
    """
    try:
        head, rows, details = listed.parts(data)
        _check_head(head)
        return int(head["revision"]), Plugins(head, rows, details, layout)
    except _NO_ROW as error:
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
