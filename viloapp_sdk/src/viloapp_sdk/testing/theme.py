"""The theme service of the kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from viloapp_sdk.communication import PluginEvent

__all__ = ["MockThemeService"]

_UNKNOWN = "#000000"


class MockThemeService:
    """A theme that a test can look into and change: `dark`, until it does.

    >>> theme = MockThemeService()
    >>> theme.get_current_theme(), theme.get_color("background"), theme.get_color("no such key")
    ('dark', '#1e1e1e', '#000000')
    """

    def __init__(self) -> None:
        self.current_theme = "dark"
        self.colors = {"background": "#1e1e1e", "foreground": "#ffffff"}
        self._subscribers: list[Callable[[PluginEvent], Any]] = []

    def get_current_theme(self) -> str:
        """Return the theme's name."""
        return self.current_theme

    def get_color(self, key: str) -> str:
        """Return a colour; ``#000000`` for an unknown key."""
        return self.colors.get(key, _UNKNOWN)

    def subscribe_theme_change(self, callback: Callable[[PluginEvent], Any]) -> Callable[[], None]:
        """Call ``callback`` after each `set_theme`; return what ends that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def set_theme(self, name: str, **colors: str) -> None:
        """Change the theme, and colours of it, as the person does."""
        self.current_theme = name
        self.colors.update(colors)
        event = PluginEvent("theme.changed", "host", {"theme": name})
        for callback in tuple(self._subscribers):
            callback(event)
