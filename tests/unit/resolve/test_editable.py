"""Editable wheels of the user's own folders, by build backends that need nothing from an index."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fixtures.wheels import forge
from viloapp_core.resolve import BuildError, Sources, build_editable

BACKEND = """
import os, zipfile
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    print("settings:", sorted(name for name in os.environ if name.startswith("PIP_")))
    {body}
    name = "hello-0.1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        archive.writestr("hello.pth", os.getcwd())
    return name
"""


def _project(folder: Path, body: str = "pass") -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (folder / "backend.py").write_text(BACKEND.format(body=body))
    return folder


def _build(source: Path, tmp_path: Path, lines: list[str]) -> Path:
    return build_editable(
        source,
        tmp_path / "out",
        sources=Sources(offline=True),
        wheels={},
        environ={**os.environ, "PIP_EXTRA_INDEX_URL": "https://evil.example"},
        on_line=lines.append,
    )


def test_a_folder_becomes_an_editable_wheel(tmp_path: Path) -> None:
    """The wheel is in the folder that was asked for; the user's pip settings do not reach the build."""
    lines: list[str] = []
    wheel = _build(_project(tmp_path / "hello"), tmp_path, lines)
    assert wheel == tmp_path / "out" / "hello-0.1-py3-none-any.whl"
    assert wheel.is_file()
    settings = next(line for line in lines if line.startswith("settings:"))
    assert "PIP_EXTRA_INDEX_URL" not in settings
    assert "PIP_NO_INDEX" in settings


def test_folders_may_have_spaces_and_any_letters(tmp_path: Path) -> None:
    """Of the project, of the wheels and of the build: what it requires is found there."""
    odd = tmp_path / "odd ñ [x]"
    wheel = forge(odd / "the wheels", "needed", "1", {"needed.py": "HERE = True\n"})
    project = _project(odd / "he llo", "import needed; assert needed.HERE")
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace("requires = []", 'requires = ["needed"]'))
    sources = Sources(None, (str(wheel.parent),), offline=True)
    made = build_editable(project, odd / "o ut", sources=sources, wheels={}, environ=os.environ)
    assert made.is_file()


def test_a_build_that_fails_shows_its_end(tmp_path: Path) -> None:
    """What the backend said last is what its author needs."""
    source = _project(tmp_path / "hello", 'raise RuntimeError("a comma is missing")')
    with pytest.raises(BuildError, match="a comma is missing"):
        _build(source, tmp_path, [])
