"""Who wants to hear of which event."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from viloapp_sdk.errors import InvalidArgumentsError

__all__ = ["EventBus"]

# What one plugin may make the host remember: types are short words, and a plugin in order has a dozen.
_MAX_TYPE = 200
_MAX_TYPES = 1000


class EventBus:
    """Subscriptions of plugins (by id) and of the host itself, and delivery to them.

    Args:
        deliver: ``(plugin ids, type, {"source", "data"})``: hand an event to the plugins that want it.
    """

    def __init__(self, deliver: Callable[[Sequence[str], str, dict[str, Any]], None]) -> None:
        self._deliver = deliver
        self._subscribers: dict[str, dict[str, None]] = {}
        self._types: dict[str, set[str]] = {}  # by plugin id

    def subscribe(self, plugin_id: str, type: str) -> None:
        """Deliver events of ``type`` to the plugin from now on.

        Raises:
            InvalidArgumentsError: the type is too long, or the plugin listens to too many.
        """
        if len(type) > _MAX_TYPE:
            raise InvalidArgumentsError(f"an event's type has at most {_MAX_TYPE} characters")
        types = self._types.setdefault(plugin_id, set())
        if type not in types and len(types) >= _MAX_TYPES:
            raise InvalidArgumentsError(
                f"{plugin_id} listens to {_MAX_TYPES} types of events already",
                "listen to one type, and tell its events apart by their data",
            )
        types.add(type)
        self._subscribers.setdefault(type, {})[plugin_id] = None

    def listens(self, plugin_id: str) -> bool:
        """Return whether a plugin wants to hear of anything."""
        return bool(self._types.get(plugin_id))

    def forget(self, plugin_id: str) -> None:
        """Drop everything a plugin subscribed to: its worker has ended."""
        for type in self._types.pop(plugin_id, ()):
            plugins = self._subscribers[type]
            del plugins[plugin_id]
            if not plugins:
                del self._subscribers[type]

    def narrow(self, plugin_id: str, keep: Callable[[str], bool]) -> None:
        """Drop the subscriptions of a plugin whose types ``keep`` says no to."""
        kept = [type for type in self._types.get(plugin_id, ()) if keep(type)]
        self.forget(plugin_id)
        for type in kept:
            self.subscribe(plugin_id, type)

    def emit(self, type: str, source: str, data: Mapping[str, Any]) -> None:
        """Tell everybody who subscribed to ``type``, in the order in which they did."""
        if subscribers := self._subscribers.get(type):
            self._deliver(tuple(subscribers), type, {"source": source, "data": dict(data)})
