"""What every installed plugin declares of its settings, each looked at when it is asked for."""

from collections.abc import Iterator, Mapping

from viloapp_core.services.settings import Configuration
from viloapp_core.store import InstalledPlugin

__all__ = ["Configurations"]


class Configurations(Mapping[str, Configuration]):
    """Configurations by plugin id.

    Args:
        plugins: by id; one is decoded only when it is asked for.
    """

    def __init__(self, plugins: Mapping[str, InstalledPlugin]) -> None:
        self._plugins = plugins

    def __getitem__(self, plugin_id: str) -> Configuration:
        return self._plugins[plugin_id].configuration

    def __iter__(self) -> Iterator[str]:
        return iter(self._plugins)

    def __len__(self) -> int:
        return len(self._plugins)
