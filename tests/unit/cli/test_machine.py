"""status, doctor and completion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.host import SyncHost
from viloapp_core.store import InstalledPlugin, Store

from .conftest import Ran


def test_status_without_a_host(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """Every plugin is stopped, and the JSON says so."""
    installed()
    status = viloapp("status", "--json").json
    assert (status["running"], status["pid"]) == (False, None)
    assert [(plugin["id"], plugin["state"]) for plugin in status["plugins"]] == [("hello", "stopped")]


def test_status_with_a_host(
    installed: Callable[..., InstalledPlugin], store: Store, viloapp: Callable[..., Ran]
) -> None:
    """The host's process is named, and a disabled plugin is told with its reason."""
    installed()
    viloapp("disable", "hello", "--reason", "too loud")
    with SyncHost(store.root):
        shown = viloapp("status").out
    assert f"process {os.getpid()}" in shown
    assert shown.splitlines()[2].split()[:3] == ["hello", "1.0", "disabled"]
    assert "too loud" in shown


def test_status_has_the_same_fields_with_and_without_a_host(
    installed: Callable[..., InstalledPlugin], store: Store, viloapp: Callable[..., Ran]
) -> None:
    """A script need not know whether a host runs."""
    installed()
    without = viloapp("status", "--json").json
    with SyncHost(store.root):
        running = viloapp("status", "--json").json
    assert set(without) == set(running)
    assert set(running["plugins"][0]) <= set(without["plugins"][0])


def test_doctor_tries_what_it_reports(store: Store, viloapp: Callable[..., Ran]) -> None:
    """The store is written to and left clean; each finding has its state."""
    findings = {finding["check"]: finding for finding in viloapp("doctor", "--json").json["findings"]}
    assert findings["store"]["state"] == "ok"
    assert list(store.root.iterdir()) == []
    assert {finding["state"] for finding in findings.values()} <= {"ok", "limited", "failed"}


def test_doctor_fails_where_the_store_cannot_be(
    tmp_path: Path, viloapp: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the store should be is a finding and exit code 1, with the other checks done."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VILOAPP_HOME", str(tmp_path / "file" / "store"))
    ran = viloapp("doctor", "--json")
    findings = {finding["check"]: finding["state"] for finding in ran.json["findings"]}
    assert (ran.code, findings["store"], findings["python"]) == (1, "failed", "ok")


def _completed(line: str) -> list[str]:
    """Return what bash is offered for a line that ends where the cursor is."""
    ran = subprocess.run(
        [sys.executable, "-m", "viloapp_core.cli.main"],
        env={**os.environ, "_VILOAPP_COMPLETE": "bash_complete", "COMP_WORDS": line}
        | {"COMP_CWORD": str(len(line.split(" ")) - 1)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stderr == ""
    return [offer.partition(",")[2] for offer in ran.stdout.splitlines() if offer]


def test_completion_offers_commands_plugins_and_settings(installed: Callable[..., InstalledPlugin]) -> None:
    """Each place has its own words, from the store as it is."""
    installed(
        commands=[{"id": "hello.greet", "title": "Greet"}],
        configuration={"size": {"type": "integer", "default": 14}},
    )
    assert _completed("viloapp inst") == ["install"]
    assert {"run", "list", "info"} <= set(_completed("viloapp "))
    assert _completed("viloapp info he") == ["hello"]
    assert _completed("viloapp call hello.") == ["hello.greet"]
    assert _completed("viloapp config set hello.") == ["hello.size"]
    assert "core.theme" in _completed("viloapp config get core.")
    assert "--no-browser" in _completed("viloapp run --no")


def test_completion_never_prints_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that cannot be read offers nothing."""
    monkeypatch.setenv("VILOAPP_HOME", "relative")
    assert _completed("viloapp call hello.") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(viloapp: Callable[..., Ran], shell: str) -> None:
    """The script names the variable that makes `viloapp` answer; the shell parses it where there is one."""
    script = viloapp("completion", shell).out
    assert f"_VILOAPP_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, timeout=60, check=True)


def test_completion_for_another_shell_is_wrong_usage(viloapp: Callable[..., Ran]) -> None:
    """Exit code 2."""
    assert viloapp("completion", "tcsh").code == 2
