"""Installing, listing, describing, removing: what lands in a store and how it is told."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.index import Index
from tests.fixtures.wheels import PROJECTS


def test_requirement_from_an_index(app: Viloapp, wheel_folder: Path) -> None:
    """`hello>=0.1` is found on the index that is named, installed, listed and called."""
    with Index(wheel_folder) as index:
        out = app("install", "--yes", *UNSIGNED, "--index-url", index.url, "hello>=0.1").ok()
    assert "hello" in index.asked
    assert "signature: UNSIGNED" in out.out
    listed = app.plugins()["hello"]
    assert (listed["version"], listed["source"], listed["signature"]) == ("0.1.0", "index", "UNSIGNED")
    assert app.call("hello.greet", name="you") == "Hello, you!"


def test_find_links_and_offline(app: Viloapp, wheel_folder: Path) -> None:
    """Without a network, what is in a folder and what was fetched before is enough."""
    app("install", "--yes", *UNSIGNED, "--find-links", wheel_folder, "hello").ok()
    app("uninstall", "--yes", "hello")
    dead = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    app("install", "--yes", *UNSIGNED, "--offline", "--find-links", wheel_folder, "hello", environ=dead).ok()
    assert app.call("hello.greet") == "Hello, world!"


def test_offline_needs_nothing_but_what_was_fetched(app: Viloapp, wheel_folder: Path) -> None:
    """A second installation comes from the store's own archives."""
    app("install", "--yes", *UNSIGNED, "--find-links", wheel_folder, "hello").ok()
    app("uninstall", "hello").ok()
    app("install", "--yes", *UNSIGNED, "--offline", "hello").ok()
    assert app.call("hello.greet") == "Hello, world!"


def test_first_party_plugins_come_from_the_core(app: Viloapp) -> None:
    """`viloapp install viloxterm viloedit` needs no index at all for our own names."""
    app("install", "--yes", *UNSIGNED, "viloxterm", "viloedit").ok()
    plugins = app.plugins()
    assert {plugins["viloxterm"]["version"], plugins["viloedit"]["version"]} == {"0.1.0"}


def test_a_plugin_lives_in_its_own_virtualenv_and_sandbox(app: Viloapp, wheels: dict[str, Path]) -> None:
    """The code runs in the generation's own environment, with little of the person's around it."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    where = app.call("hello.where")
    assert where["prefix"].startswith(str(app.store / "plugins/hello/generations"))
    assert where["sdk_file"].startswith(where["prefix"])
    assert where["sdk"] == "1.0.0"
    assert not {"VILOAPP_HOME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR"} & set(where["environment"])
    assert app.plugins()["hello"]["sandbox"] == "bubblewrap"


def test_info_shows_the_manifest_of_a_wheel_and_of_an_installed_plugin(
    app: Viloapp, wheels: dict[str, Path]
) -> None:
    """Commands, widgets and settings are there before anything is installed, and the same afterwards."""
    before = app("info", wheels["hello"], "--json").json()
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    after = app("info", "hello", "--json").json()
    assert before["manifest"] == after["manifest"]
    manifest = before["manifest"]
    greet = next(command for command in manifest["commands"] if command["id"] == "hello.greet")
    assert greet["parameters"] == [{"name": "name", "type": "string", "required": False, "default": "world"}]
    assert manifest["configuration"]["greeting"]["default"] == "Hello"
    assert manifest["widgets"][0]["kind"] == "text"


def test_info_runs_no_code(app: Viloapp, tmp_path: Path, wheels: dict[str, Path]) -> None:
    """A module that leaves a trace when it is imported leaves none."""
    listed = app("info", wheels["imports_missing_module"], "--json").json()  # it could not be imported
    assert listed["manifest"]["commands"][0]["id"] == "missing.never"


def test_enable_and_disable(app: Viloapp, wheels: dict[str, Path]) -> None:
    """A disabled plugin stays installed, its commands are gone, and `list` says why."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    app("disable", "hello").ok()
    listed = app.plugins()["hello"]
    assert listed["enabled"] is False
    assert listed["reason"]
    assert "hello" in app("call", "hello.greet").refused(1)
    app("enable", "hello").ok()
    assert app.call("hello.greet") == "Hello, world!"


