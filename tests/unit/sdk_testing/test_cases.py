"""The specification's cases, as a person with `unittest` writes them."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import Mock

from viloapp_sdk import IPlugin, Plugin, PluginContext, PluginEvent, command
from viloapp_sdk.errors import PermissionDeniedError
from viloapp_sdk.testing import (
    MockThemeService,
    MockWorkspaceService,
    PluginIntegrationTest,
    PluginTestCase,
)


class Listener(Plugin):
    """Uses the host as the specification's plugins do."""

    def initialize(self, context: PluginContext) -> None:
        """Subscribe."""
        super().initialize(context)
        self.heard: list[PluginEvent] = []
        context.host.subscribe_event("weather.changed", self.heard.append)

    @command("listener.paint")
    def paint(self) -> str:
        """Return a colour, and say so."""
        self.context.host.emit_event(PluginEvent("listener.painted", "", {"color": "dark"}))
        return str(self.context.host.get_service("theme").get_color("background"))

    @command("listener.add")
    async def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b

    @command("listener.variable")
    def variable(self) -> str | None:
        """Read a variable of the host."""
        return self.context.services.system.get_environment("LANG")


class ListenerTest(PluginIntegrationTest):
    """What the names of the specification do."""

    plugin_class = Listener
    permissions = ("services.subscribe.weather.changed",)

    def setUp(self) -> None:
        """Initialize the plugin."""
        super().setUp()
        self.plugin = Listener()
        self.context = self.create_plugin_context()
        self.plugin.initialize(self.context)

    def test_the_context(self) -> None:
        """It is a context, and readable by key."""
        context = self.context
        self.assertIsInstance(context, PluginContext)
        found = {key: context[key] for key in ("plugin_id", "version", "resource_path")}
        expected = {"plugin_id": "test_plugin", "version": "1.0.0", "resource_path": Path("./test_resources")}
        self.assertEqual(found, expected)
        self.assertIs(context["host"], self.mock_host)
        self.assertIs(context["services"], self.mock_services)
        self.assertIs(context["event_bus"], self.mock_event_bus)
        self.assertNotIn("nonsense", context)
        with self.assertRaises(KeyError):
            context["nonsense"]

    def test_events(self) -> None:
        """Simulated ones arrive, emitted ones are found, and the bus is a mock."""
        self.simulate_event("weather.changed", {"rain": True})
        self.assertEqual(self.plugin.heard, [PluginEvent("weather.changed", "test", {"rain": True})])
        self.assert_command_handled(self.plugin, "listener.paint", "#1e1e1e")
        self.assert_event_emitted("listener.painted", {"color": "dark"})
        emitted = [call[0][0].type for call in self.mock_event_bus.emit.call_args_list]
        self.assertEqual(emitted, ["weather.changed", "listener.painted"])
        with self.assertRaisesRegex(AssertionError, r"no event 'x' was emitted; there was:\n.*weather"):
            self.assert_event_emitted("x")

    def test_commands(self) -> None:
        """Async ones too, with arguments; a wrong result is told."""
        self.assert_command_handled(self.plugin, "listener.add", 3, {"a": 1, "b": 2})
        with self.assertRaises(AssertionError):
            self.assert_command_handled(self.plugin, "listener.paint", "#ffffff")

    def test_services(self) -> None:
        """One of each name, the same each time; those of the kit refuse what was not granted."""
        theme = self.mock_host.get_service("theme")
        self.assertIsInstance(theme, MockThemeService)
        self.assertIs(theme, self.create_mock_service("theme"))
        self.assertIs(theme, self.mock_services["theme"])
        self.assertIsInstance(self.create_mock_service("workspace"), MockWorkspaceService)
        with self.assertRaises(PermissionDeniedError):
            self.plugin.handle_command("listener.variable", {})
        self.fake_host.grant("system.environment.LANG")
        self.fake_host.environment["LANG"] = "cs_CZ.UTF-8"
        self.assert_command_handled(self.plugin, "listener.variable", "cs_CZ.UTF-8")
        with self.assertRaises(AttributeError):
            self.create_mock_service("nonsense")

    def test_a_host_of_its_own(self) -> None:
        """The mocks can be replaced one by one."""
        host = self.create_mock_host()
        self.assertIsNot(host, self.mock_host)
        host.emit_event(PluginEvent("made.by.hand", "x"))
        self.assert_event_emitted("made.by.hand")
        self.assertIsInstance(self.mock_event_bus, Mock)


class Overridden(PluginIntegrationTest):
    """An author's own life cycle."""

    permissions = ListenerTest.permissions
    ran: ClassVar[list[IPlugin]] = []

    def test_plugin_lifecycle(self) -> None:
        """Another one than the base class's."""
        plugin = self.fake_host.load(Listener)
        self.ran.append(plugin)


class MocksAlone(PluginTestCase):
    """The mock services without a host."""

    def test_theme(self) -> None:
        """The specification's colours, and a subscription that works."""
        theme, heard = MockThemeService(), list[Mapping[str, Any]]()
        colors = [theme.get_color(key) for key in ("background", "foreground", "none")]
        self.assertEqual([theme.current_theme, *colors], ["dark", "#1e1e1e", "#ffffff", "#000000"])
        end = theme.subscribe_theme_change(lambda event: heard.append(event.data))
        theme.set_theme("light")
        end()
        theme.set_theme("dark")
        self.assertEqual(heard, [{"theme": "light"}])

    def test_workspace(self) -> None:
        """What was added last is active, until it is removed."""
        workspace, widget = MockWorkspaceService(), object()
        self.assertIsNone(workspace.get_active_widget())
        workspace.add_widget("hello.panel", widget)
        self.assertIs(workspace.get_active_widget(), widget)
        self.assertEqual(
            (workspace.active_widget, workspace.widgets), ("hello.panel", {"hello.panel": widget})
        )
        workspace.remove_widget("hello.panel")
        self.assertIsNone(workspace.get_active_widget())


def test_the_life_cycle_runs_by_itself() -> None:
    """A subclass that names its plugin has a test of its life, one that overrides it runs its own."""
    Overridden.ran.clear()
    suite = unittest.TestSuite([ListenerTest("test_plugin_lifecycle"), Overridden("test_plugin_lifecycle")])
    result = suite.run(unittest.TestResult())
    assert (result.testsRun, result.failures, result.errors, len(Overridden.ran)) == (2, [], [], 1)
