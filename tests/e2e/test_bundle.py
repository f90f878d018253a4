"""Bundles: one file that installs where there is no network at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.wheels import PROJECTS


@pytest.fixture
def island(make_app: MakeApp, tmp_path: Path) -> Viloapp:
    """Another machine, whose commands run in an empty network namespace."""
    unshare = shutil.which("unshare")
    without = [[unshare, "--net"], [unshare, "--net", "--map-root-user"]] if unshare else []
    for argv in without:
        if subprocess.run([*argv, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            break
    else:
        pytest.skip("no network namespace can be made here")
    app = make_app(tmp_path / "island")
    script = tmp_path / "viloapp-on-an-island"
    script.write_text(f'#!/bin/sh\nexec {" ".join(argv)} {app.executable} "$@"\n')
    script.chmod(0o755)
    return make_app(tmp_path / "island", script)


def test_a_folder_becomes_a_bundle_that_installs_without_a_network(
    app: Viloapp, island: Viloapp, tmp_path: Path
) -> None:
    """It is named for id and version, has the same bytes wherever and whenever it is made, and runs."""
    made = []
    for number in range(2):
        source = tmp_path / f"clone-{number}" / "hello"
        shutil.copytree(PROJECTS / "hello", source, ignore=shutil.ignore_patterns("*.egg-info", "build"))
        for path in source.rglob("*"):
            os.utime(path, (1_600_000_000 + number, 1_600_000_000 + number))
        (source / "build" / "lib").mkdir(parents=True)
        (source / "build" / "lib" / "stale.py").touch()
        out = tmp_path / f"out-{number}"
        out.mkdir()
        told = app("package", "--bundle", "-o", out, "--json", source).json()
        assert Path(told["path"]) == out / "hello-0.1.0.viloplugin"
        made.append(Path(told["path"]).read_bytes())
        assert not (source / "hello.egg-info").exists()
    assert made[0] == made[1]
    assert app.plugins() == {}
    with zipfile.ZipFile(told["path"]) as archive:
        label = json.loads(archive.read(".viloplugin"))
        assert not any("stale" in name for name in archive.namelist())
    assert label == {
        "format_version": "1.0",
        "created_at": 315532800,
        "plugin_id": "hello",
        "plugin_version": "0.1.0",
    }
    out_of_reach = island("install", "--yes", *UNSIGNED, "hello")
    assert out_of_reach.code == 1
    for options in ((), ("--offline", "--force-reinstall")):
        island("install", "--yes", *UNSIGNED, told["path"], *options).ok()
    assert island.call("hello.greet") == "Hello, world!"
    plugin = island.plugins()["hello"]
    assert (plugin["source"], plugin["signature"]) == ("bundle", "UNSIGNED")


def test_an_installed_plugin_and_its_imports_travel_as_they_are(
    app: Viloapp, island: Viloapp, tmp_path: Path
) -> None:
    """The index's wheels and our own; two bundles in one command, permissions asked for as ever."""
    app("install", "--yes", *UNSIGNED, "viloxterm", "viloedit").ok()
    for name in ("viloxterm", "viloedit"):
        app("package", "--bundle", "--offline", "-o", tmp_path, name).ok()
    bundles = sorted(tmp_path.glob("*.viloplugin"))
    assert [path.name for path in bundles] == ["viloedit-0.1.0.viloplugin", "viloxterm-0.1.0.viloplugin"]
    assert "filesystem.write.workspace" in island("install", *UNSIGNED, *bundles).refused(1)
    assert island.plugins() == {}
    island("install", "--yes", *UNSIGNED, *bundles).ok()
    assert set(island.plugins()) == {"viloxterm", "viloedit"}
    packages = island("info", "viloxterm", "--json").json()["packages"]
    assert packages == app("info", "viloxterm", "--json").json()["packages"]


def test_what_is_no_bundle_is_one_clear_answer(app: Viloapp, tmp_path: Path, wheels: dict[str, Path]) -> None:
    """Bytes, another zip, a wheel by another name, the older form, a folder out of the archive."""
    app("list").ok()
    before = app.snapshot()
    file = tmp_path / "hello-0.1.0.viloplugin"
    file.write_bytes(os.urandom(5000))
    assert "Not a valid .viloplugin file" in app("install", "--yes", *UNSIGNED, file).refused(1)
    shutil.copy(wheels["hello"], file)
    assert "Not a valid .viloplugin file" in app("install", "--yes", *UNSIGNED, file).refused(1)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../../../tmp/evil.whl", "")
        archive.writestr(".viloplugin", '{"format_version": "1.0", "plugin_id": "../../evil"}')
    assert "Not a valid .viloplugin file" in app("install", "--yes", *UNSIGNED, file).refused(1)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("plugin.json", '{"id": "hello", "version": "1"}')
        archive.writestr("src/hello.py", "")
    assert "create-plugin --from-legacy" in app("install", "--yes", *UNSIGNED, file).refused(1)
    assert app.snapshot() == before


def test_a_changed_byte_is_noticed(app: Viloapp, wheels: dict[str, Path], tmp_path: Path) -> None:
    """In whichever member it is; nothing is installed."""
    app("package", "--bundle", "-o", tmp_path, wheels["hello"]).ok()
    file = tmp_path / "hello-0.1.0.viloplugin"
    good = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        middles = [
            info.header_offset + 30 + len(info.filename) + info.file_size // 2 for info in archive.infolist()
        ]
    for at in middles:
        file.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        assert "Not a valid .viloplugin file" in app(
            "install", "--yes", *UNSIGNED, "--offline", file
        ).refused(1)
    assert app.plugins() == {}


def test_package_without_bundle_makes_the_wheel(app: Viloapp, tmp_path: Path) -> None:
    """Of a folder; what is meant otherwise is said."""
    app("package", "-o", tmp_path, PROJECTS / "hello").ok()
    assert (tmp_path / "hello-0.1.0-py3-none-any.whl").is_file()
    assert not (PROJECTS / "hello" / "build").exists()
    assert "--bundle" in app("package", "-o", tmp_path, "hello").refused(1)
