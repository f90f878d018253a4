"""Each distribution in a clean virtualenv; the core from its source distribution with nothing around."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow]
Wheel = Callable[[str], Path]


def _run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    result = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def _clean_install(folder: Path, built: Path, *requirements: str) -> Path:
    """Make a virtualenv, install with plain pip, and return its Python."""
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    links = built.as_uri()
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "-q", "--find-links", links, *requirements
    )
    return python


def test_the_sdk_alone(tmp_path: Path, built: Path, wheel: Wheel) -> None:
    """The SDK comes with msgpack and nothing else, and is importable."""
    python = _clean_install(tmp_path / "venv", built, str(wheel("viloapp_sdk")))
    code = (
        "from importlib.metadata import distributions; import viloapp_sdk; "
        "print(*sorted(each.name.lower() for each in distributions()))"
    )
    assert _run(python, "-c", code).split() == ["msgpack", "viloapp-sdk"]


def test_the_core_alone_embeds_and_lists(tmp_path: Path, built: Path, wheel: Wheel) -> None:
    """Without the extra there is a `Host` and a working command, and no web package at all."""
    python = _clean_install(tmp_path / "venv", built, str(wheel("viloapp_core")))
    code = "import importlib.util as u, viloapp_core as v; print(u.find_spec('starlette'), v.Host.__name__)"
    assert _run(python, "-c", code).split() == ["None", "Host"]
    assert "0.1.0" in _run(python.with_name("viloapp"), "--version")
    assert '"schema"' in _run(python.with_name("viloapp"), "list", "--json")


def test_the_core_with_the_workspace(tmp_path: Path, built: Path, wheel: Wheel) -> None:
    """With the extra the web server imports."""
    python = _clean_install(tmp_path / "venv", built, f"{wheel('viloapp_core')}[app]")
    _run(python, "-c", "import viloapp_core.web.server")


@pytest.mark.parametrize("name", ["viloxterm", "viloedit"])
def test_a_plugin_is_an_ordinary_wheel(name: str, tmp_path: Path, built: Path, wheel: Wheel) -> None:
    """Plain pip installs it with the SDK alone, and its entry point loads."""
    python = _clean_install(tmp_path / "venv", built, str(wheel(name)))
    code = (
        "from importlib.metadata import entry_points, distributions; "
        "(point,) = entry_points(group='viloapp.plugins'); print(point.load().__module__.partition('.')[0]); "
        "print('viloapp-core' in {each.name for each in distributions()})"
    )
    assert _run(python, "-c", code).split() == [name, "False"]


def test_the_core_builds_from_its_source_distribution(tmp_path: Path, built: Path, wheel: Wheel) -> None:
    """With no Node, no npm, no siblings and no index, it gives the same files as the clone's own build."""
    with tarfile.open(next(built.glob("viloapp_core-*.tar.gz"))) as archive:
        # Python 3.11.2, which Debian 12 has, knows no filters; later ones warn without.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(tmp_path)
    (project,) = tmp_path.glob("viloapp_core-*")
    bare = {"PATH": str(tmp_path / "nothing"), "PIP_NO_INDEX": "1"}
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", project, env=bare)
    with (
        zipfile.ZipFile(next((project / "dist").glob("*.whl"))) as again,
        zipfile.ZipFile(wheel("viloapp_core")) as first,
    ):
        assert again.namelist() == first.namelist()
