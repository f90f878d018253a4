"""The kit with which a plugin is tested: a host in the test's own process, and the services' fakes.

    from viloapp_sdk.testing import FakeHost

    def test_greets():
        host = FakeHost("hello")
        host.load(Hello)
        assert host.call("hello.greet", name="you") == "Hello, you!"

With pytest the fixtures `host`, `plugin`, `services`, `event_log`, `fake_clock` and `temp_store` are there
without an import (`viloapp_sdk.testing.pytest_plugin`); `unittest` has `PluginTestCase`. The fakes pass the
suite that the host's own services pass, and refuse what was not granted. What a plugin's Python code does
by itself (`open`, `socket`, `subprocess`) is not confined here: ``viloapp test --sandboxed`` runs the same
tests in the plugin's sandbox.

A worker never imports this package, and it needs nothing but the SDK; pytest is imported by the plugin alone.
"""

from viloapp_sdk.testing.cases import CaseContext, MockServices, PluginIntegrationTest, PluginTestCase
from viloapp_sdk.testing.clock import FakeClock
from viloapp_sdk.testing.events import EventLog
from viloapp_sdk.testing.grants import Denial, FakePermissions
from viloapp_sdk.testing.host import FakeHost
from viloapp_sdk.testing.project import host_of_project
from viloapp_sdk.testing.steps import migrate_settings
from viloapp_sdk.testing.terminals import FakeTerminal
from viloapp_sdk.testing.theme import MockThemeService
from viloapp_sdk.testing.workspace import MockWorkspaceService, OpenWidget

__all__ = [
    "CaseContext",
    "Denial",
    "EventLog",
    "FakeClock",
    "FakeHost",
    "FakePermissions",
    "FakeTerminal",
    "MockServices",
    "MockThemeService",
    "MockWorkspaceService",
    "OpenWidget",
    "PluginIntegrationTest",
    "PluginTestCase",
    "host_of_project",
    "migrate_settings",
]
