"""Copies of a project: of what ran last, and of what is tried."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from viloapp_core.devtools import last_good
from viloapp_core.devtools.last_good import LastGood


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with what belongs to it and what does not."""
    folder = tmp_path / "project"
    for name in ("src/a.py", "src/b.txt", ".git/x", "build/y", "src/__pycache__/a.pyc", "src/x.egg-info/z"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "linked").symlink_to("src")
    return folder


def test_what_ran_is_kept_until_another_runs(project: Path, tmp_path: Path) -> None:
    """A file written over in the project is the old one in the copy; what did not change is there once."""
    copies = LastGood(project, tmp_path / "copies")
    none = copies.path
    assert none is None
    assert copies.take()
    copies.keep()
    good = copies.path
    assert good is not None
    found = {str(path.relative_to(good)) for path in good.rglob("*") if not path.is_dir()}
    assert found == {"src/a.py", "src/b.txt"}
    assert os.readlink(good / "linked") == "src"
    with (project / "src/a.py").open("r+") as file:  # in place, as some editors save
        file.write("broken, and longer")
    assert copies.take()
    assert (good / "src/a.py").read_text() == "src/a.py"
    tried = tmp_path / "copies/tried/src"
    assert (tried / "a.py").read_text() == "broken, and longer"
    assert (tried / "b.txt").stat().st_ino == (good / "src/b.txt").stat().st_ino
    copies.keep()
    assert (good / "src/a.py").read_text() == "broken, and longer"
    (project / "src/b.txt").unlink()
    assert copies.take()
    copies.keep()
    assert not (good / "src/b.txt").exists()


def test_a_folder_that_is_too_large_is_not_copied(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is left, and what ran before stays."""
    copies = LastGood(project, tmp_path / "copies")
    copies.take()
    copies.keep()
    monkeypatch.setattr(last_good, "MOST_BYTES", 10)
    assert not copies.take()
    copies.keep()
    assert os.listdir(tmp_path / "copies") == ["good"]
    assert copies.path is not None
    assert (copies.path / "src/a.py").is_file()
