"""docs/tutorial/first-plugin.md is executed, from create-plugin to an install into a fresh store."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.uploads import UploadIndex
from viloapp_core.devtools.scaffold import KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs/tutorial/first-plugin.md").read_text("utf-8")
BLOCK = re.compile(r"(?:^`(?P<file>[^`]+)`:\n\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
ROW = re.compile(
    r"^\| `(?P<kind>\w+)` \| [^|]+ \| `(?P<try>viloapp call [^`]+)` \| `?(?P<answer>[^`|]+)`? \|$", re.M
)
SHOWN = "http://localhost:8080/"
VILOAPP = Path(sys.executable).with_name("viloapp")


@pytest.fixture(scope="module")
def cache() -> Iterator[Path]:
    """Return a folder for pip's downloads, which all templates need the same of."""
    with tempfile.TemporaryDirectory(prefix="vt-cache-") as folder:
        yield Path(folder)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_to_installed(kind: str, tmp_path: Path, cache: Path) -> None:
    """Every command of the page works; what was published is what a build gives again, to the byte."""
    rows = {row["kind"]: (row["try"], row["answer"]) for row in ROW.finditer(PAGE)}
    assert list(rows) == list(KINDS)
    packages = tmp_path / "index"
    packages.mkdir()
    with UploadIndex(packages) as index:
        shell = _Shell(tmp_path, cache, index.upload_url)
        for block in BLOCK.finditer(PAGE):
            if block["file"] and kind == "basic":
                (tmp_path / "hello" / block["file"]).write_text(block["text"], "utf-8")
            elif not block["file"] and not block["language"]:
                for line in block["text"].splitlines():
                    shell.run(_for(kind, line))
        line, answer = rows[kind]
        said = shell.run(line)
        assert answer in said or ("id" in answer and said.strip())
    if kind == "basic":
        shell.run("viloapp package --output ..")
        for path in packages.iterdir():
            assert _sha256(tmp_path / path.name) == _sha256(path), path.name


def _for(kind: str, line: str) -> str:
    """Return a line of the page as it is for a template; nothing where it is about another's commands.

    Testing and installing from the folder is done for one: it is the same for all, and takes the most time.
    """
    if kind == "basic" or line.startswith(("viloapp create-plugin", "cd ", "export ")):
        return line.replace("--template basic", f"--template {kind}")
    if line.startswith(("viloapp call", "viloapp test", "viloapp install --dev")):
        return ""
    return line


class _Shell:
    """As much of a shell as the page needs: folders, variables, and the installed command."""

    def __init__(self, folder: Path, cache: Path, index: str) -> None:
        self._folder, self._index = folder, index
        self._env = {**os.environ, "XDG_CACHE_HOME": str(cache)}

    def run(self, line: str) -> str:
        """Run a line and return what it printed."""
        words = shlex.split(line.replace("$PWD", str(self._folder)).replace(SHOWN, self._index))
        if words[:1] == ["cd"]:
            self._folder = self._folder / words[1]
        elif words[:1] == ["export"]:
            name, _, value = words[1].partition("=")
            self._env[name] = str(Path(value).resolve()) if "/" in value else value
        elif words:
            assert words[0] == "viloapp", line
            done = subprocess.run(
                [VILOAPP, *words[1:]],
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            return done.stdout
        return ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_passes_its_own_checks(kind: str, tmp_path: Path, cache: Path) -> None:
    """What its `noxfile.py` runs: ruff, mypy, pytest; at once, under a short name and the longest one."""
    made = ["--template", kind, "--author", "A", "--description", "B."]
    for name in ("x", "x" * 32):
        _checked([VILOAPP, "-q", "create-plugin", name, *made], tmp_path)
        _checked([sys.executable, "-m", "ruff", "check"], tmp_path / name)
        _checked([sys.executable, "-m", "ruff", "format", "--check"], tmp_path / name)
    _checked([sys.executable, "-m", "mypy", f"--cache-dir={cache / 'mypy'}"], tmp_path / name)
    _checked([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path / name)


def _checked(argv: list[str | Path], folder: Path) -> None:
    done = subprocess.run(
        argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