def test_uninstall_keeps_data_unless_purged(app: Viloapp, wheels: dict[str, Path]) -> None:
    """What the plugin wrote is there again after a new installation; `--purge` removes it."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    assert app.call("hello.remember", text="one") == 1
    app("uninstall", "hello").ok()
    assert app.plugins() == {}
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    assert app.call("hello.remember", text="two") == 2
    app("uninstall", "--purge", "--yes", "hello").ok()
    assert not (app.store / "plugins/hello").exists()


def test_dry_run_changes_nothing(app: Viloapp, wheels: dict[str, Path]) -> None:
    """It says what would be done, and the store stays as it was."""
    app("list").ok()
    before = app.snapshot()
    out = app("install", "--yes", *UNSIGNED, "--dry-run", wheels["hello"]).ok()
    assert "hello" in out.out + out.err
    assert app.snapshot() == before
    assert app.plugins() == {}


def test_directory_with_dev_runs_from_where_it_is(app: Viloapp, tmp_path: Path) -> None:
    """An edit of the source shows at the next start, without installing again; `list` says `dev`."""
    source = Path(shutil.copytree(PROJECTS / "hello", tmp_path / "hello"))
    app("install", "--yes", *UNSIGNED, "--dev", source).ok()
    assert app.plugins()["hello"]["source"] == "dev"
    assert app.call("hello.greet") == "Hello, world!"
    module = source / "hello.py"
    module.write_text(module.read_text().replace("{name}!", "dear {name}!"))
    assert app.call("hello.greet") == "Hello, dear world!"


def test_directory_without_dev_is_explained(app: Viloapp) -> None:
    """A folder needs `--dev`, and the error says so."""
    assert "--dev" in app("install", "--yes", *UNSIGNED, PROJECTS / "hello").refused()


def test_dependency_does_not_become_the_plugin(app: Viloapp, wheel_folder: Path) -> None:
    """A library that advertises an entry point beside the plugin's own is only a library."""
    app("install", "--yes", *UNSIGNED, "--find-links", wheel_folder, "dependency-with-entry-point").ok()
    assert app.call("rightful.who") == "the plugin itself"
    assert set(app.plugins()) == {"dependency-with-entry-point"}
    assert "impostor.who" in app("call", "impostor.who").refused(1)


def test_pip_installed_plugin_is_not_managed(app: Viloapp, wheels: dict[str, Path], tmp_path: Path) -> None:
    """A plugin wheel installs with plain pip too; beside the core it is listed, and never loaded."""
    beside = tmp_path / "beside"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.run([*pip, "--target", beside, wheels["hello"]], check=True, stdin=subprocess.DEVNULL)
    environ = {"PYTHONPATH": str(beside)}
    text = app("list", environ=environ).ok()
    assert "not managed" in text.out
    assert "viloapp install" in text.out + text.err
    refused = app("call", "hello.greet", environ=environ).refused(1)
    assert "hello.greet" in refused


def test_a_terminal_gets_a_progress_bar_and_a_pipe_plain_lines(app: Viloapp, wheels: dict[str, Path]) -> None:
    """On a terminal a line is redrawn; otherwise there is no control sequence at all."""
    piped = app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    assert "\x1b" not in piped.err + piped.out
    assert piped.err.strip()
    master, slave = pty.openpty()
    process = app.start("install", "--yes", *UNSIGNED, "--force-reinstall", wheels["hello"], stderr=slave)
    os.close(slave)
    drawn = b""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if select.select([master], [], [], 1)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            drawn += data
    os.close(master)
    process.communicate(timeout=90)
    assert process.returncode == 0
    assert b"\x1b[" in drawn


def test_configuration_is_checked_and_reaches_the_plugin(app: Viloapp, wheels: dict[str, Path]) -> None:
    """`config` knows the declared settings, refuses what does not fit, and the plugin reads the value."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    assert json.loads(app("config", "get", "hello.greeting", "--json").ok().out)["value"] == "Hello"
    app("config", "set", "hello.greeting", "Good day").ok()
    assert app.call("hello.greet") == "Good day, world!"
    assert "hello.greeting" in app("config", "list").ok().out
    assert "greeting" in app("config", "set", "hello.greetin", "x").refused()
    app("config", "unset", "hello.greeting").ok()
    assert app.call("hello.greet") == "Hello, world!"


def test_data_and_messages_do_not_mix(app: Viloapp, wheels: dict[str, Path]) -> None:
    """Standard output is exactly one JSON value, whatever is said meanwhile."""
    out = app("install", "--yes", *UNSIGNED, "--json", wheels["hello"]).ok()
    assert json.loads(out.out)["schema"] == 1
    quiet = app("-q", "install", "--yes", *UNSIGNED, "--force-reinstall", wheels["hello"]).ok()
    assert quiet.err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_every_shell(app: Viloapp, shell: str) -> None:
    """The script of each shell is printed."""
    assert "viloapp" in app("completion", shell).ok().out
