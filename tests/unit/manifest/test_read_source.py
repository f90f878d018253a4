"""Reading a project folder: the same description that its wheel will give."""

from __future__ import annotations

from pathlib import Path

import pytest

from viloapp_core.manifest import ManifestError, read_source

PYPROJECT = """
[project]
name = "Hello_World"
version = "0.1.0"
description = "Says hello"
requires-python = ">=3.10"
license = "MIT"
authors = [{ name = "Ada" }, { email = "bo@example.org" }]
dependencies = ["viloapp-sdk>=1,<2"]

[project.entry-points."viloapp.plugins"]
hello = "hello.plugin:Hello"

[tool.viloapp]
api_version = "1.0"
"""
SOURCE = """
from viloapp_sdk import Plugin, command

raise RuntimeError("nobody may run this")

class Hello(Plugin):
    @command("hello.greet")
    def greet(self): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a plugin's project."""
    (tmp_path / "src" / "hello").mkdir(parents=True)
    (tmp_path / "src" / "hello" / "plugin.py").write_text(SOURCE)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_a_project_is_described_without_a_build(project: Path) -> None:
    """Name, entry point and the commands of the source are there; the source was not run."""
    found = read_source(project)
    assert (found.plugin_id, found.name, str(found.version)) == ("hello-world", "Hello_World", "0.1.0")
    assert (found.author, found.license) == ("Ada, bo@example.org", "MIT")
    assert found.entry_point.value == "hello.plugin:Hello"
    assert [entry["id"] for entry in found.manifest.commands] == ["hello.greet"]


def test_every_issue_of_project_and_source_comes_at_once(project: Path) -> None:
    """Metadata, manifest and source are reported together, each under its own path."""
    text = PYPROJECT.replace('"0.1.0"', '"x"').replace('"1.0"', '"1"').replace('"Hello_World"', '"-"')
    (project / "pyproject.toml").write_text(text)
    (project / "src" / "hello" / "plugin.py").write_text(SOURCE.replace('"hello.greet"', "ID"))
    with pytest.raises(ManifestError) as caught:
        read_source(project)
    assert {issue.path for issue in caught.value.issues} == {
        "project.name",
        "project.version",
        "api_version",
        "src/hello/plugin.py:7",
    }


def test_a_dynamic_version_asks_for_a_build(project: Path) -> None:
    """What only a build knows is not guessed."""
    text = PYPROJECT.replace('version = "0.1.0"', 'dynamic = ["version"]', 1)
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(ManifestError, match=r"project\.version: is dynamic"):
        read_source(project)


@pytest.mark.parametrize("content", [None, "[", "x = 1", "[tool]\nviloapp = 3"])
def test_what_is_no_plugin_project_is_refused(tmp_path: Path, content: str | None) -> None:
    """A missing file, bad TOML, another project: an error with issues, whatever it is."""
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content)
    with pytest.raises(ManifestError) as caught:
        read_source(tmp_path)
    assert caught.value.issues


def test_a_project_of_another_backend_has_its_manifest_beside_the_class(project: Path) -> None:
    """Without `[tool.viloapp]` the file of the package counts; what is wrong with it has its path."""
    (project / "pyproject.toml").write_text(PYPROJECT.partition("[tool.viloapp]")[0])
    manifest = project / "src" / "hello" / "plugin.json"
    manifest.write_text('{"schema": 1, "api_version": "1.0", "commands": [{"id": "hello.other"}]}')
    assert [entry["id"] for entry in read_source(project).manifest.commands] == ["hello.other"]
    for content, path in (('{"schema": 1}', "api_version"), ("{", "plugin.json:1:2")):
        manifest.write_text(content)
        with pytest.raises(ManifestError) as caught:
            read_source(project)
        assert [issue.path for issue in caught.value.issues] == [path]


def test_an_entry_point_that_leads_out_of_the_project_reads_nothing(project: Path) -> None:
    """A module is a dotted name; a path in its place is not followed."""
    (project.parent / "plugin.json").write_text('{"schema": 1, "api_version": "1.0"}')
    text = PYPROJECT.partition("[tool.viloapp]")[0].replace("hello.plugin:Hello", "../..:Hello")
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(ManifestError, match=r"is not of the form package\.module:Class"):
        read_source(project)


@pytest.mark.parametrize("name", ["core", "Theme", "settings", "plugin"])
def test_a_name_of_the_hosts_own_is_refused(project: Path, name: str) -> None:
    """Settings and events of the host begin with it: `core.minimum.permissions`, `theme.changed`."""
    (project / "pyproject.toml").write_text(PYPROJECT.replace("Hello_World", name))
    with pytest.raises(ManifestError, match="host's own name"):
        read_source(project)


def test_a_folder_that_is_no_project_is_told_with_what_to_do(tmp_path: Path) -> None:
    """It is named itself, in words, and how one gets a project."""
    with pytest.raises(ManifestError) as raised:
        read_source(tmp_path)
    assert raised.value.detail == f"{tmp_path}: 1 issue\n  pyproject.toml: is missing"
    assert "viloapp create-plugin" in raised.value.hint
