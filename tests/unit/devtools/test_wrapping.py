"""`viloapp create-plugin --from-legacy`: a plugin of the old form as a project that builds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import tomllib
from hypothesis import given, settings
from hypothesis import strategies as st

from viloapp_core.cli.main import main
from viloapp_core.devtools.errors import LegacyPluginError
from viloapp_core.devtools.legacy_manifest import read_legacy
from viloapp_core.devtools.wrapping import wrap
from viloapp_core.manifest import read_source

LEGACY = Path(__file__).parents[2] / "fixtures" / "legacy" / "notes"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the plugin of the old form."""
    return Path(shutil.copytree(LEGACY, tmp_path / "old"))


def _change(folder: Path, **values: Any) -> None:
    path = folder / "plugin.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_manifest_in_todays_terms(old: Path, tmp_path: Path) -> None:
    """Id, requirements, conflicts and load hints; a bare version is that one; what has no place is told."""
    made = wrap(old, tmp_path)
    assert (made.plugin_id, made.old_id) == ("notes-board", "com.acme.Notes_Board")
    described = read_source(made.folder)
    manifest = described.manifest
    assert set(manifest.requires_plugins) == {"base==2.1.0", "viloxterm<2,>=0.1", "any"}
    assert manifest.conflicts == ("notes",)
    assert manifest.formerly == ("com.acme.Notes_Board",)
    assert (manifest.load_after, manifest.load_before) == (("base",), ("late",))
    assert [permission.id for permission in manifest.permissions] == [
        "filesystem.read.workspace",
        "system.read.information",
    ]
    project = tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["viloapp-sdk>=1,<2", "packaging>=20"]
    assert project["authors"] == [{"name": 'Acme "Widgets" Ltd.'}]
    assert project["description"] == "Notes on a board: {not} a %(template)s ${here}"
    about = [note.partition(":")[0] for note in made.notes]
    assert about == ["permissions", "icon", "resources/", "locales/"]
    assert (made.folder / "legacy-plugin.json").read_bytes() == (old / "plugin.json").read_bytes()


def test_it_builds_a_wheel_with_all_that_belongs_to_it(old: Path, tmp_path: Path) -> None:
    """The old modules as they were, the adapter, the resources, and the manifest."""
    made = wrap(old, tmp_path)
    code = "import setuptools.build_meta as b; print(b.build_wheel('dist'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=made.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(made.folder / "dist" / done.stdout.split()[-1]) as wheel:
        names = set(wheel.namelist())
        info = "notes_board-1.2.0.dist-info"
        assert {"notes.py", "board.py", "notes_board_wrapped.py", "locales/en.json"} <= names
        assert "resources/icons/notes.svg" in names
        assert wheel.read("board.py") == (LEGACY / "src" / "board.py").read_bytes()
        manifest = json.loads(wheel.read(f"{info}/plugin.json"))
        assert manifest["activation_events"] == ["onStartup"]
        points = wheel.read(f"{info}/entry_points.txt").decode()
    assert "notes-board = notes_board_wrapped:NotesBoard" in points


@pytest.mark.parametrize(
    ("written", "is_one"), [("mit", True), ("Apache-2.0 OR MIT", True), ("free!", False)]
)
def test_the_licence(old: Path, tmp_path: Path, written: str, is_one: bool) -> None:
    """An SPDX expression comes over; anything else is told and left out."""
    _change(old, license=written)
    made = wrap(old, tmp_path)
    project = tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]
    assert project.get("license", "").lower() == (written.lower() if is_one else "")
    assert any(note.startswith("license:") for note in made.notes) is not is_one


def test_packages_and_a_flat_folder(tmp_path: Path) -> None:
    """A package with others inside, beside the manifest; tests and what is no code stay out of the wheel."""
    old = tmp_path / "flat"
    (old / "weather" / "inner" / "deep").mkdir(parents=True)
    for folder in ("weather", "weather/inner", "weather/inner/deep"):
        (old / folder / "__init__.py").write_text("class Plugin: ...\n")
    (old / "tests").mkdir()
    (old / "tests" / "__init__.py").touch()
    (old / "setup.py").write_text("raise SystemExit\n")
    (old / "weather" / "__pycache__").mkdir()
    (old / "plugin.json").write_text('{"id": "io.me.2weather", "main": "weather.inner:Plugin"}')
    made = wrap(old, tmp_path)
    document = tomllib.loads((made.folder / "pyproject.toml").read_text())
    assert document["tool"]["setuptools"]["packages"] == ["weather", "weather.inner", "weather.inner.deep"]
    assert document["tool"]["setuptools"]["py-modules"] == ["plugin_2weather_wrapped"]
    inside = sorted(path.name for path in (made.folder / "src").iterdir())
    assert inside == ["plugin_2weather_wrapped.py", "weather"]
    assert not list(made.folder.rglob("__pycache__"))


