"""Every build backend makes the same plugin: setuptools by the SDK's hook, others by `viloapp manifest`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from viloapp_core import manifest
from viloapp_core.cli.main import main
from viloapp_core.devtools.project_name import project_name
from viloapp_core.devtools.scaffold import Project, create_project
from viloapp_core.operations.contents import content_issues, members
from viloapp_core.store.audit import audit, entry_point_issues

_BUILD = """
import sys
from {} import build_sdist, build_wheel
{{"w": build_wheel, "s": build_sdist}}[sys.argv[1]](sys.argv[2])
"""
BACKENDS = {"setuptools": "setuptools.build_meta", "hatchling": "hatchling.build"}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Return the name of a backend."""
    return str(request.param)


@pytest.fixture(scope="module")
def project(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plugin's project that the backend builds."""
    plugin = Project(project_name("both-build"), "widget", "Somebody", "", "Built by any backend.")
    folder = create_project(plugin, tmp_path_factory.mktemp(backend), os.environ)
    if backend == "hatchling":
        path = folder / "pyproject.toml"
        text = path.read_text("utf-8").replace('"setuptools>=77"', '"hatchling>=1.27"')
        text = text.replace("setuptools.build_meta", BACKENDS[backend])
        text = re.sub(r"\[tool\.setuptools[^\[]*\n(?:\w+ = .*\n)+\n", "", text)
        path.write_text(text, "utf-8")
        assert "setuptools" not in text
        assert main(["-q", "manifest", "write", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def wheel(backend: str, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that is built of the source distribution."""
    out = tmp_path_factory.mktemp("out")
    shutil.unpack_archive(_build(backend, project, "s", out), out, filter="data")
    return _build(backend, out / "both_build-0.1.0", "w", out)


def _build(backend: str, project: Path, what: str, out: Path) -> Path:
    code = _BUILD.format(BACKENDS[backend])
    argv = [sys.executable, "-c", code, what, str(out)]
    env = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl" if what == "w" else "*.tar.gz"))


def test_it_is_the_plugin_that_the_source_says(project: Path, wheel: Path) -> None:
    """Id, version, entry point, commands, widgets, settings: none differs between source and wheel."""
    built, source = manifest.read_wheel(wheel), manifest.read_source(project)
    assert replace(built, author="") == replace(source, author="")
    assert [entry["id"] for entry in built.manifest.commands] == ["both-build.open"]
    assert [entry["id"] for entry in built.manifest.widgets] == ["both-build.panel"]
    assert built.manifest.configuration["greeting"]["default"] == "Hello"


def test_it_could_be_installed(wheel: Path) -> None:
    """The audit of an install has nothing against it, nor has that of a publication."""
    finding = audit(wheel, own=True)
    assert entry_point_issues(manifest.read_wheel(wheel).entry_point.value, finding.names) == []
    assert content_issues(wheel) == []


def test_data_and_licence_are_in_it(wheel: Path) -> None:
    """What the code reads at run time, and what everybody may do with it."""
    names = {name for name, _ in members(wheel)}
    assert {"both_build/locales/en.json", "both_build/resources/icon.svg", "both_build/py.typed"} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_file_of_the_package_is_checked(project: Path, backend: str) -> None:
    """A command that the file does not know fails the check; writing it anew mends it."""
    if backend == "setuptools":
        assert main(["-q", "manifest", "check", str(project)]) == 1  # nobody wrote it, and nobody needs it
        return
    assert main(["-q", "manifest", "check", str(project)]) == 0
    path = project / "src/both_build/plugin.json"
    path.write_text(path.read_text("utf-8").replace("both-build.open", "both-build.other"), "utf-8")
    assert main(["-q", "manifest", "check", str(project)]) == 1
    assert main(["-q", "manifest", "write", str(project)]) == 0
    assert main(["-q", "manifest", "check", str(project)]) == 0
