"""The setuptools hook, in real builds: wheels and editable wheels, without isolation and without network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import viloapp_sdk
from viloapp_sdk.manifest import from_project

# Asked of its metadata: importing it here fails in a process that has loaded Python's own distutils.
pytestmark = pytest.mark.skipif(
    int(version("setuptools").partition(".")[0]) < 77, reason="the hook is called by setuptools 77 and newer"
)

HEAD = '[project]\nname = "hello"\nversion = "0.1.0"\n'
POINT = '[project.entry-points."viloapp.plugins"]\nhello = "hello.plugin:Hello"\n'
TOOL = """
[tool.viloapp]
api_version = "1.0"
permissions = [{ id = "network.connect.example.com", reason = "é" }]
"""
SOURCE = """\
from viloapp_sdk import Plugin, command
class Hello(Plugin):
    @command('hello.greet')
    def greet(self): ...
"""
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])('dist')"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a plugin's project."""
    (tmp_path / "src" / "hello").mkdir(parents=True)
    (tmp_path / "src" / "hello" / "__init__.py").touch()
    (tmp_path / "src" / "hello" / "plugin.py").write_text(SOURCE, "utf-8")
    (tmp_path / "pyproject.toml").write_text(HEAD + POINT + TOOL, "utf-8")
    (tmp_path / "dist").mkdir()
    return tmp_path


def build(project: Path, what: str = "build_wheel", path: str = "") -> subprocess.CompletedProcess[str]:
    """Call setuptools as a frontend does."""
    environ = os.environ | {"PYTHONPATH": path} if path else dict(os.environ)
    command = [sys.executable, "-c", BUILD, what]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=120)


def built_manifest(project: Path) -> object:
    """Return the content of plugin.json of the one wheel that was built; None when it has none."""
    (wheel,) = (project / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        member = "hello-0.1.0.dist-info/plugin.json"
        return json.loads(archive.read(member)) if member in archive.namelist() else None


def test_setuptools_finds_the_hook() -> None:
    """The SDK's metadata advertises it under the file's name."""
    found = entry_points(group="egg_info.writers", name="plugin.json")
    assert {point.value for point in found} == {"viloapp_sdk.manifest.hook:write_plugin_json"}


@pytest.mark.parametrize("what", ["build_wheel", "build_editable"])
def test_a_wheel_has_the_manifest_of_the_project(project: Path, what: str) -> None:
    """An editable wheel too, and both say what `from_project` says."""
    done = build(project, what)
    assert done.returncode == 0, done.stderr
    assert built_manifest(project) == from_project(project)


def test_a_build_without_the_table_is_not_touched(project: Path) -> None:
    """Another project that is built where the SDK is installed gets no file, and no failure."""
    (project / "pyproject.toml").write_text(HEAD, "utf-8")
    (project / "src" / "hello" / "plugin.py").write_text("from viloapp_sdk import command\nclass P(", "utf-8")
    done = build(project)
    assert done.returncode == 0, done.stderr
    assert built_manifest(project) is None


def test_the_file_of_an_earlier_build_goes_with_the_table(project: Path) -> None:
    """What egg-info still holds does not reach the next wheel."""
    assert build(project).returncode == 0
    assert (project / "src" / "hello.egg-info" / "plugin.json").exists()
    (project / "pyproject.toml").write_text(HEAD, "utf-8")
    assert build(project).returncode == 0
    assert built_manifest(project) is None


def test_a_build_fails_with_every_issue(project: Path) -> None:
    """Table, entry point and source in one message, without a traceback."""
    (project / "pyproject.toml").write_text(HEAD + TOOL + "limit = {}\n", "utf-8")
    (project / "src" / "hello" / "plugin.py").write_text(SOURCE.replace("'hello.greet'", "ID"), "utf-8")
    done = build(project)
    assert done.returncode != 0
    for part in ("viloapp.plugins", "limit: unknown key; did you mean 'limits'?", "src/hello/plugin.py:3"):
        assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_the_hook_works_from_a_wheel_on_the_path(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The SDK's wheel itself on PYTHONPATH is enough, with neither msgpack nor an installation."""
    wheel = tmp_path_factory.mktemp("sdk") / "viloapp_sdk-1.0.0-py3-none-any.whl"
    source = Path(viloapp_sdk.__file__).parent
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in source.rglob("*.py"):
            archive.write(file, Path("viloapp_sdk") / file.relative_to(source))
        info = "viloapp_sdk-1.0.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: viloapp-sdk\nVersion: 1.0.0\n")
        hook = "plugin.json = viloapp_sdk.manifest.hook:write_plugin_json"
        archive.writestr(f"{info}/entry_points.txt", f"[egg_info.writers]\n{hook}\n")
    check = (
        "import sys; sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod(lambda name, *_: "
        "exec('raise ImportError(name)') if name.split('.')[0] == 'msgpack' else None)})())\n"
        "import viloapp_sdk; assert '.whl' in viloapp_sdk.__file__, viloapp_sdk.__file__\n"
    )
    command = [sys.executable, "-c", check + BUILD, "build_wheel"]
    environ = os.environ | {"PYTHONPATH": str(wheel)}
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert built_manifest(project) == from_project(project)


@pytest.mark.parametrize("what", ["build_wheel", "build_editable", "build_sdist"])
def test_a_build_fails_with_broken_texts(project: Path, what: str) -> None:
    """With file and line of each; a plain `pip wheel` reaches no person's screen with one."""
    locales = project / "src/hello/locales"
    locales.mkdir()
    (locales / "en.json").write_text('{"hi": "Hello {name}",\n"n": "{n, plural, one {#}}"}')
    (locales / "de.json").write_text('{\n"hi": "Hallo {nam}"}')
    (locales / "fr.json").write_bytes(b'{\n\n"hi": "Salut \xe9"}')
    done = build(project, what)
    assert done.returncode != 0
    assert "src/hello/locales/en.json:2: n: {n, plural, …} is no choice" in done.stderr
    assert "src/hello/locales/de.json:2: hi: has other placeholders than en.json: nam, name" in done.stderr
    assert "src/hello/locales/fr.json:3: is no UTF-8" in done.stderr
    assert not list((project / "dist").iterdir())
    (locales / "en.json").write_text('{"hi": "Hello {name}"}')
    (locales / "de.json").write_text('{"hi": "Hallo {name}"}')
    (locales / "fr.json").unlink()
    assert build(project, what).returncode == 0
