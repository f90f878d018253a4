"""The two first-party plugins without a page: called from a shell, updated, disabled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp, eventually

PLUGINS = ("viloxterm", "viloedit")


@pytest.fixture
def app(shared: Viloapp) -> Iterator[Viloapp]:
    """A store with both, enabled."""
    yield shared
    shared("enable", "viloxterm")


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() != b""


def test_shell_is_the_persons_and_not_in_the_sandbox(app: Viloapp, folder: Path) -> None:
    """The terminal runs on the host, in the folder that was asked for, and ends with its tab."""
    (folder / "sub").mkdir()
    with app.workspace(folder):
        made = app.call("viloxterm.new", cwd="sub", name="mine")
        assert (made["title"], made["alive"]) == ("mine", True)
        assert Path(f"/proc/{made['pid']}/cwd").resolve() == folder / "sub"
        assert Path(f"/proc/{made['pid']}/ns/pid").readlink() == Path("/proc/self/ns/pid").readlink()
        app.call("viloxterm.close", terminal=made["terminal"])
        eventually(lambda: not _lives(made["pid"]), within_s=10, what="the shell is gone")
        assert app.call("viloxterm.list") == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_shells_end_with_the_host(app: Viloapp, folder: Path, end: str) -> None:
    """Neither a clean end nor `kill -9` leaves a shell behind."""
    with app.workspace(folder) as workspace:
        made = app.call("viloxterm.new")
        getattr(workspace, end)()
        eventually(lambda: not _lives(made["pid"]), within_s=5, what="the shell is gone")


def test_shells_end_when_their_plugin_is_disabled(app: Viloapp, folder: Path) -> None:
    """A plugin that may no longer run keeps no terminal."""
    with app.workspace(folder):
        made = app.call("viloxterm.new")
        app("disable", "viloxterm").ok()
        eventually(lambda: not _lives(made["pid"]), within_s=10, what="the shell is gone")
        app("enable", "viloxterm").ok()
        assert app.call("viloxterm.list") == []


def test_shell_survives_an_update_of_its_plugin(app: Viloapp, folder: Path) -> None:
    """A new generation of viloxterm takes the tab over, with the shell that runs in it."""
    with app.workspace(folder):
        made = app.call("viloxterm.new", name="work")
        app("install", "--yes", *UNSIGNED, "--force-reinstall", "viloxterm").ok()
        after = app.call("viloxterm.list")
        assert _lives(made["pid"])
        assert [(each["pid"], each["title"]) for each in after] == [(made["pid"], "work")]


def test_profile_of_the_settings(app: Viloapp, folder: Path) -> None:
    """A profile's program, arguments and variables are what runs."""
    marked = {"shell": "/bin/sh", "args": ["-c", "echo $MARK > mark; exec cat"], "env": {"MARK": "here"}}
    with app.workspace(folder):
        app("config", "set", "viloxterm.profiles", json.dumps({"marked": marked})).ok()
        app.call("viloxterm.new", profile="marked")
        eventually(lambda: (folder / "mark").exists() and (folder / "mark").read_text() == "here\n")
        assert "marked" in app("call", "viloxterm.new", '{"profile": "markd"}').refused(1)
        app("config", "unset", "viloxterm.profiles").ok()


def test_editor_saves_in_the_folder_and_nowhere_else(app: Viloapp, folder: Path) -> None:
    """The sandbox lets the editor's process write the workspace folder; a path that leads out is refused."""
    (folder / "a.txt").write_text("one\n")
    (folder / "a.txt").chmod(0o640)
    with app.workspace(folder):
        app.call("viloedit.open", path="a.txt")
        made = app.call("viloedit.new", text="new\n")
        assert app.call("viloedit.save", path="b.txt", instance=made["instance"]) == {
            "path": "b.txt",
            "bytes": 4,
        }
        assert (folder / "b.txt").read_text() == "new\n"
        for path in ("../outside.txt", "/etc/passwd", str(app.store / "index.json")):
            assert "outside" in app("call", "viloedit.open", f'{{"path": "{path}"}}').refused(1)
        (folder / "way-out").symlink_to("/etc")
        assert "outside" in app("call", "viloedit.open", '{"path": "way-out/passwd"}').refused(1)


def test_editor_of_another_folder_sees_that_folder(app: Viloapp, folder: Path, tmp_path: Path) -> None:
    """Each run of the workspace has its own folder in the editor's sandbox."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.txt").write_text("b\n")
    (folder / "a.txt").write_text("a\n")
    with app.workspace(folder):
        assert app.call("viloedit.open", path="a.txt")["path"] == "a.txt"
    with app.workspace(other):
        assert app.call("viloedit.open", path="b.txt")["path"] == "b.txt"
        assert "outside" in app("call", "viloedit.open", f'{{"path": "{folder}/a.txt"}}').refused(1)
