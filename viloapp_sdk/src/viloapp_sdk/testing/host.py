"""A host for one plugin in the process of the test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from viloapp_sdk.communication import PluginEvent
from viloapp_sdk.context import PluginContext
from viloapp_sdk.errors import UnknownCommandError, UnknownWidgetError
from viloapp_sdk.manifest import needs
from viloapp_sdk.manifest.decision import Places
from viloapp_sdk.manifest.pseudo import PSEUDO, pseudo_catalogue
from viloapp_sdk.plugin import IPlugin
from viloapp_sdk.services import Services
from viloapp_sdk.testing.dispatch import Dispatch
from viloapp_sdk.testing.events import EventLog
from viloapp_sdk.testing.files import FakeFiles
from viloapp_sdk.testing.grants import FakePermissions
from viloapp_sdk.testing.neighbours import Neighbour
from viloapp_sdk.testing.network import FakeNetwork
from viloapp_sdk.testing.running import Running
from viloapp_sdk.testing.settings import FakeSettings
from viloapp_sdk.testing.terminals import FakeTerminals
from viloapp_sdk.testing.theme import MockThemeService
from viloapp_sdk.testing.workspace import FakeWorkspace, OpenWidget

__all__ = ["FakeHost"]

_INFORMATION: Mapping[str, Any] = {
    "name": "testhost",
    "system": "Linux",
    "release": "6.0",
    "machine": "x86_64",
    "processors": 4,
    "memory_mb": 8192,
}


class FakeHost:
    """Runs a plugin in this process, behind the worker's own code, and plays the host and the person.

        host = FakeHost("hello", permissions=["services.emit.weather.changed"])
        host.load(Hello)
        assert host.call("hello.greet", name="you") == "Hello, you!"
        host.events.expect("hello.greeted", {"name": "you"})

    Args:
        plugin_id: of the plugin under test.
        permissions: what it was granted: what it declares, where nothing else is said.
        version: of the plugin.
        configuration: its settings, as in ``[tool.viloapp.configuration]``.
        folder: where the test's files go: a temporary one by default. It holds ``data``, which is the
            plugin's storage, ``workspace`` and ``home``.
        locale: the language of the workspace; ``en-XA`` and ``ar-XB`` once the plugin is initialized.

    Attributes:
        permissions: what it may, what was refused, what the person answers.
        theme: the theme, to be changed by the test.
        workspace: what is open.
        settings: the plugin's settings.
        events: every event that was emitted.
        notifications: ``(level, message)`` of what the person was told.
        terminals: what was opened, and typed.
        files: answers ``services.files``.
        network: where ``services.network`` leads.
        environment: the host's environment variables.
        information: what ``services.system.get_information`` returns.
        services: the services as the plugin has them.
    """

    def __init__(
        self,
        plugin_id: str = "test_plugin",
        *,
        permissions: Iterable[str] = (),
        version: str = "1.0.0",
        configuration: Mapping[str, Mapping[str, Any]] | None = None,
        folder: Path | None = None,
        locale: str = "en",
    ) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="viloapp-test-")
        self.folder = folder or Path(os.path.realpath(self._temporary.name if self._temporary else "."))
        for name in ("data", "workspace", "home"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.plugin_id = plugin_id
        self.version = version
        self.locale = locale
        places = {"workspace": str(self.folder / "workspace"), "plugin_data": str(self.storage)}
        self.permissions = FakePermissions(plugin_id, permissions, Places(str(self.folder / "home"), places))
        self.theme = MockThemeService()
        self.theme.subscribe_theme_change(lambda event: self.emit(event.type, event.data, source="host"))
        self.workspace = FakeWorkspace(str(self.folder / "workspace"))
        self.settings = FakeSettings(plugin_id, configuration or {}, self._setting_changed)
        self.events = EventLog()
        self.notifications: list[tuple[str, str]] = []
        self.terminals = FakeTerminals(self.workspace.folder)
        self.files = FakeFiles(self.permissions, self.folder / "home")
        self.network = FakeNetwork(self.permissions)
        self.environment: dict[str, str] = {}
        self.information: dict[str, Any] = dict(_INFORMATION)
        self._neighbours: dict[str, Neighbour] = {}
        self._subscribed: set[str] = set()
        self.dispatch = Dispatch(self)
        self._running = Running(self)

    # -- the plugin ----------------------------------------------------------------------------------

    @property
    def storage(self) -> Path:
        """The plugin's own folder, as ``context.storage`` has it."""
        return self.folder / "data"

    @property
    def plugin(self) -> IPlugin:
        """The plugin's object.

        Raises:
            AssertionError: none was loaded.
        """
        return self._running.plugin

    @property
    def context(self) -> PluginContext:
        """The context that the plugin was initialized with."""
        return self._running.plugin.context

    @property
    def services(self) -> Services:
        """The services as the plugin calls them, permissions and all."""
        return self._running.services

    def load(self, plugin: str | type[IPlugin]) -> IPlugin:
        """Start the plugin as a worker does.

        Args:
            plugin: its class, or the entry point that names it, such as ``hello.plugin:Hello``.
        """
        loaded = self._running.start(plugin)
        self._use_pseudo()
        return loaded

    def restart(self) -> IPlugin:
        """Stop the plugin and start it again, with its open widgets: an update, or a reload."""
        restarted = self._running.restart()
        self._use_pseudo()
        return restarted

    def unload(self) -> None:
        """Stop the plugin as a host does that ends.

        Raises:
            BaseException: what a subscriber raised meanwhile, which nobody has looked at.
        """
        self._running.stop()

    def close(self) -> None:
        """Unload what is loaded, and remove a temporary folder."""
        try:
            self.unload()
        finally:
            if self._temporary is not None:
                self._temporary.cleanup()

    # -- what the person and other plugins do --------------------------------------------------------

    def call(self, command: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Run a command of the plugin, plain or ``async``, and return its result.

        Raises:
            ViloError: what the plugin answered; `HandlerError` from what its code raised.
        """
        return self.run_command(command, {**(arguments or {}), **named})

    async def call_async(
        self, command: str, arguments: Mapping[str, Any] | None = None, /, **named: Any
    ) -> Any:
        """Run a command of the plugin in the loop that runs already."""
        name = command.removeprefix(f"{self.plugin_id}:")
        return await self._running.channel.serve_async("command", [name, {**(arguments or {}), **named}])

    def stream(
        self, command: str, arguments: Mapping[str, Any] | None = None, /, **named: Any
    ) -> Iterator[bytes]:
        """Yield what a streaming command of the plugin yields; closing it ends the plugin's generator.

        Raises:
            NotStreamingError: the command's handler is no generator.
            ViloError: what the plugin answered; `HandlerError` from what its code raised.
        """
        name = command.removeprefix(f"{self.plugin_id}:")
        return self._running.channel.stream([name, {**(arguments or {}), **named}])

    def stream_async(
        self, command: str, arguments: Mapping[str, Any] | None = None, /, **named: Any
    ) -> AsyncIterator[bytes]:
        """Do what `stream` does in the loop that runs already."""
        name = command.removeprefix(f"{self.plugin_id}:")
        return self._running.channel.stream_async([name, {**(arguments or {}), **named}])

    def grant(self, *permissions: str) -> None:
        """Allow the plugin something; see `FakePermissions.grant`."""
        self.permissions.grant(*permissions)

    def revoke(self, *permissions: str) -> None:
        """Deny the plugin something; see `FakePermissions.revoke`."""
        self.permissions.revoke(*permissions)
        self._subscribed = {type for type in self._subscribed if self._may_hear(type)}

    def emit(self, type: str, data: Mapping[str, Any] | None = None, *, source: str = "test") -> None:
        """Emit an event as somebody else; the plugin hears it if it subscribed and may."""
        event = PluginEvent(type, source, data)
        self.events.add(event)
        if type in self._subscribed:
            self._running.channel.tell(type, {"source": source, "data": event.data})

    def set_locale(self, locale: str) -> None:
        """Choose another language, as the person does: ``context.i18n`` follows.

        Of ``en-XA`` and ``ar-XB`` the plugin needs no catalogues: they are made of its default language.
        """
        self.locale = locale
        if locale in PSEUDO:
            i18n = self.context.i18n
            made = pseudo_catalogue(locale, i18n.translations.get(i18n.default_locale, {}))
            i18n.translations.setdefault(locale, made)
        self.emit("locale.changed", {"locale": locale}, source="host")
        if "locale.changed" not in self._subscribed:  # every worker is told, whether it asked or not
            self._running.channel.tell("locale.changed", {"source": "host", "data": {"locale": locale}})

    def _use_pseudo(self) -> None:
        """Make what is shown from now on pseudo, where the test is in such a language; see `set_locale`."""
        if self.locale in PSEUDO:
            self.set_locale(self.locale)

    def open_widget(
        self, widget_id: str, params: Mapping[str, Any] | None = None, state: Any = None
    ) -> OpenWidget:
        """Open a widget as the person does.

        Raises:
            UnknownWidgetError: nobody has it.
            ViloError: what the plugin answered.
        """
        owner = self.owner_of_widget(widget_id)
        if owner is None:
            raise UnknownWidgetError(f"there is no widget {widget_id[:80]!r}")
        widget = OpenWidget(self.workspace.new_id(), widget_id, owner, params=dict(params or {}), state=state)
        if owner == self.plugin_id:
            self._running.create(widget)
        self.workspace.add(widget)
        return widget

    def check_page(self, widget_id: str, data: Mapping[str, Any]) -> None:
        """Refuse data of a webview that name no page which the host would serve; see `Running.check_page`."""
        self._running.check_page(widget_id, data)

    def widget_command(
        self, instance_id: str, command: str, arguments: Mapping[str, Any] | None = None
    ) -> Any:
        """Hand a message of the page to an open widget and return its answer."""
        return self._running.channel.serve("widget.command", [instance_id, command, dict(arguments or {})])

    def widget_state(self, instance_id: str) -> Any:
        """Return what the widget says it needs to be shown again later."""
        widget = self.workspace.get(instance_id)
        widget.state = self._running.channel.serve("widget.state", instance_id)
        return widget.state

    def close_widget(self, instance_id: str) -> None:
        """Close an open widget."""
        widget = self.workspace.get(instance_id)
        self.workspace.remove(instance_id)
        if widget.plugin_id == self.plugin_id:
            self._running.channel.serve("widget.destroy", instance_id)

    def add_plugin(
        self,
        id: str,
        commands: Mapping[str, Callable[..., Any]] | None = None,
        *,
        version: str = "1.0.0",
        widgets: Iterable[str] = (),
    ) -> None:
        """Have another plugin installed, whose commands are functions of the test."""
        self._neighbours[id] = Neighbour(id, version, dict(commands or {}), tuple(widgets))

    def finished(self, result: Any) -> Any:
        """Return a result, or what an awaitable of it comes to in the kit's event loop."""
        return self._running.channel.finished(result)

    # -- what the plugin asks, for `Dispatch` --------------------------------------------------------

    def run_command(self, name: str, args: Mapping[str, Any] | None) -> Any:
        """Run anybody's command.

        Raises:
            UnknownCommandError: nobody has it.
        """
        owner, id = self._find(name)
        if owner == self.plugin_id:
            return self._running.channel.serve("command", [id, dict(args or {})])
        return self._neighbours[owner].commands[id](**(args or {}))

    def owner_of(self, name: str) -> str:
        """Return whose command it is.

        Raises:
            UnknownCommandError: nobody has it.
        """
        return self._find(name)[0]

    def _find(self, name: str) -> tuple[str, str]:
        owner, colon, id = name.partition(":")
        for plugin_id, known in self._known().items():
            if (id if colon else name) in known and (not colon or owner == plugin_id):
                return plugin_id, id if colon else name
        raise UnknownCommandError(f"there is no command {name[:80]!r}")

    def _known(self) -> dict[str, list[str]]:
        own = [row["id"] for row in self._running.offers["commands"]]
        return {self.plugin_id: own} | {each.id: list(each.commands) for each in self._neighbours.values()}

    def owner_of_widget(self, widget_id: str) -> str | None:
        """Return whose widget it is; None when nobody has it."""
        if any(row["id"] == widget_id for row in self._running.offers["widgets"]):
            return self.plugin_id
        return next((each.id for each in self._neighbours.values() if widget_id in each.widgets), None)

    def commands(self) -> list[dict[str, Any]]:
        """Return what there is, as ``services.commands.list`` says it."""
        own = [{**row, "plugin": self.plugin_id} for row in self._running.offers["commands"]]
        return own + [
            {"id": id, "title": id, "description": "", "plugin": each.id}
            for each in self._neighbours.values()
            for id in each.commands
        ]

    def plugins(self) -> list[dict[str, str]]:
        """Return what is installed, as ``services.plugins.list`` says it."""
        others = [{"id": each.id, "version": each.version} for each in self._neighbours.values()]
        return [{"id": self.plugin_id, "version": self.version}, *others]

    def subscribe(self, type: str) -> None:
        """Deliver events of a type to the plugin from now on."""
        self._subscribed.add(type)

    def forget_subscriptions(self) -> None:
        """Deliver none any more: the plugin has stopped."""
        self._subscribed.clear()

    def _may_hear(self, type: str) -> bool:
        needed = needs.hearing(self.plugin_id, type)
        return needed is None or self.permissions.allowed(needed)

    def _setting_changed(self, name: str, value: Any) -> None:
        # To the plugin always, subscribed or not: its local copy of the settings lives by it.
        self._running.channel.tell(
            "settings.changed", {"source": "host", "data": {"name": name, "value": value}}
        )
