"""Two releases of a plugin, compared by their sources."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import astuple
from pathlib import Path

import pytest

from viloapp_core.cli.main import main
from viloapp_core.devtools.breakage import breaking_changes
from viloapp_core.devtools.errors import ReleaseError
from viloapp_core.devtools.release import Release
from viloapp_core.manifest import read_source
from viloapp_sdk.manifest import api_version

PYPROJECT = """
[project]
name = "hello"
version = "1"
[project.entry-points."viloapp.plugins"]
hello = "hello:Hello"
[tool.viloapp]
api_version = "1.0"
"""
SETTINGS = """[tool.viloapp.configuration]
size = { type = "integer", description = "of the text" }
colour = { type = "string", enum = ["red", "blue"] }
least = { type = "integer", minimum = 1 }
word = { type = "string" }
"""
NARROWER = """[tool.viloapp.configuration]

colour = { type = "string", enum = ["blue"] }
least = { type = "integer", minimum = 5 }
word = { type = "boolean" }
"""
BUILD = '[build-system]\nrequires = ["setuptools"]\n[tool.setuptools]\npy-modules = ["hello"]\n'
OLD = """
from viloapp_sdk import Plugin, Widget, command
def public(a, b=1): ...
class Panel(Widget):
    id = "hello.panel"
class Hello(Plugin):
    @command("hello.greet")
    def greet(self, name: str, loud: bool = False): ...
    @command("hello.bye")
    def bye(self):
        self.context.event_bus.emit("hello.went", {})
"""
NEW = """
from viloapp_sdk import Plugin, command
def public(a): ...
class Hello(Plugin):
    @command("hello.greet")
    def greet(self, name: int, tongue: str): ...
"""


def _project(folder: Path, source: str, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(PYPROJECT + more)
    (folder / "hello.py").write_text(source)
    return folder


def _source(folder: Path) -> Release:
    return Release(read_source(folder), (folder / "hello.py",), folder, Path("pyproject.toml"))


def _rows(old: Path, new: Path) -> list[tuple[str, str, str, str, str, int]]:
    return [astuple(each) for each in breaking_changes(_source(old), _source(new))]


def test_what_is_taken_away_is_listed_with_file_and_line(tmp_path: Path) -> None:
    """Commands, arguments, settings, widgets, events and Python names; what is gone, where it was."""
    old, new = _project(tmp_path / "old", OLD, SETTINGS), _project(tmp_path / "new", NEW, NARROWER)
    found = _rows(old, new)
    assert [each for each in found if each[0] != "python"] == [
        ("command", "hello.bye", "was removed", "before", "hello.py", 9),
        ("command", "hello.greet", "the argument loud was removed", "now", "hello.py", 5),
        ("command", "hello.greet", "the argument name was string and is integer", "now", "hello.py", 5),
        ("command", "hello.greet", "the argument tongue is required now", "now", "hello.py", 5),
        ("event", "hello.went", "is emitted no more", "before", "hello.py", 11),
        ("setting", "colour", 'does not take "red" any more', "now", "pyproject.toml", 11),
        ("setting", "least", "has the minimum 5 now", "now", "pyproject.toml", 12),
        ("setting", "size", "was removed", "before", "pyproject.toml", 10),
        ("setting", "word", "was string and is boolean", "now", "pyproject.toml", 13),
        ("widget", "hello.panel", "was removed", "before", "hello.py", 5),
    ]
    python = {(each[1], each[3], each[5]) for each in found if each[0] == "python"}
    assert {("hello.Panel", "before", 4), ("hello.Hello.bye", "before", 9)} <= python
    assert any(name == "hello.public" and side == "now" and line == 3 for name, side, line in python)


def test_a_higher_api_is_a_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has an older ViloApp could not install the release."""
    monkeypatch.setattr(api_version, "API_VERSION", "1.4")
    monkeypatch.setattr(api_version.speaks, "__defaults__", ("1.4",))
    old, new = _project(tmp_path / "old", OLD), _project(tmp_path / "new", OLD)
    pyproject = (new / "pyproject.toml").read_text().replace('"1.0"', '"1.4"')
    (new / "pyproject.toml").write_text(pyproject)
    assert [each[:2] for each in _rows(old, new)] == [("manifest", "api_version")]
    assert _rows(new, old) == []


