"""The fixtures, in a pytest of their own on a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PYPROJECT = """
[project]
name = "Greet.Er"
version = "3.1"
[project.entry-points."viloapp.plugins"]
greeter = "greeter:Greeter"
[tool.viloapp]
api_version = "1.0"
permissions = [{ id = "services.emit.weather.changed", reason = "to tell the weather" }]
[tool.viloapp.configuration]
size = { type = "integer", default = 12, description = "of the text" }
"""
MODULE = """
import time
from viloapp_sdk import Plugin, command
class Greeter(Plugin):
    @command("greeter.greet")
    def greet(self, name: str = "world"):
        self.context.event_bus.emit("weather.changed", {"at": time.time()})
        return f"Hello, {name}!"
    @command("greeter.wait")
    def wait(self):
        time.sleep(3600)
        return self.context.settings.get("size")
    @command("greeter.bye")
    def bye(self):
        return self.context.i18n.t("bye", name="you")
"""
TESTS = """
import pytest
from viloapp_sdk.errors import PermissionDeniedError

def test_all(host, plugin, services, event_log, fake_clock, temp_store):
    assert host.call("greeter.greet", name="you") == "Hello, you!"
    assert event_log.expect("weather.changed").data == {"at": fake_clock.now}
    assert (plugin.get_plugin_id(), plugin.get_version()) == ("greet-er", "3.1")
    assert plugin.context.storage == temp_store / "data"
    services.settings.set("size", 20)
    assert host.call("greeter.wait") == 20

@pytest.mark.viloapp(permissions=[], settings={"size": 7})
def test_marked(host):
    with pytest.raises(PermissionDeniedError):
        host.call("greeter.greet")
    assert host.settings.get("size") == 7

@pytest.mark.viloapp(locale="de")
def test_in_a_language(host):
    assert host.call("greeter.bye") == "Bis bald, you!"
    host.set_locale("en")
    assert host.call("greeter.bye") == "Goodbye, you!"

@pytest.mark.viloapp(locale="en-XA")
def test_in_a_language_that_nobody_speaks(host):
    assert host.call("greeter.bye").startswith("[Ĝööðƀýé, you! one")
    host.restart()
    assert host.call("greeter.bye").startswith("[Ĝööðƀýé, you! one")
    host.set_locale("ar-XB")
    assert "you" in host.call("greeter.bye") and "Goodbye" not in host.call("greeter.bye")
"""


def test_the_project_is_the_plugin(tmp_path: Path) -> None:
    """Id, version, grants and settings come from pyproject.toml; a mark says otherwise."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "greeter.py").write_text(MODULE)
    (tmp_path / "test_greeter.py").write_text(TESTS)
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales/en.json").write_text('{"bye": "Goodbye, {name}!"}')
    (tmp_path / "locales/de.json").write_text('{"bye": "Bis bald, {name}!"}')
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "viloapp_sdk.testing.pytest_plugin",
        "--strict-markers",
    ]
    done = subprocess.run(
        words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_it_is_announced() -> None:
    """Installed, the SDK brings the fixtures to pytest without a word of the author's."""
    from importlib.metadata import distribution

    points = distribution("viloapp-sdk").entry_points.select(group="pytest11")
    assert [point.value for point in points] == ["viloapp_sdk.testing.pytest_plugin"]
