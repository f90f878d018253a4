"""Who wants to hear of which event."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["EventBus"]


class EventBus:
    """Subscriptions of plugins (by id) and of the host itself, and delivery to them.

    Args:
        deliver: ``(plugin id, type, {"source", "data"})``: hand an event to a plugin that wants it.
    """

    def __init__(self, deliver: Callable[[str, str, dict[str, Any]], None]) -> None:
        self._deliver = deliver
        self._subscribers: dict[str, dict[str, None]] = {}

    def subscribe(self, plugin_id: str, type: str) -> None:
        """Deliver events of ``type`` to the plugin from now on."""
        self._subscribers.setdefault(type, {})[plugin_id] = None

    def forget(self, plugin_id: str) -> None:
        """Drop everything a plugin subscribed to: its worker has ended."""
        for plugins in self._subscribers.values():
            plugins.pop(plugin_id, None)

    def emit(self, type: str, source: str, data: Mapping[str, Any]) -> None:
        """Tell everybody who subscribed to ``type``, in the order in which they did."""
        body = {"source": source, "data": dict(data)}
        for plugin_id in tuple(self._subscribers.get(type, ())):
            self._deliver(plugin_id, type, body)
