"""What taking over another document of settings would change, decided before anything is changed."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from viloapp_core.services.sendable import unsendable
from viloapp_sdk.manifest.values import problem

__all__ = ["Adoption", "Change", "compare"]

_PLUGIN_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
"""A normalized name (Source: PEP 503), or an id of the application before this one, which has dots."""

_BY_HAND = {"core": "minimum.", None: "limits."}
"""What bounds plugins is set by a person, one at a time, and never comes along with a file."""


class Change(NamedTuple):
    """A setting before and after; ``before`` is the default where none was stored."""

    owner: str
    name: str
    before: Any
    after: Any

    @property
    def key(self) -> str:
        """How people call the setting."""
        return f"{self.owner}.{self.name}"


class Adoption(NamedTuple):
    """What is taken over.

    Attributes:
        changes: the settings that get another stored value.
        refused: key → why it is not taken.
    """

    changes: tuple[Change, ...]
    refused: dict[str, str]

    def apply(self, document: dict[str, Any]) -> None:
        """Make the changes in a document of settings."""
        for owner, name, _, value in self.changes:
            parent = document if owner == "core" else document.setdefault("plugins", {})
            if not isinstance(parent.get(owner), dict):
                parent[owner] = {}
            parent[owner][name] = value

    def to_json(self) -> dict[str, Any]:
        """Return ``{"changes": [{"key", "before", "after"}], "refused": {key: why}}``."""
        changes = [{"key": each.key, "before": each.before, "after": each.after} for each in self.changes]
        return {"changes": changes, "refused": dict(self.refused)}


def compare(
    current: Mapping[str, Any],
    document: Mapping[str, Any],
    owners: Mapping[str, Mapping[str, Mapping[str, Any]]],
    former: Mapping[str, str] | None = None,
) -> Adoption:
    """Return what would change in ``current`` if the settings of ``document`` were taken over.

    Args:
        current: the settings as they are.
        document: of the same shape.
        owners: what ``core`` and each installed plugin declare. A plugin that is not installed yet finds its
            settings when it comes.
        former: ids that installed plugins had before, and theirs. What is set under such a one becomes the
            plugin's, but never in place of what it has been set to since.
    """
    changes: list[Change] = []
    refused: dict[str, str] = {}
    for given, values in _sections(document).items():
        owner = (former or {}).get(given, given)
        stored = _sections(current).get(owner, {})
        for name, value in values.items():
            key, schema = f"{owner}.{name}", owners.get(owner, {}).get(name)
            if name in stored and (owner != given or _same(stored[name], value)):
                continue
            if why := _objection(owner, name, value, schema, known=owner in owners):
                refused[key] = why
            else:
                changes.append(Change(owner, name, stored.get(name, (schema or {}).get("default")), value))
    return Adoption(tuple(changes), refused)


def _sections(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    plugins = document.get("plugins")
    sections = {"core": document.get("core"), **(plugins if isinstance(plugins, dict) else {})}
    return {owner: values for owner, values in sections.items() if isinstance(values, dict)}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _objection(owner: str, name: str, value: Any, schema: Mapping[str, Any] | None, *, known: bool) -> str:
    if name.startswith(_BY_HAND["core"] if owner == "core" else _BY_HAND[None]):
        return "it is set by hand: viloapp config set"
    if not known:
        return "" if _PLUGIN_ID.fullmatch(owner) and len(owner) <= 200 else "that is no plugin's name"
    return "there is no such setting" if schema is None else problem(schema, value) or unsendable(value)
