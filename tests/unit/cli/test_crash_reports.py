"""Crash reports on the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from viloapp_core.store import InstalledPlugin
from viloapp_core.store.crash_reports import CrashReports

from .conftest import Ran

REPORT = {
    "schema": 1,
    "plugin_id": "hello",
    "at": "2026-01-01T00:00:00.000+00:00",
    "kind": "signal",
    "error": "killed by SIGSEGV\x1b[2J",
    "exit": {"code": None, "signal": "SIGSEGV"},
    "running": [{"call": "command hello.greet", "for_s": 0.25}],
    "was_ready": True,
    "lived_s": 3.5,
    "versions": {"plugin": "1.0", "sdk": "1.0.0", "python": "3.11.7"},
    "traceback": "Fatal Python error: Segmentation fault",
    "log": ["its last words"],
}


@pytest.fixture
def crashed(installed: Callable[..., InstalledPlugin]) -> InstalledPlugin:
    """A plugin that failed twice."""
    plugin = installed()
    reports = CrashReports(plugin.log_dir)
    for second in (1, 2):
        reports.add({**REPORT, "lived_s": second}, datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC))
    return plugin


def test_crashes_are_listed_newest_first_and_shown(
    crashed: InstalledPlugin, viloapp: Callable[..., Ran]
) -> None:
    """A name of the list, or the latest; nothing of a plugin's moves the cursor."""
    rows = viloapp("logs", "hello", "--crashes").out.splitlines()
    assert [row.split()[0] for row in rows] == ["NAME", "20260101T000002.000000Z", "20260101T000001.000000Z"]
    shown = viloapp("logs", "hello", "--crash", "latest").out
    assert shown == viloapp("logs", "hello", "--crash", "20260101T000002.000000Z").out
    for text in (
        "SIGSEGV",
        "running: command hello.greet, for 250 ms",
        "Segmentation fault",
        "its last words",
    ):
        assert text in shown
    assert "\x1b" not in "".join(rows) + shown


@pytest.mark.parametrize("lived", [10**400, float("nan"), -1, "long", None])
def test_a_damaged_report_is_shown(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran], lived: object
) -> None:
    """A number that no clock gives is an unknown time."""
    CrashReports(installed().log_dir).add({**REPORT, "lived_s": lived}, datetime(2026, 1, 1, tzinfo=UTC))
    assert "after an unknown time" in viloapp("logs", "hello", "--crash", "latest").out


def test_crashes_as_json(crashed: InstalledPlugin, viloapp: Callable[..., Ran]) -> None:
    """All of them, or one; `info` names the last."""
    listed = viloapp("logs", "hello", "--crashes", "--json").json["crashes"]
    assert [report["lived_s"] for report in listed] == [2, 1]
    one = viloapp("logs", "hello", "--crash", listed[1]["name"], "--json").json
    assert (one["schema"], one["crash"]["lived_s"]) == (1, 1)
    assert viloapp("info", "hello", "--json").json["last_crash"]["file"] == listed[0]["file"]
    assert "last_crash" in viloapp("info", "hello").out


def test_a_plugin_without_crashes(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """An empty list; a name that is none is refused in one line, and so is a path."""
    installed()
    assert viloapp("logs", "hello", "--crashes").out == ""
    assert viloapp("logs", "hello", "--crashes", "--json").json["crashes"] == []
    for name in ("latest", "../../state"):
        ran = viloapp("logs", "hello", "--crash", name)
        assert (ran.code, ran.out) == (1, "")
        assert f"no crash report {name}" in ran.err
    assert viloapp("info", "hello", "--json").json["last_crash"] is None


def test_a_log_as_json(installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]) -> None:
    """Its last lines; following has no end, and so no object."""
    plugin = installed()
    plugin.log_dir.mkdir(parents=True, exist_ok=True)
    (plugin.log_dir / "worker.log").write_text("one\ntwo\n")
    assert viloapp("logs", "hello", "--json", "-n", "1").json["lines"] == ["two"]
    assert viloapp("logs", "hello", "--json", "--follow").code == 2
