"""What happened in a test, in order, as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from viloapp_sdk.communication import PluginEvent

__all__ = ["EventLog"]


class EventLog:
    """Every event that was emitted, by whom it may be; iterable, oldest first.

    >>> log = EventLog()
    >>> log.add(PluginEvent("hello.greeted", "hello", {"name": "you"}))
    >>> log.types()
    ['hello.greeted']
    >>> log.expect("hello.greeted", {"name": "you"}).source
    'hello'
    """

    def __init__(self) -> None:
        self._events: list[PluginEvent] = []

    def __iter__(self) -> Iterator[PluginEvent]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: PluginEvent) -> None:
        """Note an event."""
        self._events.append(event)

    def types(self) -> list[str]:
        """Return the types of all events."""
        return [event.type for event in self._events]

    def of(self, type: str) -> list[PluginEvent]:
        """Return the events of a type."""
        return [event for event in self._events if event.type == type]

    def clear(self) -> None:
        """Forget what happened so far."""
        self._events.clear()

    def expect(self, type: str, data: Mapping[str, Any] | None = None) -> PluginEvent:
        """Return the last event of ``type``, and with ``data`` the last that has these values among its own.

        Raises:
            AssertionError: there was none; says what there was.
        """
        for event in reversed(self.of(type)):
            if all(item in event.data.items() for item in (data or {}).items()):
                return event
        about = f" with {dict(data)!r}" if data else ""
        there = "\n  ".join(map(repr, self._events)) or "nothing"
        raise AssertionError(f"no event {type!r}{about} was emitted; there was:\n  {there}")
