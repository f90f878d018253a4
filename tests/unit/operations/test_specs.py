"""What the user named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.operations import SpecError
from viloapp_core.operations.specs import parse


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a wheel, a project and a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello-0.1-py3-none-any.whl").touch()
    (tmp_path / "project").mkdir()
    (tmp_path / "notes.txt").touch()


@pytest.mark.parametrize(
    ("text", "requirement", "plugin_id"),
    [
        ("hello", "hello", "hello"),
        (" Hello_World >= 0.1 ", "Hello_World>=0.1", "hello-world"),
        ("hello[extra]==1.*", "hello[extra]==1.*", "hello"),
        ("project", "project", "project"),
        ("notes.txt", "notes.txt", "notes-txt"),
    ],
)
def test_requirements(text: str, requirement: str, plugin_id: str) -> None:
    """A bare name is a name, whatever lies in the current folder."""
    ((spec,), problems) = parse([text], dev=False)
    assert (spec.kind, spec.requirement, spec.plugin_id, problems) == ("index", requirement, plugin_id, [])


def test_wheels_and_folders(tmp_path: Path) -> None:
    """Paths become absolute."""
    ((wheel,), _) = parse(["hello-0.1-py3-none-any.whl"], dev=False)
    assert (wheel.kind, wheel.path) == ("wheel", tmp_path / "hello-0.1-py3-none-any.whl")
    ((folder,), _) = parse(["project"], dev=True)
    assert (folder.kind, folder.path) == ("dev", tmp_path / "project")


@pytest.mark.parametrize(
    ("text", "dev", "told"),
    [
        ("missing-0.1-py3-none-any.whl", False, "missing-0.1"),
        ("./project", False, "--dev"),
        ("./missing", False, "does not exist"),
        ("./notes.txt", False, "neither"),
        ("hello", True, "--dev"),
        ("not a requirement!", False, "hello>=0.1"),
        ("--index-url=https://evil", False, "address"),
        ("--pre", False, "requirement"),
        ("-e", False, "requirement"),
        ("hello @ https://h/hello-1-py3-none-any.whl", False, "download"),
        ("hello; python_version > '3'", False, "marker"),
        ("ViloApp_Core", False, "not a plugin"),
        ("", False, "requirement"),
    ],
)
def test_what_is_none_of_these(text: str, dev: bool, told: str) -> None:
    """Each is told with what to do instead."""
    specs, (problem,) = parse([text], dev=dev)
    assert specs == []
    assert told in problem.detail + problem.hint


def test_nothing_named() -> None:
    """No spec is a mistake too."""
    _, (problem,) = parse([], dev=False)
    assert isinstance(problem, SpecError)


@given(text=st.text(max_size=60))
def test_no_text_becomes_an_option_of_pip(text: str) -> None:
    """Whatever the text, what pip gets is a requirement or nothing."""
    specs, problems = parse([text], dev=False)
    assert len(specs) + len(problems) == 1
    for spec in specs:
        assert spec.requirement[:1].isalnum() or spec.path is not None
