"""For people who test with `unittest`: the specification's cases, over the kit's own fakes."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import MagicMock, Mock

from viloapp_sdk.communication import PluginEvent
from viloapp_sdk.context import HostProxy, PluginContext
from viloapp_sdk.plugin import IPlugin
from viloapp_sdk.testing.host import FakeHost
from viloapp_sdk.testing.theme import MockThemeService
from viloapp_sdk.testing.workspace import MockWorkspaceService

__all__ = ["CaseContext", "MockServices", "PluginIntegrationTest", "PluginTestCase"]


class MockServices(dict[str, Any]):
    """The services that a case has made, by name; those that it has not are made when they are asked for.

    Args:
        case: makes them.
    """

    def __init__(self, case: PluginTestCase) -> None:
        super().__init__()
        self._case = case

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self if name == "aio" else self._case.create_mock_service(name)


class CaseContext(PluginContext):
    """A context that can be read by key too: ``context["plugin_id"]``."""

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and hasattr(self, key)

    @property
    def resource_path(self) -> Path:
        """The folder of the plugin's data files, as the case says it."""
        return Path(self._resource_dir)


class PluginTestCase(unittest.TestCase):
    """A case that tests a plugin's object by itself.

        class GreetingTest(PluginTestCase):
            def test_greets(self):
                plugin = Hello()
                plugin.initialize(self.create_plugin_context())
                self.assert_command_handled(plugin, "hello.greet", "Hello, world!")

    ``permissions`` are what its services allow; without them each says no where the host would. The mocks of
    host and event bus note and pass on what they are given, and refuse nothing: `FakeHost` does.

    Attributes:
        fake_host: what answers; see `FakeHost`.
        mock_host: a mock of the context's ``host``, whose methods work.
        mock_services: the services that were asked for, by name.
        mock_event_bus: a mock of the event bus, whose methods work.
    """

    permissions: ClassVar[Sequence[str]] = ()
    plugin_id: ClassVar[str] = "test_plugin"
    version: ClassVar[str] = "1.0.0"

    def setUp(self) -> None:
        """Make the fakes; call it first where you override it."""
        super().setUp()
        self.fake_host = FakeHost(self.plugin_id, permissions=self.permissions, version=self.version)
        self.addCleanup(self.fake_host.close)
        self.mock_services = MockServices(self)
        self.mock_event_bus = self._create_event_bus()
        self.mock_host = self.create_mock_host()

    def create_mock_host(self) -> Any:
        """Return a mock of `HostProxy`: it notes its calls, gives out services and passes events on."""
        host = MagicMock(spec=HostProxy)
        host.get_service = MagicMock(side_effect=self.create_mock_service)
        host.emit_event = self.mock_event_bus.emit
        host.subscribe_event = self.mock_event_bus.subscribe
        return host

    def create_mock_service(self, service_name: str) -> Any:
        """Return the service of a name, the same each time.

        Raises:
            AttributeError: the host has no such service.
        """
        if service_name not in self.mock_services:
            own = {"theme": MockThemeService, "workspace": MockWorkspaceService}
            made = (
                own[service_name]() if service_name in own else getattr(self.fake_host.services, service_name)
            )
            self.mock_services[service_name] = self.mock_event_bus if service_name == "events" else made
        return self.mock_services[service_name]

    def create_plugin_context(self) -> CaseContext:
        """Return a context for `IPlugin.initialize`, over the case's fakes."""
        start = {
            "plugin_id": self.plugin_id,
            "version": self.version,
            "data_dir": str(self.fake_host.storage),
            "resource_dir": "./test_resources",
            "settings": self.fake_host.settings.as_dict(),
        }
        services: Any = self.mock_services
        context = CaseContext(start, services)
        context.host = self.mock_host
        context.event_bus = self.mock_event_bus
        return context

    def simulate_event(self, event_type: str, data: Mapping[str, Any] | None = None) -> None:
        """Let an event come from elsewhere: who subscribed to its type is called."""
        self.mock_event_bus.emit(PluginEvent(event_type, "test", data))

    def assert_command_handled(
        self,
        plugin: IPlugin,
        command: str,
        expected_result: Any,
        args: Mapping[str, Any] | None = None,
    ) -> None:
        """Check what a command returns, plain or ``async``."""
        result = plugin.handle_command(command, dict(args or {}))
        self.assertEqual(self.fake_host.finished(result), expected_result)

    def assert_event_emitted(self, event_type: str, data: Mapping[str, Any] | None = None) -> PluginEvent:
        """Check that an event was emitted, with these data among its own; return it."""
        return self.fake_host.events.expect(event_type, data)

    def _create_event_bus(self) -> Any:
        subscribers: dict[str, list[Any]] = {}

        def emit(event: PluginEvent | str, data: Mapping[str, Any] | None = None) -> None:
            """Take an event, or what the service's own ``emit`` takes."""
            given = event if isinstance(event, PluginEvent) else PluginEvent(event, self.plugin_id, data)
            self.fake_host.events.add(given)
            for callback in tuple(subscribers.get(given.type, ())):
                self.fake_host.finished(callback(given))

        def subscribe(type: str, callback: Any) -> Any:
            subscribers.setdefault(type, []).append(callback)
            return lambda: subscribers[type].remove(callback)

        return Mock(
            spec=["emit", "subscribe"], emit=Mock(side_effect=emit), subscribe=Mock(side_effect=subscribe)
        )


class PluginIntegrationTest(PluginTestCase):
    """A case for a plugin's whole life; ``plugin_class`` is its class.

    class HelloTest(PluginIntegrationTest):
        plugin_class = Hello
    """

    plugin_class: ClassVar[type[IPlugin] | None] = None

    def test_plugin_lifecycle(self) -> None:
        """Initialize the plugin, see what it offers, shut it down; override it for more."""
        if self.plugin_class is None:
            return
        plugin = self.fake_host.load(self.plugin_class)
        self.assertEqual(plugin.get_plugin_id(), self.plugin_id)
        self.assertEqual(plugin.get_version(), self.version)
        for command in plugin.get_commands():
            self.assertTrue(command.id)
        self.fake_host.unload()
