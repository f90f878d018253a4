"""The kit runs a project's steps as an update does, and judges what they return."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from viloapp_sdk.errors import ViloError
from viloapp_sdk.testing import migrate_settings

PYPROJECT = """
[project]
name = "moves"
version = "1.0"

[project.entry-points."viloapp.plugins"]
moves = "moves:Moves"

[tool.viloapp]
api_version = "1.0"

[tool.viloapp.configuration.count]
type = "integer"
default = 0

[tool.viloapp.settings]
version = "3"
steps = [
  {from = "1", to = "2", run = "moves:to_2"},
  {from = "2", to = "3", run = "moves:Steps.to_3"},
]
"""
SOURCE = """
from viloapp_sdk import Plugin

class Moves(Plugin):
    pass

def to_2(settings, data):
    (data / "seen").write_text(str(sorted(settings)))
    return {"text": settings["text"] * 2}

class Steps:
    @staticmethod
    async def to_3(settings, data):
        if settings["text"] == "nono":
            return None
        return {"count": len(settings["text"]) if settings["text"] != "badbad" else "many"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose package can be imported."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "moves.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "moves", raising=False)
    return tmp_path


def test_all_steps_run_from_where_the_settings_are(project: Path, tmp_path: Path) -> None:
    """Plain and async, also a method of a class; the data are the test's; what was given stays as it was."""
    given = {"text": "abc"}
    data = tmp_path / "data"
    data.mkdir()
    assert migrate_settings(project, given, data=data) == {"count": 6}
    assert given == {"text": "abc"}
    assert (data / "seen").read_text() == "['text']"
    assert migrate_settings(project, given, version="2") == {"count": 3}
    assert migrate_settings(project, {"count": 4}, version="3") == {"count": 4}


def test_what_an_update_would_refuse_is_refused(project: Path) -> None:
    """A step that returns nothing, and a value that does not fit the manifest."""
    with pytest.raises(ViloError, match=r"step 2 to 3 \(moves:Steps.to_3\): it returned None"):
        migrate_settings(project, {"text": "no"})
    with pytest.raises(ViloError, match="count: it has to be of type integer"):
        migrate_settings(project, {"text": "bad"})
