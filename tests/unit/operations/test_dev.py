"""A folder installed with ``--dev``, by a build backend that needs nothing from an index."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import Plugin
from viloapp_core.operations import InstallOutcome, describe
from viloapp_core.store import Store
from viloapp_sdk.errors import ViloError

Run = Callable[..., list[InstallOutcome]]

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "hello"
version = "0.1"
dependencies = ["viloapp-sdk>=1,<2"]
[project.entry-points."viloapp.plugins"]
hello = "hello.plugin:Hello"
"""
BACKEND = """\
import shutil
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return shutil.copy({wheel!r}, wheel_directory).rpartition("/")[2]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose editable wheel holds a path and no file of the package, as most backends make it."""
    folder = tmp_path / "project"
    package = folder / "hello"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text("class Hello: pass\n")
    manifest = {"schema": 1, "api_version": "1.0", "commands": [{"id": "hello.greet"}]}
    (package / "plugin.json").write_text(json.dumps(manifest))
    (folder / "pyproject.toml").write_text(PROJECT)
    wheel = forge(
        tmp_path / "built",
        "hello",
        "0.1",
        {"hello.pth": f"{folder}\n"},
        requires=["viloapp-sdk>=1,<2"],
        entry_points="[viloapp.plugins]\nhello = hello.plugin:Hello\n",
    )
    (folder / "backend.py").write_text(BACKEND.format(wheel=str(wheel)))
    return folder


def test_a_folder_is_linked_and_says_so(store: Store, run: Run, project: Path) -> None:
    """The manifest comes from the source, the virtualenv leads there, and the signature says `dev`."""
    (outcome,) = run(project, dev=True)
    assert (outcome.source, outcome.signature) == ("dev", "dev")
    plugin = store.plugin("hello")
    assert plugin.dev_source == project
    assert [command["id"] for command in plugin.commands] == ["hello.greet"]
    (link,) = plugin.generation.glob("venv/lib/python*/site-packages/hello.pth")
    assert link.read_text().strip() == str(project)
    assert describe(store, "hello")["dev_source"] == str(project)


def test_a_folder_is_what_a_wheel_replaces_and_the_other_way_round(
    store: Store, run: Run, project: Path, plugin: Plugin
) -> None:
    """A requirement is not met by a folder: who asks for the published one gets it."""
    run(project, dev=True)
    plugin(version="0.2")
    assert run("hello")[0].status == "installed"
    assert store.plugin("hello").dev_source is None
    assert run(project, dev=True)[0].status == "installed"
    assert store.plugin("hello").source == "dev"


def test_every_issue_of_the_source_before_any_build(store: Store, run: Run, project: Path) -> None:
    """What can be seen without a build is told without one."""
    (project / "backend.py").unlink()
    (project / "hello" / "plugin.json").write_text('{"schema": 1, "permisions": []}')
    with pytest.raises(ViloError, match="permisions") as caught:
        run(project, dev=True)
    assert "api_version" in caught.value.detail
    assert dict(store.plugins()) == {}
