"""Two releases of a plugin, compared by their sources."""

from __future__ import annotations

from pathlib import Path

from viloapp_core.devtools.breakage import breaking_changes

PYPROJECT = """
[project]
name = "hello"
version = "1"
[project.entry-points."viloapp.plugins"]
hello = "hello:Hello"
[tool.viloapp]
api_version = "1.0"
"""
SETTING = "[tool.viloapp.configuration]\nsize = { type = 'integer', description = 'of the text' }\n"
OLD = """
from viloapp_sdk import Plugin, Widget, command
def public(a, b=1): ...
class Panel(Widget):
    id = "hello.panel"
class Hello(Plugin):
    @command("hello.greet")
    def greet(self, name: str, loud: bool = False): ...
    @command("hello.bye")
    def bye(self): ...
"""
NEW = """
from viloapp_sdk import Plugin, command
def public(a): ...
class Hello(Plugin):
    @command("hello.greet")
    def greet(self, name: str, tongue: str): ...
"""


def _project(folder: Path, source: str, more: str = "") -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT + more)
    (folder / "hello.py").write_text(source)
    return folder


def test_what_is_taken_away_is_listed(tmp_path: Path) -> None:
    """Commands, arguments, settings, widgets and Python names; each with its own line."""
    old, new = _project(tmp_path / "old", OLD, SETTING), _project(tmp_path / "new", NEW)
    found = breaking_changes(old, new)
    for line in (
        "command hello.bye: was removed",
        "command hello.greet: the argument loud was removed",
        "command hello.greet: the argument tongue is required now",
        "setting size: was removed",
        "widget hello.panel: was removed",
    ):
        assert line in found
    assert any("public" in line and "b" in line for line in found)
    assert any("Panel" in line for line in found)


def test_what_is_added_breaks_nothing(tmp_path: Path) -> None:
    """A new command, an argument with a default, and the same release twice."""
    old = _project(tmp_path / "old", OLD)
    more = OLD.replace("loud: bool = False", "loud: bool = False, tongue: str = 'en'")
    new = _project(tmp_path / "new", f"{more}    @command('hello.new')\n    def new(self, x): ...\n")
    assert breaking_changes(old, old) == breaking_changes(old, new) == []