def test_what_is_added_breaks_nothing(tmp_path: Path) -> None:
    """A new command, an argument with a default, a wider setting, and the same release twice."""
    old = _project(tmp_path / "old", OLD, NARROWER)
    more = OLD.replace("loud: bool = False", "loud: bool = False, tongue: str = 'en'")
    wider = NARROWER.replace("minimum = 5", "minimum = 1").replace('["blue"]', '["blue", "red", "pink"]')
    new = _project(tmp_path / "new", f"{more}    @command('hello.new')\n    def new(self, x): ...\n", wider)
    assert _rows(old, old) == _rows(old, new) == []


def test_two_plugins_are_no_two_releases(tmp_path: Path) -> None:
    """Both are named."""
    old, new = _project(tmp_path / "old", OLD), _project(tmp_path / "new", OLD)
    (new / "pyproject.toml").write_text(PYPROJECT.replace('name = "hello"', 'name = "goodbye"'))
    with pytest.raises(ReleaseError, match="hello and goodbye"):
        _rows(old, new)


def _wheel(folder: Path, out: Path) -> Path:
    """Build the wheel of a project, as setuptools does."""
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the names of one release in each form, and ``now``, the project after it."""
    root = tmp_path_factory.mktemp("forms")
    project = _project(root / "project", OLD, SETTINGS + BUILD)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "project"], ["commit", "-qm", "1"], ["tag", "v1"]):
        subprocess.run([*git, *words], check=True)
    copy = root / "hello-1"
    shutil.copytree(project, copy)
    with tarfile.open(root / "hello-1.tar.gz", "w:gz") as tar:
        tar.add(copy, "hello-1")
    wheel = _wheel(root / "hello-1", root / "wheels")
    _project(project, NEW, NARROWER + BUILD)
    return {
        **{"folder": str(copy), "wheel": str(wheel), "sdist": f"{copy}.tar.gz", "git": "v1"},
        **{"index": "hello==1", "links": str(wheel.parent), "now": str(project)},
    }


@pytest.mark.parametrize("form", ["folder", "wheel", "sdist", "git", "index"])
def test_each_form_of_a_release_says_the_same(
    forms: dict[str, str], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command, as JSON and in lines; the exit code is 1. Of a wheel settings stand in plugin.json."""
    words = ["docs", forms["now"], "--breaking-since", forms[form]]
    words += ["--offline", "--find-links", forms["links"]] if form == "index" else []
    assert main([*words, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["ok"], said["before"]) == (1, False, {"id": "hello", "version": "1"})
    rows = [(each["kind"], each["name"], each["release"], each["path"]) for each in said["breaks"]]
    manifest = "hello-1.dist-info/plugin.json" if form in ("wheel", "index") else "pyproject.toml"
    assert ("setting", "size", "before", manifest) in rows
    assert ("command", "hello.bye", "before", "hello.py") in rows
    assert len([each for each in rows if each[0] != "python"]) == 10
    assert all(each["line"] for each in said["breaks"])
    assert main(words) == 1
    assert "hello.py:9 (of 1): command hello.bye: was removed\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["v9", "--help", "no such", "nowhere.whl", "HEAD:project"])
def test_what_is_no_release_is_one_line(
    forms: dict[str, str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which forms there are; nothing of it is an option of git's."""
    assert main(["docs", forms["now"], f"--breaking-since={name}"]) == 1
    said = capsys.readouterr().err
    assert "is no release" in said
    assert "NAME==VERSION" in said


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path, forms: dict[str, str]) -> None:
    """Nothing is written where it points to."""
    archive = tmp_path / "hello-1.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(forms["folder"], "../outside")
    assert main(["docs", forms["now"], "--breaking-since", str(archive)]) == 1
    broken = tmp_path / "hello-1-py3-none-any.whl"
    broken.write_bytes(b"PK no wheel")
    assert main(["docs", forms["now"], "--breaking-since", str(broken)]) == 1
