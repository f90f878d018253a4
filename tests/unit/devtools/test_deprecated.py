"""Uses of what is deprecated, found in a source that is not run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from viloapp_core.cli.main import main
from viloapp_core.devtools.deprecated import project_deprecations
from viloapp_core.devtools.project_name import project_name
from viloapp_core.devtools.scaffold import Project, create_project
from viloapp_sdk._deprecated import Deprecation
from viloapp_sdk.manifest.fields import LIMITS

SOURCE = """\
from viloapp_sdk import Plugin
from viloapp_sdk.compat import LegacyWidgetAdapter as Adapter
import viloapp_sdk.compat

class Old:
    def setup_widget(self, context):
        return self.widget_id

class Panel(Adapter):
    id = "hello.panel"
    legacy = Old
    def title_of(self):
        return self.widget_id

class Deeper(Panel):
    def prepare(self, context):
        return self.setup_widget(context)

class Hello(Plugin):
    widgets = (Panel,)
    def look(self):
        panel = Panel()
        return panel.widget_id, Old().widget_id, panel.get_widget_id()
    def other(self):
        return viloapp_sdk.compat.LegacyWidgetAdapter(Old()).widget_id
"""
PYPROJECT = """\
[project]
name = "hello"
version = "1"
[project.entry-points."viloapp.plugins"]
hello = "hello:Hello"
[tool.viloapp]
api_version = "1.0"
[tool.viloapp.limits]
cpu_percent = 5
memory_mb = 50
"""


def test_names_and_keys_with_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is a use in all that can be seen; the old widget's own names are its own."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "hello.py").write_text(SOURCE)
    field = next(each for each in LIMITS.fields if each.name == "memory_mb")
    monkeypatch.setitem(field.__dict__, "deprecated", Deprecation("memory", "2.0"))
    found = [
        (each.path, each.line, each.message.partition(" is")[0]) for each in project_deprecations(tmp_path)
    ]
    assert sorted(found) == [
        ("hello.py", 13, "widget_id"),
        ("hello.py", 17, "setup_widget"),
        ("hello.py", 23, "widget_id"),
        ("hello.py", 25, "widget_id"),
        ("pyproject.toml", 10, "limits.memory_mb: memory_mb"),
    ]
    assert {each.level for each in project_deprecations(tmp_path)} == {"warning"}
    assert all("2.0 has it no more" in each.message for each in project_deprecations(tmp_path))


def test_validate_says_so_and_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command's own output; a project as the template makes it has none of it."""
    plugin = Project(project_name("hello"), "basic", "Somebody", "", "Greets.")
    folder = create_project(plugin, tmp_path, os.environ)
    assert main(["validate", str(folder)]) == 0
    assert "deprecated" not in capsys.readouterr().out
    module = folder / "src" / "hello" / "panel.py"
    module.write_text(
        "from viloapp_sdk.compat import LegacyWidgetAdapter\n\n\n"
        "def name(old: object) -> str:\n    return LegacyWidgetAdapter(old).widget_id\n"
    )
    assert main(["validate", str(folder)]) == 0
    said = capsys.readouterr().out
    assert (
        "src/hello/panel.py:5: warning: deprecated: widget_id is deprecated, use get_widget_id(); "
        "viloapp-sdk 2.0 has it no more"
    ) in said
