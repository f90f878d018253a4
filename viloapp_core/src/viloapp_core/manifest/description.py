"""What a plugin says about itself, as the core passes it on. Plain data: nothing here reads anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from viloapp_core.manifest.errors import ManifestError
from viloapp_sdk.manifest import SCHEMA_VERSION

if TYPE_CHECKING:  # both cost a listing more than all it reads
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

__all__ = ["EntryPoint", "Manifest", "Permission", "PluginDescription"]

_COMMAND = {"description": "", "async": False, "parameters": []}
_PARAMETER = {"type": "any", "required": False}
_WIDGET = {"icon": "", "kind": "text", "position": "main", "description": ""}


@dataclass(frozen=True)
class Permission:
    """A permission that a plugin asks for.

    Args:
        id: ``category.scope.resource``.
        reason: why, in the author's words; may be empty.
    """

    id: str
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `plugin.json`."""
        return {"id": self.id, "reason": self.reason}


@dataclass(frozen=True)
class Manifest:
    """The content of a `plugin.json`, checked; what was absent has its empty value.

    Entries of ``commands``, ``widgets``, ``keybindings`` and ``menus`` are mappings as the file has them,
    with every key there. ``activation_events`` are those of the file, or one for each command and widget.
    """

    api_version: str
    permissions: tuple[Permission, ...] = ()
    activation_events: tuple[str, ...] = ()
    requires_plugins: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    load_after: tuple[str, ...] = ()
    load_before: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    restart: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    keybindings: tuple[Mapping[str, Any], ...] = ()
    menus: tuple[Mapping[str, Any], ...] = ()
    commands: tuple[Mapping[str, Any], ...] = ()
    widgets: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_json(cls, data: object, subject: str = "plugin.json") -> Self:
        """Return the manifest that decoded JSON means.

        Args:
            data: what `plugin.json` or a receipt holds.
            subject: names what was read, for errors.

        Raises:
            ManifestError: ``data`` is no manifest; with every issue.
        """
        from viloapp_sdk.manifest import validate

        if issues := validate(data):
            raise ManifestError(issues, subject)
        assert isinstance(data, Mapping)  # validate says so
        commands = tuple(_command(entry) for entry in data.get("commands", ()))
        widgets = tuple(
            {"id": entry["id"], "title": entry["id"]} | _WIDGET | entry for entry in data.get("widgets", ())
        )
        events = tuple(data.get("activation_events", ())) or (
            *(f"onCommand:{entry['id']}" for entry in commands),
            *(f"onWidget:{entry['id']}" for entry in widgets),
        )
        return cls(
            api_version=data["api_version"],
            permissions=tuple(Permission(**entry) for entry in data.get("permissions", ())),
            activation_events=events,
            requires_plugins=tuple(data.get("requires_plugins", ())),
            conflicts=tuple(data.get("conflicts", ())),
            load_after=tuple(data.get("load_after", ())),
            load_before=tuple(data.get("load_before", ())),
            formerly=tuple(data.get("formerly", ())),
            limits=dict(data.get("limits", {})),
            restart=dict(data.get("restart", {})),
            configuration={name: dict(entry) for name, entry in data.get("configuration", {}).items()},
            settings=dict(data.get("settings", {})),
            keybindings=tuple({"when": ""} | entry for entry in data.get("keybindings", ())),
            menus=tuple(dict(entry) for entry in data.get("menus", ())),
            commands=commands,
            widgets=widgets,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes back to an equal manifest: every key, lists and dicts alone."""
        return {
            "schema": SCHEMA_VERSION,
            "api_version": self.api_version,
            "permissions": [permission.to_json() for permission in self.permissions],
            "activation_events": list(self.activation_events),
            "requires_plugins": list(self.requires_plugins),
            "conflicts": list(self.conflicts),
            "load_after": list(self.load_after),
            "load_before": list(self.load_before),
            "formerly": list(self.formerly),
            "limits": dict(self.limits),
            "restart": dict(self.restart),
            "configuration": {name: dict(entry) for name, entry in self.configuration.items()},
            **({"settings": dict(self.settings)} if self.settings else {}),
            "keybindings": [dict(entry) for entry in self.keybindings],
            "menus": [dict(entry) for entry in self.menus],
            "commands": [dict(entry) for entry in self.commands],
            "widgets": [dict(entry) for entry in self.widgets],
        }


@dataclass(frozen=True)
class EntryPoint:
    """The one entry point of a plugin.

    Args:
        name: what the author called it; nothing depends on it.
        value: ``package.module:Class``.
    """

    name: str
    value: str


@dataclass(frozen=True)
class PluginDescription:
    """A plugin, from its core metadata, entry points and manifest.

    Args:
        plugin_id: the normalized distribution name (PEP 503).
        name: the name as the author writes it.
        version: of the distribution.
        summary: one line, safe to print.
        author: names, or addresses where there are no names; safe to print.
        license: an SPDX expression where the metadata has one; safe to print.
        requires_python: interpreters that it runs on.
        requires_dist: libraries that it imports.
        entry_point: its class.
        manifest: the content of its `plugin.json`.
        translations: its words in other languages, key → text by language; no part of what it is.
    """

    plugin_id: str
    name: str
    version: Version
    summary: str
    author: str
    license: str
    requires_python: SpecifierSet
    requires_dist: tuple[Requirement, ...]
    entry_point: EntryPoint
    manifest: Manifest
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False, repr=False)

    def in_language(self, locale: str) -> PluginDescription:
        """Return the same with its words in a language, where it has any (docs/reference/languages.md)."""
        from viloapp_core.manifest.translations import in_language

        return in_language(self, locale)

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON has it."""
        return {
            "plugin_id": self.plugin_id,
            "name": self.name,
            "version": str(self.version),
            "summary": self.summary,
            "author": self.author,
            "license": self.license,
            "requires_python": str(self.requires_python),
            "requires_dist": [str(requirement) for requirement in self.requires_dist],
            "entry_point": {"name": self.entry_point.name, "value": self.entry_point.value},
            "manifest": self.manifest.to_json(),
        }


def _command(entry: Mapping[str, Any]) -> dict[str, Any]:
    filled = {"id": entry["id"], "title": entry["id"]} | _COMMAND | dict(entry)
    filled["parameters"] = [_PARAMETER | parameter for parameter in filled["parameters"]]
    return filled
