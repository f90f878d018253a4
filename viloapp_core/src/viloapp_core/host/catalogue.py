"""Commands and widgets of the plugins that may run, each plugin's taken in when somebody looks for one."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from viloapp_core.host.widgets import Widgets
from viloapp_core.services import Command, Commands
from viloapp_core.store import InstalledPlugin
from viloapp_core.store.index import Plugins

__all__ = ["Catalogue"]

_FEW = 16
"""So many names are looked for one by one; a worker may offer a thousand, and each goes through the index."""


class Catalogue:
    """What plugins offer.

    Args:
        commands: where commands are registered.
        widgets: where widgets are offered.
        plugins: returns what is installed.
        ids: returns the ids of the plugins that may run.
    """

    def __init__(
        self,
        commands: Commands,
        widgets: Widgets,
        plugins: Callable[[], Plugins],
        ids: Callable[[], Collection[str]],
    ) -> None:
        self._commands = commands
        self._widgets = widgets
        self._plugins = plugins
        self._ids = ids
        self._taken: set[str] = set()
        self._all = False

    def offer(
        self,
        plugin: InstalledPlugin,
        commands: Iterable[Mapping[str, Any]],
        widgets: Iterable[Mapping[str, Any]],
    ) -> None:
        """Take in what a plugin offers, more than its manifest says or something else.

        What another's manifest has stays with that one, also when nobody has looked for it yet.
        """
        id = plugin.plugin_id
        self._taken.add(id)
        commands, widgets = tuple(commands), tuple(widgets)
        new = {each["id"] for each in (*commands, *widgets)}
        new.difference_update(each["id"] for each in (*plugin.commands, *plugin.widgets))
        if len(new) > _FEW:
            self.take_all()
        else:
            for name in new:
                self.look_for(name)
        keys = {binding["command"]: binding["key"] for binding in plugin.keybindings}
        self._commands.register(
            Command.from_json(id, command, keys.get(command["id"], "")) for command in commands
        )
        self._widgets.offer(id, widgets)

    def forget(self, plugin_ids: Collection[str]) -> None:
        """Drop what plugins offer; of those that may run, their manifests are read anew."""
        self._all = False
        for id in self._taken.intersection(plugin_ids):
            self._commands.forget(id)
            self._widgets.forget(id)
            self._taken.discard(id)

    def take(self, plugin_id: str) -> None:
        """Take in what a plugin's manifest offers, if it may run."""
        if plugin_id not in self._taken and plugin_id in self._ids():
            plugin = self._plugins()[plugin_id]
            self.offer(plugin, plugin.commands, plugin.widgets)

    def look_for(self, name: str) -> None:
        """Take in who may have a command or widget of that name; ``plugin-id:command`` names who has it."""
        plugin_id, colon, _ = name.partition(":")
        if colon:  # which no id has
            self.take(plugin_id)
            return
        for plugin_id in self._plugins().naming(name):
            self.take(plugin_id)

    def take_all(self) -> None:
        """Take in what every plugin offers."""
        if not self._all:
            for plugin_id in self._plugins():
                self.take(plugin_id)
            self._all = True
