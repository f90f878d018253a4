"""`viloapp dev` and `viloapp test`, before anything is installed or run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ran

FIXTURE = Path(__file__).parents[2] / "fixtures" / "plugins" / "hello"


@pytest.mark.parametrize("words", [["dev", "--plugin", "nowhere"], ["test", "nowhere"]])
def test_a_missing_folder_is_one_line(viloapp: Callable[..., Ran], words: list[str]) -> None:
    """It fails, and is no wrong usage; nothing is made."""
    ran = viloapp(*words)
    assert ran.code == 1
    assert ran.err.splitlines()[0] == "error: there is no folder nowhere"


@pytest.mark.parametrize("words", [["dev", "--plugin"], ["test"]])
def test_a_folder_that_is_no_plugin(viloapp: Callable[..., Ran], words: list[str], tmp_path: Path) -> None:
    """What it lacks is said, all of it, before an index is asked."""
    ran = viloapp(*words, str(tmp_path))
    assert ran.code == 1
    assert "pyproject.toml" in ran.err


def test_no_address_of_a_network(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """Whoever reaches the workspace has a shell of the person's."""
    ran = viloapp("dev", "--plugin", str(tmp_path), "--host", "0.0.0.0")
    assert (ran.code, "loopback" in ran.err) == (2, True)


def test_docs_are_written_and_checked(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """Printed, written where it is said, and refused by --check once the source says something else."""
    project = tmp_path / "hello"
    shutil.copytree(FIXTURE, project)
    out = str(tmp_path / "docs")
    assert "### `hello.greet`" in viloapp("docs", str(project)).out
    assert viloapp("docs", str(project), "-o", out, "--check").code == 1
    (kept := tmp_path / "kept").write_text("mine")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").symlink_to(kept)  # a stranger's project may have such a link
    assert viloapp("docs", str(project), "-o", out).code == 0
    assert kept.read_text() == "mine"
    assert viloapp("docs", str(project), "-o", out, "--check").code == 0
    source = project / "hello.py"
    source.write_text(source.read_text().replace("Return a greeting", "Give a greeting"))
    ran = viloapp("docs", str(project), "-o", out, "--check")
    assert ran.code == 1
    assert "index.md" in ran.err
    assert viloapp("docs", str(project), "--check").code == 2
    assert viloapp("docs", "nowhere").code == 1
