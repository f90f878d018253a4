"""One plugin's part of a settings file, and the version that it has; for who changes plugins, not settings.

``{"plugins": {"hello": {"greeting": "Hi"}}, "versions": {"hello": "2.1"}}``
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from viloapp_core.foundation.files import write_json
from viloapp_core.services.settings import LIMITS, load, locked

__all__ = ["Section", "forget_plugin", "read_section", "write_section"]


_VERSION = re.compile(r"[1-9][0-9]{0,5}(\.[0-9]{1,6})?")


@dataclass(frozen=True)
class Section:
    """What a file holds of a plugin.

    Args:
        values: by name; None when it holds nothing.
        version: of them, as was recorded; empty when nothing was.
    """

    values: Mapping[str, Any] | None
    version: str = ""

    @property
    def own(self) -> dict[str, Any]:
        """The plugin's own settings, without the limits that the person sets."""
        return {name: value for name, value in (self.values or {}).items() if not name.startswith(LIMITS)}

    @property
    def limits(self) -> dict[str, Any]:
        """The limits that the person set for it, under their names."""
        return {name: value for name, value in (self.values or {}).items() if name.startswith(LIMITS)}

    def with_own(self, values: Mapping[str, Any]) -> "Section":
        """Return it with other settings of the plugin's; the person's limits stay."""
        joined = {**values, **self.limits}
        return replace(self, values=joined if joined or self.values is not None else None)

    def with_version(self, version: str) -> "Section":
        """Return it with another version."""
        return replace(self, version=version)

    def to_json(self) -> dict[str, Any]:
        """Return it as `from_json` takes it."""
        return {"values": None if self.values is None else dict(self.values), "version": self.version}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Section":
        """Return what `to_json` had returned."""
        values = data.get("values")
        return cls(dict(values) if isinstance(values, dict) else None, str(data.get("version", "")))


def read_section(path: Path, owner: str) -> Section:
    """Return what a settings file holds of a plugin.

    Raises:
        FoundationError: the file cannot be read.
        SettingError: it holds no settings.
    """
    document = load(path)
    plugins, versions = document.get("plugins"), document.get("versions")
    found = plugins.get(owner) if isinstance(plugins, dict) else None
    version = versions.get(owner) if isinstance(versions, dict) else None
    known = isinstance(version, str) and _VERSION.fullmatch(version)
    return Section(found if isinstance(found, dict) else None, str(version) if known else "")


def write_section(path: Path, owner: str, section: Section) -> None:
    """Make a plugin's part of a settings file what it is to be; the rest stays.

    Raises:
        FoundationError: the file cannot be read or written.
        SettingError: it holds no settings.
    """
    if read_section(path, owner) == section:
        return
    with locked(path):
        document = load(path)
        _put(document, "plugins", owner, None if section.values is None else dict(section.values))
        _put(document, "versions", owner, section.version or None)
        write_json(path, document)


def forget_plugin(path: Path, plugin_id: str) -> bool:
    """Remove all settings of a plugin from a settings file; return whether there were any.

    Raises:
        FoundationError: the file cannot be read or written.
        SettingError: it holds no settings.
    """
    if not path.exists() or read_section(path, plugin_id) == Section(None):
        return False
    write_section(path, plugin_id, Section(None))
    return True


def _put(document: dict[str, Any], key: str, owner: str, value: Any) -> None:
    part = document.get(key)
    if not isinstance(part, dict):
        part = {}
    part.pop(owner, None)
    if value is not None:
        part[owner] = value
    if part or key == "plugins":
        document[key] = part
    else:
        document.pop(key, None)
