"""Who drives each plugin that may run. A host with a thousand plugins makes none before one is asked for."""

from collections.abc import Callable, Collection

from viloapp_core.supervise import Worker

__all__ = ["Workers"]


class Workers(dict[str, Worker]):
    """The workers that there are, by plugin id; ``workers[id]`` makes the one of a plugin that may run.

    Whoever only looks (`get`, iteration) sees those that somebody has asked for: any other plugin never ran.

    Args:
        make: returns a new worker for a plugin that may run.

    Attributes:
        ids: of the plugins that may run.
    """

    def __init__(self, make: Callable[[str], Worker]) -> None:
        super().__init__()
        self._make = make
        self.ids: Collection[str] = frozenset[str]()

    def __missing__(self, plugin_id: str) -> Worker:
        if plugin_id not in self.ids:
            raise KeyError(plugin_id)
        made = self[plugin_id] = self._make(plugin_id)
        return made

    def of(self, plugin_id: str) -> Worker | None:
        """Return the worker of a plugin, None when that may not run."""
        try:
            return self[plugin_id]
        except KeyError:
            return None
