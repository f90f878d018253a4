"""README.md is executed: its first plugin is written, installed and called as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
README = (CLONE / "README.md").read_text("utf-8")
BLOCK = re.compile(r"(?:^`(?P<file>[^`]+)`:\n\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
VILOAPP = "python3 dev.py viloapp "


def _section(title: str) -> str:
    (found,) = (part for part in README.split("\n## ") if part.startswith(title))
    return found


def _run(*words: str | Path, cwd: Path) -> str:
    result = subprocess.run(
        words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.network
@pytest.mark.slow
def test_the_first_plugin_works_as_written(tmp_path: Path) -> None:
    """The files of the section, installed and called by its lines, greet; so does `examples/embed.py`."""
    lines: list[str] = []
    for block in BLOCK.finditer(_section("Your first plugin")):
        if block["file"]:
            (tmp_path / block["file"]).parent.mkdir(exist_ok=True)
            (tmp_path / block["file"]).write_text(block["text"], "utf-8")
        else:
            lines += block["text"].splitlines()
    assert [line.startswith(VILOAPP) for line in lines] == [True, True]
    command = Path(sys.executable).with_name("viloapp")
    install, call = (shlex.split(line.removeprefix(VILOAPP)) for line in lines)
    _run(command, *install, cwd=tmp_path)
    assert "Hello, you!" in _run(command, *call, cwd=tmp_path)
    embedded = _run(sys.executable, CLONE / "examples" / "embed.py", *call[1:], cwd=tmp_path)
    assert embedded.splitlines() == ["Hello, you!", "Hello, you!"]


def test_the_first_plugin_has_about_twenty_lines() -> None:
    """The title says so, not counting what is blank."""
    blocks = [block for block in BLOCK.finditer(_section("Your first plugin")) if block["file"]]
    lines = [line for block in blocks for line in block["text"].splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.mark.parametrize("name", sorted(path.name for path in CLONE.glob("*.md")))
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link of the documents at the root is to a file that is there."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", (CLONE / name).read_text("utf-8"))
    assert [link for link in links if not (CLONE / link).exists()] == []


def test_the_test_command_is_what_continuous_integration_runs() -> None:
    """README's command for the tests is the one in `.ci/run`, to the letter."""
    assert "\npython3 dev.py test\n" in README
    assert (CLONE / ".ci" / "run").read_text("utf-8").rstrip().endswith("exec python3 dev.py test")
    assert os.access(CLONE / ".ci" / "run", os.X_OK)


def test_the_files_that_architecture_names_are_there() -> None:
    """A page that traces a call file by file is only worth something while the files have those names."""
    roots = [CLONE, CLONE / "viloapp_core/src/viloapp_core", CLONE / "viloapp_sdk/src"]
    text = (CLONE / "ARCHITECTURE.md").read_text("utf-8")
    named = re.findall(r"`(\w+(?:/\w+)+(?:\.py|/))`", text)
    assert len(named) > 20
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []
    packages = re.findall(r"^\| \d \| `(\w+)` \|", text, re.M)
    found = {path.parent.name for path in roots[1].glob("*/__init__.py")}
    assert sorted(packages) == sorted(found)
