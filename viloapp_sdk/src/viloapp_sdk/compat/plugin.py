"""A whole plugin of the old interface as one of today's: its commands and its widgets, known when it runs.

Source: the specification, Plugin CLI Tool, for what such a plugin has: ``get_widgets`` returns widgets or
their classes, ``get_commands`` commands, and ``handle_command`` may be missing.
"""

from viloapp_sdk.compat.widget import LegacyWidgetAdapter, said
from viloapp_sdk.errors import UnknownCommandError
from viloapp_sdk.plugin import ICommand, IPlugin, Plugin
from viloapp_sdk.widget import Widget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from viloapp_sdk.context import PluginContext
    from viloapp_sdk.widget import IWidget

__all__ = ["LegacyPluginAdapter"]


class LegacyPluginAdapter(Plugin):
    """A plugin of today around one of the old interface.

    Its id and version are those of the distribution. A command or widget whose id has no dot is called
    ``<plugin id>.<its id>``. A widget that the old plugin gives as an object is the same object in every tab.
    """

    legacy: "ClassVar[Any]" = None
    """The class of the old plugin."""

    def __init__(self) -> None:
        make = type(self).legacy
        if make is None:
            name = type(self).__name__
            raise TypeError(f"{name} wraps nothing: set {name}.legacy to the old plugin's class")
        self.legacy_plugin = _concrete(make)()
        self._widgets: Sequence[type[IWidget]] | None = None

    def initialize(self, context: "PluginContext") -> "Any":
        """Hand the context over."""
        super().initialize(context)
        if isinstance(self.legacy_plugin, IPlugin):
            self.legacy_plugin.context = context
        return self.legacy_plugin.initialize(context) if hasattr(self.legacy_plugin, "initialize") else None

    def shutdown(self) -> "Any":
        """Tell the old plugin that it ends."""
        return said(self.legacy_plugin, "shutdown")

    def get_widgets(self) -> "Sequence[type[IWidget]]":
        """Return the old plugin's widgets, each as a class of today."""
        if self._widgets is None:
            offered = said(self.legacy_plugin, "get_widgets") or ()
            self._widgets = tuple(self._widget(each) for each in offered)
        return self._widgets

    def _widget(self, old: "Any") -> "type[IWidget]":
        if isinstance(old, type) and issubclass(old, Widget) and old.id:
            return old
        first = old() if isinstance(old, type) else old
        adapter = LegacyWidgetAdapter(first)
        members = {
            "id": self._named(adapter.get_widget_id() or type(first).__name__.lower()),
            "title": adapter.get_title(),
            "legacy": old if isinstance(old, type) else (lambda: first),
        }
        return type(type(first).__name__, (LegacyWidgetAdapter,), members)

    def get_commands(self) -> "list[ICommand]":
        """Return the old plugin's commands."""
        offered = said(self.legacy_plugin, "get_commands") or ()
        return [self._command(each) for each in offered]

    def _command(self, old: "Any") -> ICommand:
        """Return a command of today for an object, or a dict: id, title (or name), and maybe a handler."""

        def get(name: str) -> "Any":
            return old.get(name) if isinstance(old, dict) else getattr(old, name, None)

        id = str(get("id") or get("command_id") or "")
        handler = get("handler") or get("callback") or get("execute")

        def ask(**arguments: "Any") -> "Any":
            return self.legacy_plugin.handle_command(id, arguments)

        title = str(get("title") or get("name") or id)
        return ICommand(self._named(id), title, handler or ask, str(get("description") or ""))

    def handle_command(self, command: str, args: "Mapping[str, Any]") -> "Any":
        """Run a command: its own handler, else what the old plugin answers."""
        try:
            return super().handle_command(command, args)
        except UnknownCommandError:
            if not hasattr(self.legacy_plugin, "handle_command"):
                raise
        return self.legacy_plugin.handle_command(command, args)

    def _named(self, id: str) -> str:
        return id if "." in id else f"{self.context.plugin_id}.{id}"


def _concrete(legacy: "Any") -> "Any":
    """Return a class that can be made: what the old interface did not ask for is today's."""
    if (
        isinstance(legacy, type)
        and issubclass(legacy, IPlugin)
        and getattr(legacy, "__abstractmethods__", None)
    ):
        return type(legacy.__name__, (legacy, Plugin), {})
    return legacy
