"""What plugins say of themselves, in the language of the workspace; it is read once."""

from collections.abc import Callable, Mapping
from typing import Any

from viloapp_core.store import InstalledPlugin
from viloapp_core.store.wording import Texts, rows_in, texts_of

__all__ = ["Wording"]


class Wording:
    """The words of plugins.

    Args:
        plugins: what is installed.
        locale: the value of ``core.locale``.
    """

    def __init__(
        self, plugins: Callable[[], Mapping[str, InstalledPlugin]], locale: Callable[[], str]
    ) -> None:
        self._plugins = plugins
        self._locale = locale
        self._kept: dict[str, tuple[object, Texts]] = {}

    def of(self, plugin_id: str) -> Texts:
        """Return a plugin's words, key → text; none in the default language, where nothing is read."""
        plugin = self._plugins().get(plugin_id)
        if plugin is None:
            return {}
        stamp = (self._locale(), plugin.generation)
        known = self._kept.get(plugin_id)
        if known is None or known[0] != stamp:
            known = self._kept[plugin_id] = (stamp, texts_of(plugin, stamp[0]))
        return known[1]

    def rows(self, kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return commands or widgets, each with its ``plugin``, in their plugins' words."""
        return [said for row in rows for said in rows_in(self.of(row["plugin"]), kind, [row])]

    def forget(self) -> None:
        """Read anew when somebody asks: a source may have changed."""
        self._kept.clear()
