"""status, doctor and completion."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.cli.status import TOKEN_FILE
from viloapp_core.host import SyncHost
from viloapp_core.store import InstalledPlugin, Store
from viloapp_core.web import openmetrics

from .conftest import OnTerminal, Ran


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


MEASURED = {
    "startup_time",
    "memory_usage_mb",
    "cpu_percent",
    "command_count",
    "command_avg_time",
    "error_count",
    "last_error",
    "active_time",
    "resource_violations",
}


def test_status_as_json_has_the_names_of_the_specification(
    installed: Callable[..., InstalledPlugin], store: Store, viloapp: Callable[..., Ran]
) -> None:
    """With a host and without, of every plugin, and a schema."""
    installed()
    with SyncHost(store.root):
        running = viloapp("status", "--json").json
    for status in (running, viloapp("status", "--json").json):
        assert status["schema"] == 1
        assert set(status["plugins"][0]) >= MEASURED
    info = viloapp("info", "hello", "--json").json
    assert info["metrics"] == {}


def test_watching_into_a_pipe_prints_one_table_after_the_other(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """Plain lines; with `--json` an object a line."""
    installed()
    shown = viloapp("status", "--watch", "--interval", "0.2", "--count", "2").out.splitlines()
    assert [line.split()[0] for line in shown] == ["ViloApp", "PLUGIN", "hello"] * 2
    looks = viloapp("status", "--watch", "--interval", "0.2", "--count", "2", "--json").out.splitlines()
    assert [json.loads(line)["plugins"][0]["id"] for line in looks] == ["hello", "hello"]


def test_watching_on_a_terminal_draws_in_one_place(
    installed: Callable[..., InstalledPlugin], on_terminal: Callable[..., OnTerminal]
) -> None:
    """The second table goes over the first; Ctrl-C ends it and gives the cursor back."""
    installed()
    command = on_terminal("status", "--watch", "--interval", "0.2", COLUMNS="80")
    command.until("hello")
    command.until("\x1b[1A")  # up again, to draw over it
    assert "\x1b[?25l" in command.shown
    command.type("\x03")
    assert command.end() == 130
    assert command.shown.rstrip().endswith("\x1b[?25h")
    assert max(map(len, command.shown.split("\r\n"))) < 200


def test_without_a_workspace_there_are_no_metrics_to_scrape(viloapp: Callable[..., Ran]) -> None:
    """One line that says what to do; the name of the token's file is the server's."""
    ran = viloapp("status", "--metrics-url")
    assert (ran.code, ran.out) == (1, "")
    assert "viloapp run" in ran.err
    assert TOKEN_FILE == openmetrics.TOKEN_FILE


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "1e300"])
def test_an_interval_that_cannot_be_waited_for_is_refused(viloapp: Callable[..., Ran], interval: str) -> None:
    """One line and exit code 2."""
    ran = viloapp("status", "--watch", "--interval", interval, "--count", "1")
    assert ran.code == 2
    assert "--interval" in ran.err


@pytest.mark.parametrize(
    "command",
    [
        ("call", "hello.greet", "--timeout"),
        ("bisect", "--auto", "--timeout"),
        ("profile", "hello", "--seconds"),
    ],
)
@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300"])
def test_times_that_no_timer_takes_are_refused(
    viloapp: Callable[..., Ran], command: tuple[str, ...], seconds: str
) -> None:
    """A mistake in the command line, found before anything is looked up or started."""
    ran = viloapp(*command, seconds)
    assert ran.code == 2
    assert command[-1] in ran.err


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
