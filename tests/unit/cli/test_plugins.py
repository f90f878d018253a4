"""list, info, enable, disable, uninstall and install, as far as no index is asked."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.cli import confinement
from viloapp_core.cli.output import Output
from viloapp_core.host import SyncHost
from viloapp_core.sandbox import Probe
from viloapp_core.store import InstalledPlugin, Store

from .conftest import OnTerminal, Ran

Install = Callable[..., InstalledPlugin]
Viloapp = Callable[..., Ran]


def test_list_says_what_was_not_checked_and_what_confines(
    installed: Install, viloapp: Viloapp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table and the JSON have `signature` and `sandbox`; without a sandbox it says `none`."""
    installed()
    row = viloapp("list").out.splitlines()[1]
    assert row.split("  ")[0] == "hello"
    assert "UNSIGNED" in row
    monkeypatch.setattr("viloapp_core.cli.confinement.backend", lambda: "none")
    # With an option the whole command runs, which looks anew.
    assert viloapp("-q", "list").out.splitlines()[1].split()[-2:] == ["none", "-"]
    [plugin] = viloapp("-q", "list", "--json").json["plugins"]
    assert (plugin["id"], plugin["signature"], plugin["sandbox"]) == ("hello", "UNSIGNED", "none")


@pytest.mark.parametrize(
    ("allowed", "told"), [(False, "--allow-unsandboxed"), (True, "everything that you can")]
)
def test_a_missing_sandbox_is_said_plainly(allowed: bool, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` and `install` say where nothing confines a plugin, why, and what to do; elsewhere nothing."""
    stream = io.StringIO()
    output = Output(None, stream, {})
    missing = ("bwrap is not installed", "install bubblewrap")
    for found in (Probe("bubblewrap", "enforced", *missing), Probe("none", "none", *missing)):
        monkeypatch.setattr("viloapp_core.sandbox.probe", lambda found=found: found)
        confinement.warn_without(output, allowed=allowed)
    shown = stream.getvalue()
    assert shown.startswith("warning: sandbox: none (bwrap is not installed); plugins ")
    assert told in shown
    assert shown.endswith("install bubblewrap\n")


def test_list_shows_what_pip_installed_beside_the_core(
    tmp_path: Path, viloapp: Viloapp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a plugin is `not managed`, and its line names `viloapp install`."""
    info = tmp_path / "stray-2.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[viloapp.plugins]\nstray = stray:Stray\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    [row] = [line for line in viloapp("list").out.splitlines() if line.startswith("stray")]
    assert "not managed" in row
    assert "viloapp install stray" in row


def test_a_summary_cannot_command_the_terminal(installed: Install, viloapp: Viloapp) -> None:
    """Escape sequences of a plugin's author are spelt out."""
    installed(summary="\x1b[2J gone")
    assert r"summary: \x1b[2J gone" in viloapp("info", "hello").out


def test_info_json_is_flat_and_has_the_manifest(installed: Install, viloapp: Viloapp) -> None:
    """`info --json` has the schema of the output, and the manifest with its own."""
    installed(commands=[{"id": "hello.greet", "title": "Greet"}])
    shown = viloapp("info", "Hello", "--json").json
    assert (shown["schema"], shown["version"], shown["manifest"]["schema"]) == (1, "1.0", 1)
    assert shown["manifest"]["commands"][0]["id"] == "hello.greet"


def test_info_of_a_missing_wheel_is_one_line(tmp_path: Path, viloapp: Viloapp) -> None:
    """A wheel that is not there, and one that is no wheel, are refused without a traceback."""
    broken = tmp_path / "hello-1.0-py3-none-any.whl"
    assert viloapp("info", str(broken)).code == 1
    broken.write_bytes(b"not a zip")
    ran = viloapp("info", str(broken))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")


def test_disable_and_enable(installed: Install, store: Store, viloapp: Viloapp) -> None:
    """The reason is kept and shown; enabling forgets it."""
    installed()
    assert viloapp("disable", "hello", "--reason", "too loud").out == "disabled hello\n"
    assert viloapp("list").out.splitlines()[1].endswith("too loud")
    assert viloapp("enable", "hello", "--json").json == {"schema": 1, "plugins": ["hello"], "enabled": True}
    assert store.plugin("hello").enabled


def test_a_running_host_takes_a_change_at_once(installed: Install, store: Store, viloapp: Viloapp) -> None:
    """`disable` and `uninstall` reach the host of the store before they end."""
    installed(commands=[{"id": "hello.greet", "title": "Greet"}])
    with SyncHost(store.root) as host:
        assert [command["id"] for command in host.commands()] == ["hello.greet"]
        viloapp("disable", "hello")
        assert host.commands() == []
        viloapp("enable", "hello")
        assert [command["id"] for command in host.commands()] == ["hello.greet"]
        viloapp("uninstall", "hello")
        assert host.plugins() == []


def test_uninstall_keeps_what_was_stored(installed: Install, store: Store, viloapp: Viloapp) -> None:
    """The plugin goes, its data stays, and the place is told."""
    plugin = installed()
    (plugin.data_dir / "notes").write_text("mine")
    assert viloapp("uninstall", "hello", "--dry-run").out == "would remove hello 1.0\n"
    assert "hello" in store.plugins()
    ran = viloapp("uninstall", "hello")
    assert ran.out == "removed hello 1.0\n"
    assert str(plugin.data_dir) in ran.err
    assert (plugin.data_dir / "notes").read_text() == "mine"


def test_purge_needs_an_answer(installed: Install, store: Store, viloapp: Viloapp) -> None:
    """Where nobody can be asked, `--purge` needs `--yes`; then data goes too."""
    plugin = installed()
    (plugin.data_dir / "notes").write_text("mine")
    ran = viloapp("uninstall", "hello", "--purge")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert "hello" in store.plugins()
    assert viloapp("uninstall", "hello", "--purge", "--yes").code == 0
    assert not plugin.data_dir.exists()


@pytest.mark.parametrize(
    ("typed", "code", "stays"), [("y\n", 0, False), ("n\n", 1, True), ("\x03", 130, True), ("\x04", 1, True)]
)
def test_purge_asks_on_a_terminal(
    installed: Install,
    store: Store,
    on_terminal: Callable[..., OnTerminal],
    typed: str,
    code: int,
    stays: bool,
) -> None:
    """Yes deletes; no, Ctrl-C and Ctrl-D change nothing."""
    installed()
    command = on_terminal("uninstall", "hello", "--purge")
    command.until("stored? [y/N]")
    command.type(typed)
    assert command.end() == code, command.shown
    assert ("hello" in store.plugins()) is stays
    assert "Traceback" not in command.shown


@pytest.mark.parametrize(
    "specs",
    [
        ["./missing-1.0-py3-none-any.whl"],
        ["not a requirement!!"],
        ["--dev", "./nowhere"],
        ["./nowhere"],
        ["a @ https://example.invalid/a.whl"],
        ["./one.whl", "./two.whl"],
    ],
)
def test_install_refuses_bad_specs_in_clear_lines(specs: list[str], store: Store, viloapp: Viloapp) -> None:
    """Exit code 1, an `error:` line for each, and no store made for it."""
    ran = viloapp("install", *specs)
    assert (ran.code, ran.out) == (1, "")
    told = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(told) == len([spec for spec in specs if not spec.startswith("--")])
    assert not store.root.exists()


def test_install_without_a_spec_is_wrong_usage(viloapp: Viloapp) -> None:
    """Exit code 2."""
    assert viloapp("install").code == 2