def test_all_problems_at_once(old: Path, tmp_path: Path) -> None:
    """Each with its path; nothing is made."""
    _change(
        old,
        id="com.acme.-",
        version="one",
        main="notes.py:class",
        dependencies={"plugins": {"com.acme.base": "^1.2"}, "python": 3},
        conflicts=7,
        load_after="x",
    )
    with pytest.raises(LegacyPluginError) as caught:
        wrap(old, tmp_path)
    lines = caught.value.detail.splitlines()
    paths = [line.removeprefix(f"{old}: ").partition(":")[0] for line in lines]
    assert paths == [
        "id",
        "version",
        "main",
        "dependencies.plugins.com.acme.base",
        "dependencies.python",
        "conflicts",
        "load_after",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("[]", "one JSON object"),
        ("{", "is not JSON"),
        ("{}", "id: is missing"),
        ('{"id": "a.b.c", "main": "gone.Plugin"}', "main: there is no gone"),
        ('{"id": "a.b.c", "main": "notes.Plugin; import os"}', "not of the form"),
        ('{"id": "a.b.c", "main": "../notes.Plugin"}', "not of the form"),
        ('{"id": "../../x/y z", "main": "notes.Plugin"}', "no name for a distribution"),
    ],
)
def test_what_cannot_be_wrapped(old: Path, tmp_path: Path, content: str | None, said: str) -> None:
    """One line for each reason; nothing is made."""
    (old / "plugin.json").unlink()
    if content is not None:
        (old / "plugin.json").write_text(content)
    with pytest.raises(LegacyPluginError, match=said):
        wrap(old, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]


def test_a_pipe_is_not_waited_for(old: Path, tmp_path: Path) -> None:
    """A stranger's folder may have one in place of its manifest."""
    (old / "plugin.json").unlink()
    os.mkfifo(old / "plugin.json")
    with pytest.raises(LegacyPluginError, match="no ordinary file"):
        wrap(old, tmp_path)


def test_nothing_is_written_over(old: Path, tmp_path: Path) -> None:
    """A target that is there is refused, a dangling link too."""
    (tmp_path / "notes-board").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LegacyPluginError, match="there already"):
        wrap(old, tmp_path)
    assert not (tmp_path / "nowhere").exists()


_ANY: st.SearchStrategy[Any] = st.sampled_from(
    [None, 3, "", "a", "com.a.b", "1.0", "==1", "m.C", [], ["a", 3], {}, {"a": "1"}, [[]]]
)
_KEYS = ("id", "version", "main", "dependencies", "conflicts", "load_after", "permissions", "author", "x")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_KEYS, _ANY | st.text(max_size=6))))
@settings(max_examples=200)
def test_any_manifest_ends_in_a_plugin_or_in_problems(old: dict[str, Any]) -> None:
    """Whatever stands under the known keys."""
    plugin = read_legacy(old)
    assert plugin.problems or (plugin.name and plugin.module and plugin.version)


def test_the_command(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder on standard output, what to look at beside it; NAME in place of the id's."""
    monkeypatch.chdir(tmp_path)
    assert main(["create-plugin", "--from-legacy", str(old)]) == 0
    shown = capsys.readouterr()
    assert shown.out == "notes-board\n"
    assert "'everything' is no permission" in shown.err
    assert main(["create-plugin", "Acme.Notes", "--from-legacy", str(old), "-o", "other", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plugin"] == "acme-notes"
    assert main(["create-plugin", "--from-legacy", str(old)]) == 1
    assert capsys.readouterr().err.count("error: ") == 1
    assert main(["create-plugin", "--update", "--from-legacy", str(old)]) == 2
    assert (tmp_path / "other" / "acme-notes" / "src").is_dir()
