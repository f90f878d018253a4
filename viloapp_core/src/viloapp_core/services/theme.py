"""Themes: which one is current, and its colours.

The page takes its CSS variables from the same table, so that a plugin's colours are the workspace's.
"""

from collections.abc import Callable, Mapping

from viloapp_core.services.errors import ThemeError

__all__ = ["DEFAULT_THEME", "THEMES", "Theme"]

DEFAULT_THEME = "dark"
UNKNOWN_COLOR = "#000000"
"""Source: the specification's theme service."""

THEMES: Mapping[str, Mapping[str, str]] = {
    "dark": {
        "background": "#1b1d23",
        "surface": "#21242b",
        "raised": "#2a2e37",
        "border": "#353a45",
        "foreground": "#d8dce5",
        "muted": "#949cab",
        "accent": "#6ea8fe",
        "success": "#7cc38a",
        "warning": "#e0b15e",
        "error": "#f07f83",
        "selection": "#34476b",
        "cursor": "#d8dce5",
    },
    "light": {
        "background": "#ffffff",
        "surface": "#f5f6f8",
        "raised": "#ebedf1",
        "border": "#d5d9e0",
        "foreground": "#22262e",
        "muted": "#5d6673",
        "accent": "#1a5fd0",
        "success": "#1d7a3a",
        "warning": "#8a5a00",
        "error": "#b4232a",
        "selection": "#c9dcfb",
        "cursor": "#22262e",
    },
    "high-contrast": {
        "background": "#000000",
        "surface": "#000000",
        "raised": "#141414",
        "border": "#ffffff",
        "foreground": "#ffffff",
        "muted": "#d0d0d0",
        "accent": "#5cc8ff",
        "success": "#5cff8d",
        "warning": "#ffd75c",
        "error": "#ff8080",
        "selection": "#264f78",
        "cursor": "#ffffff",
    },
}


class Theme:
    """The current theme.

    Args:
        name: the theme to begin with; an unknown one becomes the default.
        on_change: called with the theme's name after each change.
    """

    def __init__(self, name: str, on_change: Callable[[str], None]) -> None:
        self._name = name if name in THEMES else DEFAULT_THEME
        self._on_change = on_change

    def get_current_theme(self) -> str:
        """Return the current theme's name."""
        return self._name

    def get_color(self, key: str) -> str:
        """Return a colour of the current theme as ``#rrggbb``; ``#000000`` for an unknown key."""
        return THEMES[self._name].get(key, UNKNOWN_COLOR)

    def colors(self) -> Mapping[str, str]:
        """Return every colour of the current theme."""
        return THEMES[self._name]

    def set(self, name: str) -> None:
        """Change the theme.

        Raises:
            ThemeError: there is no theme of that name.
        """
        if name not in THEMES:
            raise ThemeError(f"there is no theme {name!r}", f"there are: {', '.join(THEMES)}")
        if name != self._name:
            self._name = name
            self._on_change(name)
