"""The fixtures that pytest has wherever the SDK is installed; the only module that imports pytest.

    def test_greets(host, event_log):
        assert host.call("hello.greet", name="you") == "Hello, you!"
        event_log.expect("hello.greeted")

The plugin is the one of the project that pytest runs in (``pyproject.toml`` of its root folder), and it has
been granted what that declares. A test asks for something else with a mark::

    @pytest.mark.viloapp(permissions=[])
    def test_without_permissions(host): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from viloapp_sdk.plugin import IPlugin
from viloapp_sdk.services import Services
from viloapp_sdk.testing.clock import FakeClock
from viloapp_sdk.testing.events import EventLog
from viloapp_sdk.testing.host import FakeHost
from viloapp_sdk.testing.project import entry_point_of, host_of_project

__all__ = ["event_log", "fake_clock", "host", "plugin", "pytest_configure", "services", "temp_store"]


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark is."""
    config.addinivalue_line(
        "markers",
        "viloapp(permissions=[...], settings={...}, locale=TAG, project=PATH): how the fixture `host` begins",
    )


@pytest.fixture
def temp_store(tmp_path: Path) -> Path:
    """The folder of the test's own that holds ``data`` (the plugin's storage), ``workspace`` and ``home``."""
    folder = tmp_path / "viloapp"
    folder.mkdir()
    return folder.resolve()


@pytest.fixture
def host(request: pytest.FixtureRequest, temp_store: Path) -> Iterator[FakeHost]:
    """A host that runs the project's plugin in this process; what a subscriber raised fails the test."""
    mark = request.node.get_closest_marker("viloapp")
    options = dict(mark.kwargs) if mark is not None else {}
    if unknown := sorted(options.keys() - {"locale", "permissions", "project", "settings"}):
        raise pytest.UsageError(
            f"the mark viloapp takes permissions, settings, locale and project, not {', '.join(unknown)}"
        )
    project = Path(options.get("project") or request.config.rootpath)
    made = host_of_project(
        project,
        permissions=options.get("permissions"),
        folder=temp_store,
        locale=options.get("locale", "en"),
    )
    for name, value in options.get("settings", {}).items():
        made.settings.set(name, value)
    made.load(entry_point_of(project))
    yield made
    made.close()


@pytest.fixture
def plugin(host: FakeHost) -> IPlugin:
    """The plugin's object, initialized."""
    return host.plugin


@pytest.fixture
def services(host: FakeHost) -> Services:
    """The services as the plugin calls them: they refuse what was not granted."""
    return host.services


@pytest.fixture
def event_log(host: FakeHost) -> EventLog:
    """Every event that was emitted, by the plugin and by the test."""
    return host.events


@pytest.fixture
def fake_clock() -> Iterator[FakeClock]:
    """A clock in the place of `time`'s, which the test moves."""
    with FakeClock().installed() as clock:
        yield clock
