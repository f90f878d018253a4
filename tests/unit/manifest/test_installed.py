"""Reading installed distributions, and finding those that pip put beside the core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core import manifest
from viloapp_core.manifest import ManifestError, read_dist_info, unmanaged

InfoMaker = Callable[..., Path]
INFO = "hello-0.1.0.dist-info"


def test_an_installed_plugin_is_described(dist_info: InfoMaker) -> None:
    """The dist-info folder alone is enough, as in an editable installation."""
    found = read_dist_info(dist_info({"hello/plugin.py": None}))
    assert (found.plugin_id, found.entry_point.value) == ("hello", "hello.plugin:Hello")


def test_the_manifest_may_lie_in_the_installed_package(dist_info: InfoMaker) -> None:
    """Other build backends put it there, and the folder is found through the entry point."""
    path = dist_info(
        {f"{INFO}/plugin.json": None, "hello/plugin.json": '{"schema": 1, "api_version": "1.0"}'}
    )
    assert read_dist_info(path).manifest.commands == ()


def test_issues_of_an_installed_plugin_have_paths(dist_info: InfoMaker) -> None:
    """The same checks hold as for a wheel."""
    with pytest.raises(ManifestError) as caught:
        read_dist_info(dist_info({f"{INFO}/plugin.json": '{"schema": 1}', f"{INFO}/entry_points.txt": None}))
    assert [issue.path for issue in caught.value.issues] == [
        "entry_points.txt [viloapp.plugins]",
        "api_version",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_a_file_does_not_block(dist_info: InfoMaker) -> None:
    """A file that is none is refused at once, not waited for."""
    path = dist_info({f"{INFO}/plugin.json": None})
    os.mkfifo(path / "plugin.json")
    with pytest.raises(ManifestError, match=r"plugin\.json: is no regular file"):
        read_dist_info(path)


def test_a_large_file_is_refused(dist_info: InfoMaker) -> None:
    """No more than the limit is read."""
    with pytest.raises(ManifestError, match="METADATA: is larger than"):
        read_dist_info(dist_info({f"{INFO}/METADATA": b"x" * ((1 << 20) + 1)}))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """Every file that was looked for is named."""
    with pytest.raises(ManifestError) as caught:
        read_dist_info(tmp_path / INFO)
    assert {issue.path for issue in caught.value.issues} >= {"METADATA", "plugin.json"}


def test_plugins_beside_the_core_are_found_by_their_group(dist_info: InfoMaker, tmp_path: Path) -> None:
    """A distribution counts by its entry points; its code is not touched, its name normalized."""
    site = dist_info().parent
    other = site / "My_Other.Plugin.egg-info"
    other.mkdir()
    (other / "entry_points.txt").write_text("[viloapp.plugins]\nx = y:Z\n")
    (other / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: my-other-plugin\nVersion: 2.0\n")
    plain = site / "rich-13.0.dist-info"
    plain.mkdir()
    (plain / "entry_points.txt").write_text("[console_scripts]\nviloapp.plugins = a:b\n")
    found = unmanaged([str(site), str(tmp_path / "nowhere"), str(site)])
    assert found == [("hello", "0.1.0"), ("my-other-plugin", "2.0")]


def test_the_first_on_the_path_wins(dist_info: InfoMaker, tmp_path: Path) -> None:
    """As in an import: a later folder's distribution of the same name is shadowed."""
    first = tmp_path / "first" / "hello-9.dist-info"
    first.mkdir(parents=True)
    assert unmanaged([str(first.parent), str(dist_info().parent)]) == []


def test_a_listing_pays_for_no_reader() -> None:
    """Importing the package and asking for unmanaged plugins leaves the expensive imports out."""
    code = (
        "import sys; from viloapp_core.manifest import unmanaged, PluginDescription; unmanaged()\n"
        "heavy = {'importlib_metadata', 'packaging', 'zipfile', 'email', 'msgpack',"
        " 'viloapp_sdk.manifest.fields'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert callable(manifest.unmanaged)
