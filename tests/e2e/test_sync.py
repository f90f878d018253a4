"""One lock makes machines equal: `viloapp lock` here, `viloapp sync` there."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.index import Index
from tests.fixtures.wheels import PROJECTS, forge


@pytest.fixture
def other(make_app: MakeApp, tmp_path: Path) -> Viloapp:
    """Another machine."""
    return make_app(tmp_path / "other")


def test_a_fleet_is_kept_equal(
    app: Viloapp, other: Viloapp, wheel_folder: Path, wheels: dict[str, Path], tmp_path: Path
) -> None:
    """Added, switched and removed, from an index and from the core; then both write the same lock."""
    lock, second = tmp_path / "viloapp.lock", tmp_path / "second.lock"
    with Index(wheel_folder) as index:
        app(
            "install", "--yes", *UNSIGNED, "--index-url", index.url, "hello>=0.1", "viloxterm", "async-hello"
        ).ok()
        app("disable", "viloxterm").ok()
        app("lock", "-o", lock).ok()
        assert "add hello 0.1.0" in other("sync", "--check", lock).out
        assert other("sync", "--check", lock).code == 1
        other("sync", "--dry-run", lock).ok()
        assert other.plugins() == {}
        other("sync", "--yes", *UNSIGNED, "--index-url", index.url, lock).ok()
    assert other("sync", "--check", lock).ok().out == ""
    other("lock", "-o", second).ok()
    assert second.read_bytes() == lock.read_bytes()
    assert other.call("hello.greet") == "Hello, world!"
    assert other.plugins()["viloxterm"]["enabled"] is False

    assert other.call("hello.remember", text="kept") == 1
    app("uninstall", "hello").ok()
    app("install", "--yes", *UNSIGNED, wheels["floods_stdout"]).ok()
    app("lock", "-o", lock).ok()
    found = {
        item["plugin_id"]: item["change"]
        for item in other("sync", "--dry-run", "--json", lock).json()["differences"]
    }
    assert found == {"hello": "remove", "floods-stdout": "add"}
    assert "--find-links" in other("sync", "--yes", *UNSIGNED, "--offline", lock).refused(1)
    assert set(other.plugins()) == {"hello", "viloxterm", "async-hello"}
    other("sync", "--yes", *UNSIGNED, "--offline", "--find-links", wheel_folder, lock).ok()
    assert set(other.plugins()) == {"floods-stdout", "viloxterm", "async-hello"}
    assert (other.store / "plugins/hello/data").is_dir()


def test_a_running_workspace_takes_the_change(
    app: Viloapp, other: Viloapp, wheels: dict[str, Path], wheel_folder: Path, tmp_path: Path
) -> None:
    """Commands of what comes are there at once, those of what goes are gone."""
    lock = tmp_path / "viloapp.lock"
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    app("lock", "-o", lock).ok()
    other("install", "--yes", *UNSIGNED, wheels["async_hello"]).ok()
    with other.workspace(tmp_path / "folder"):
        other("sync", "--yes", *UNSIGNED, "--find-links", wheel_folder, lock).ok()
        assert other.call("hello.greet") == "Hello, world!"
        states = {item["id"] for item in other("status", "--json").json()["plugins"]}
        assert states == {"hello"}


def test_a_killed_sync_is_finished_by_the_next(
    app: Viloapp, other: Viloapp, wheel_folder: Path, tmp_path: Path
) -> None:
    """Wherever it was killed, the store is usable and the next one makes it equal."""
    old, new = tmp_path / "old.lock", tmp_path / "new.lock"
    app("install", "--yes", *UNSIGNED, "--find-links", wheel_folder, "hello", "async-hello").ok()
    app("lock", "-o", old).ok()
    app("uninstall", "hello").ok()
    app("install", "--yes", *UNSIGNED, "viloedit", "viloxterm").ok()
    app("lock", "-o", new).ok()
    options: list[str | Path] = ["sync", "--yes", *UNSIGNED, "--offline", "--find-links", wheel_folder]
    other("sync", "--yes", *UNSIGNED, "--find-links", wheel_folder, old).ok()
    other("sync", "--yes", *UNSIGNED, "--find-links", wheel_folder, new).ok()
    for number in range(8):
        wanted = (old, new)[number % 2]
        process = other.start(*options, wanted)
        time.sleep(0.15 + number * 0.12)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for plugin in other.plugins().values():
            assert plugin["enabled"], plugin
        other(*options, wanted).ok()
        assert other("lock", "-o", "-").ok().out.encode() == wanted.read_bytes()
        assert list((other.store / "journal").iterdir()) == []


def test_other_bytes_under_the_same_name_are_refused(
    app: Viloapp, other: Viloapp, wheel_folder: Path, tmp_path: Path
) -> None:
    """An index that serves another wheel of the locked name and version changes nothing."""
    lock, folder = tmp_path / "viloapp.lock", tmp_path / "served"
    forge(folder, "dep-of-mine", "1", {"dep_of_mine.py": ""})
    shutil.copy(wheel_folder / "hello-0.1.0-py3-none-any.whl", folder)
    app("install", "--yes", *UNSIGNED, "--find-links", folder, "hello").ok()
    app("lock", "-o", lock).ok()
    forge(folder, "hello", "0.1.0", {"hello.py": "evil = True"})
    other("list").ok()
    with Index(folder) as index:
        refused = other("sync", "--yes", *UNSIGNED, "--index-url", index.url, lock).refused(1)
    assert "hello" in refused
    assert other.plugins() == {}


def test_a_dev_installation_cannot_be_locked(app: Viloapp, tmp_path: Path) -> None:
    """It is named, with what to do instead; no file is written."""
    source = Path(shutil.copytree(PROJECTS / "hello", tmp_path / "hello"))
    app("install", "--yes", *UNSIGNED, "--dev", source).ok()
    refused = app("lock", "-o", tmp_path / "viloapp.lock").refused(1)
    assert "hello is installed from" in refused
    assert "viloapp package" in refused
    assert not (tmp_path / "viloapp.lock").exists()


def test_every_fault_of_a_lock_is_told(app: Viloapp, wheels: dict[str, Path], tmp_path: Path) -> None:
    """A file that a person edited says where it is wrong; a missing one is said so."""
    lock = tmp_path / "viloapp.lock"
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    printed = app("lock", "-o", "-").ok().out
    lock.write_text(printed.replace('python = "3', 'python = "2').replace("enabled = true", "enabled = 1"))
    assert "plugins[0].enabled" in app("sync", lock).refused(1)
    assert "cannot be read" in app("sync", tmp_path / "none").refused(1)
    assert set(app.plugins()) == {"hello"}
