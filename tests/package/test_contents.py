"""What is in the four wheels and their source distributions, to the file."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from email.parser import BytesParser
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
SOURCES = {
    "viloapp_sdk": CLONE / "viloapp_sdk/src",
    "viloapp_core": CLONE / "viloapp_core/src",
    "viloxterm": CLONE / "plugins/viloxterm/src",
    "viloedit": CLONE / "plugins/viloedit/src",
}
Contents = Callable[[str], dict[str, bytes]]
each_distribution = pytest.mark.parametrize("name", SOURCES)


def _dist_info(files: dict[str, bytes], ending: str) -> bytes:
    (found,) = (data for name, data in files.items() if name.endswith(f".dist-info/{ending}"))
    return found


@each_distribution
def test_a_wheel_has_every_file_and_no_other(name: str, contents: Contents) -> None:
    """The files are those of the source tree: none forgotten, none left from an earlier build."""
    source = SOURCES[name]
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != ".stamp"
    }
    assert {each for each in contents(name) if ".dist-info/" not in each} == wanted


@each_distribution
def test_a_wheel_holds_only_its_package(name: str, contents: Contents) -> None:
    """Nothing lands beside the package in somebody's site-packages."""
    assert {each.partition("/")[0].partition("-")[0] for each in contents(name)} == {name}


@each_distribution
def test_a_wheel_is_typed_and_licensed(name: str, contents: Contents) -> None:
    """Type checkers see the annotations; the licence is in the metadata and in the wheel."""
    files = contents(name)
    metadata = BytesParser().parsebytes(_dist_info(files, "METADATA"))
    assert f"{name}/py.typed" in files
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] in (">=3.10", ">=3.11")
    assert _dist_info(files, "licenses/LICENSE") == (CLONE / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", ["viloxterm", "viloedit"])
def test_a_plugin_wheel_has_its_manifest(name: str, contents: Contents) -> None:
    """The SDK's hook ran in the isolated build: `plugin.json` has commands and widgets."""
    files = contents(name)
    manifest = json.loads(_dist_info(files, "plugin.json"))
    assert manifest["commands"]
    assert manifest["widgets"]
    assert "[viloapp.plugins]" in _dist_info(files, "entry_points.txt").decode()
    assert {f"{name}/locales/{each}.json" for each in ("en", "de", "ar")} <= set(files)


def test_the_core_carries_the_page(contents: Contents) -> None:
    """The bundle is in the wheel with the licences of what was bundled, and nothing of npm's."""
    static = {name for name in contents("viloapp_core") if name.startswith("viloapp_core/web/static/")}
    assert "viloapp_core/web/static/index.html" in static
    assert any(name.endswith(".js") for name in static)
    assert any("THIRD_PARTY_LICENSES" in name for name in static)
    assert not any("node_modules" in name or name.endswith(".stamp") for name in static)


def test_the_core_carries_the_wheelhouse(contents: Contents) -> None:
    """Our own names are resolved from these wheels, so all three are there, once each."""
    files = {name: data for name, data in contents("viloapp_core").items() if "/wheelhouse/" in name}
    names = sorted(Path(name).name.split("-")[0] for name in files)
    assert names == ["viloapp_sdk", "viloedit", "viloxterm"]


@each_distribution
def test_a_source_distribution_is_complete(name: str, built: Path) -> None:
    """It has the modules, the licence and the README; that it builds is tested elsewhere."""
    with tarfile.open(next(built.glob(f"{name}-*.tar.gz"))) as archive:
        files = {each.partition("/")[2] for each in archive.getnames()}
    wanted = {f"src/{path.relative_to(SOURCES[name]).as_posix()}" for path in SOURCES[name].rglob("*.py")}
    assert wanted <= files
    assert {"LICENSE", "README.md", "pyproject.toml"} <= files
    assert not any("node_modules" in each or "__pycache__" in each for each in files)
