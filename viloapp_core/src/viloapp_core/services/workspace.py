"""Which instances of which widgets are open."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from viloapp_sdk.errors import UnknownWidgetError

__all__ = ["Instance", "Workspace"]


@dataclass(slots=True)
class Instance:
    """One open widget."""

    id: str
    widget_id: str
    plugin_id: str
    kind: str
    title: str
    data: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    """What it was opened with; a new worker opens it with the same."""
    state: Any = None
    """What its plugin last said it needs to go on."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"instance", "widget", "plugin", "kind", "title", "data"}``."""
        return {
            "instance": self.id,
            "widget": self.widget_id,
            "plugin": self.plugin_id,
            "kind": self.kind,
            "title": self.title,
            "data": self.data,
        }


class Workspace:
    """The open instances and the one that has the focus."""

    def __init__(self) -> None:
        self._instances: dict[str, Instance] = {}
        self._active: str | None = None

    def new_id(self) -> str:
        """Return an unused instance id that nobody can guess."""
        return secrets.token_urlsafe(9)

    def add(self, instance: Instance) -> None:
        """Take up an instance and give it the focus."""
        self._instances[instance.id] = instance
        self._active = instance.id

    def get(self, instance_id: str) -> Instance:
        """Return an open instance.

        Raises:
            UnknownWidgetError: none of that id is open.
        """
        instance = self._instances.get(instance_id)
        if instance is None:
            raise UnknownWidgetError(f"no widget {instance_id[:40]!r} is open")
        return instance

    def of_plugin(self, plugin_id: str) -> list[Instance]:
        """Return the open instances of a plugin's widgets."""
        return [instance for instance in self._instances.values() if instance.plugin_id == plugin_id]

    def all(self) -> list[Instance]:
        """Return every open instance, oldest first."""
        return list(self._instances.values())

    def activate(self, instance_id: str) -> None:
        """Say that an instance has the focus."""
        self._active = self.get(instance_id).id

    def active(self) -> Instance | None:
        """Return the instance that has the focus."""
        return self._instances.get(self._active) if self._active else None

    def remove(self, instance_id: str) -> Instance | None:
        """Drop an instance; return it if it was open."""
        if self._active == instance_id:
            self._active = None
        return self._instances.pop(instance_id, None)
