"""`viloapp bisect`, with starts that take no time; what a real start finds is in e2e."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.foundation.files import read_json
from viloapp_core.host import SyncHost
from viloapp_core.store import InstalledPlugin, Store

from .conftest import OnTerminal, Ran

Install = Callable[..., InstalledPlugin]


@pytest.fixture
def fails_with(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a command which fails where all of some plugins may run."""

    def write(*plugins: str, code: int = 1) -> str:
        script = tmp_path / "start"
        lines = [f'case ",$VILOAPP_ONLY," in *,{plugin},*) ;; *) exit 0 ;; esac' for plugin in plugins]
        script.write_text("\n".join(["#!/bin/sh", *lines, "echo it broke", f"exit {code}"]))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return str(script)

    return write


@pytest.fixture
def eight(installed: Install) -> list[str]:
    """Eight enabled plugins."""
    return [installed(f"plugin-{letter}").plugin_id for letter in "abcdefgh"]


def test_one_culprit_is_found_and_what_to_do(
    viloapp: Callable[..., Ran], store: Store, eight: list[str], fails_with: Callable[..., str]
) -> None:
    """Each start is told, the command's output too; the store's state is never touched."""
    state = read_json(store.layout.state)
    ran = viloapp("bisect", "--run", fails_with("plugin-f"))
    assert (ran.code, ran.out) == (0, "plugin-f breaks a start; use: viloapp disable plugin-f\n")
    assert "start 1, with all plugins\n  | it broke\n  bad\nstart 2, with no plugin\n  good\n" in ran.err
    assert read_json(store.layout.state) == state


def test_two_that_fail_only_together(
    viloapp: Callable[..., Ran], eight: list[str], fails_with: Callable[..., str]
) -> None:
    """Both are named, and JSON says the same."""
    ran = viloapp("bisect", "--json", "--run", fails_with("plugin-b", "plugin-g"))
    assert ran.json["culprits"] == ["plugin-b", "plugin-g"]
    assert (ran.json["outcome"], ran.json["todo"]) == ("found", "viloapp disable plugin-b")


@pytest.mark.parametrize(
    ("culprits", "code", "says"),
    [
        ([], 1, "it fails with no plugin at all"),
        (["another"], 1, "it is good with all plugins"),
        ([], 125, "it cannot be said"),
        ([], 127, "cannot be run: exit code 127"),
    ],
)
def test_what_is_no_plugins_fault_is_said(
    viloapp: Callable[..., Ran],
    eight: list[str],
    fails_with: Callable[..., str],
    culprits: list[str],
    code: int,
    says: str,
) -> None:
    """Exit code 1 with what to do instead."""
    ran = viloapp("bisect", "--run", fails_with(*culprits, code=code))
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err


def test_a_start_that_takes_too_long_is_bad(viloapp: Callable[..., Ran], installed: Install) -> None:
    """It is ended, and so is what hangs with no plugin."""
    installed("hello")
    hangs = 'case "$VILOAPP_ONLY" in hello) exec sleep 600 ;; esac'
    ran = viloapp("bisect", "--timeout", "0.3", "--run", "sh", "-c", hangs)
    assert ran.out == "hello breaks a start; use: viloapp disable hello\n"


def test_what_cannot_begin_is_refused(viloapp: Callable[..., Ran], store: Store, installed: Install) -> None:
    """Nobody to ask, no plugin, a host that runs, a command without --run: one line each."""
    assert "no plugin is enabled" in viloapp("bisect", "--auto").err
    installed("hello")
    assert "use --auto, or --run COMMAND" in viloapp("bisect").err
    assert viloapp("bisect", "true").code == viloapp("bisect", "--run").code == 2
    assert "cannot be run" in viloapp("bisect", "--run", "/nowhere/at/all").err
    with SyncHost(store.root):
        assert "ViloApp runs on this store" in viloapp("bisect", "--auto").err


def test_a_plugin_that_cannot_start_is_found_by_itself(
    viloapp: Callable[..., Ran], installed: Install
) -> None:
    """These have no code, so that each fails: the first is found, with what it said."""
    installed("hello")
    ran = viloapp("bisect", "--auto", "--json", "--allow-unsandboxed")
    assert ran.json["culprits"] == ["hello"]
    assert ran.json["reasons"]["hello"]


def test_a_person_judges_each_start(
    on_terminal: Callable[..., OnTerminal], installed: Install, tmp_path: Path, store: Store
) -> None:
    """The workspace is started with some of the plugins, and ended with the answer; `q` breaks off."""
    pytest.importorskip("starlette", reason="the extra `app` is not installed")
    installed("hello")
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    # The workspace that bisect starts has this clone's page, which need not be built.
    (tmp_path / "sitecustomize.py").write_text(
        "from pathlib import Path\nimport viloapp_core.web.server as server\n"
        f"server.bundle = lambda: Path({str(page)!r})\n"
    )
    command = on_terminal("bisect", "--no-browser", PYTHONPATH=str(tmp_path))
    command.until("with all plugins")
    command.until("http://")
    command.until("[q]uit")
    command.type("bad\n")
    command.until("with no plugin")
    command.shown = ""
    command.until("http://")
    command.until("[q]uit")
    command.type("g\n")
    command.until("hello breaks a start; use: viloapp disable hello")
    assert command.end() == 0
    assert not (store.root / "host.json").exists()
