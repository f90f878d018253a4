"""Whether a project declares what it uses, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from viloapp_core.devtools import hints, project_findings
from viloapp_core.manifest import read_source
from viloapp_core.permissions import Permission

PYPROJECT = """[project]
name = "hello"
version = "1.0"

[project.entry-points."viloapp.plugins"]
hello = "hello:Hello"

[tool.setuptools]
py-modules = ["hello"]

[tool.viloapp]
api_version = "1.0"
requires_plugins = ["other>=1"]
permissions = [
{permissions}
]
"""
SOURCE = """import subprocess
from viloapp_sdk import Plugin, command

class Hello(Plugin):
    @command("hello.all")
    def all(self):
        subprocess.run(["git", "status"])
        self.context.plugins.call("other", "other.x")
        self.context.event_bus.subscribe("hello.news", print)
        self.context.event_bus.subscribe("theme.changed", print)
        self.context.services.events.emit("other.news", {})
        self.context.services.terminals.open()
        self.context.request_permission("system.environment.LANG")
        return self.context.services.system.get_environment("LANG")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that uses four things and declares some of them, and others."""
    ids = ("process.execute.git", "filesystem.read.workspace", "process.spawn.terminal")
    rows = "\n".join(f'    {{ id = "{id}", reason = "because" }},' for id in ids)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.replace("{permissions}", rows))
    (tmp_path / "hello.py").write_text(SOURCE)
    return tmp_path


def test_missing_and_excess_have_their_places(project: Path) -> None:
    """What a literal names has to be declared; what nothing looks like a use of is excess."""
    found = project_findings(project, read_source(project))
    assert [(each.kind, each.permission, each.path, each.line) for each in found] == [
        ("missing", "services.emit.other.news", "hello.py", 11),
        ("excess", "filesystem.read.workspace", "pyproject.toml", 16),
    ]


def test_a_report_of_learning_decides(project: Path) -> None:
    """What was not seen to be used is excess, whatever the source looks like; what was seen is missing."""
    learned = ["process.execute.git", "network.connect.example.com:443"]
    found = project_findings(project, read_source(project), learned)
    assert [(each.kind, each.permission) for each in found] == [
        ("missing", "services.emit.other.news"),
        ("missing", "network.connect.example.com:443"),
        ("excess", "filesystem.read.workspace"),
        ("excess", "process.spawn.terminal"),
    ]


@pytest.mark.parametrize(
    ("source", "declared", "used"),
    [
        ("import requests", "network.connect.api.example.com", True),
        ("from urllib import request", "network.connect.*", True),
        ("import urllib.parse", "network.connect.*", False),
        ("open('x')", "filesystem.write.workspace", True),
        ("x.get_active_widget()", "ui.read.active_widget", True),
        ("import os\nos.system('ls')", "process.execute.ls", True),
        ("import subprocess\nsubprocess.run(args)", "process.execute.git", True),
        ("import os", "process.execute.git", False),
        ("self.context.plugins.list()", "plugins.read.installed", True),
        ("x.terminals.open()", "process.spawn.terminal", True),
        ("x.plugins.call(name, 'x')", "plugins.call.other", True),
        ("x.request_permission('network.connect.a.b')", "network.connect.a.b", True),
    ],
)
def test_what_looks_like_a_use(source: str, declared: str, used: bool) -> None:
    """An import or a call of a kind is enough: names are not followed."""
    assert any(hint.uses(Permission.parse(declared)) for hint in hints(source, "a.py")) is used


@pytest.mark.parametrize(("source", "line"), [("x = = 1\n", 1), ("-" * 9000 + "x", 0)])
def test_a_module_that_is_no_python_is_said(project: Path, source: str, line: int) -> None:
    """It is a finding with its place, beside those of the manifest."""
    plugin = read_source(project)
    (project / "hello.py").write_text(source)
    found = project_findings(project, plugin)
    assert ("unreadable", "hello.py", line) in [(each.kind, each.path, each.line) for each in found]
