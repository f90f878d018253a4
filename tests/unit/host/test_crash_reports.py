"""What is kept of a real plugin's end, and what is not."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.store import Store
from viloapp_core.store.crash_reports import CrashReports
from viloapp_sdk import __version__
from viloapp_sdk.errors import ViloError

Run = Callable[[Callable[[], Awaitable[None]]], None]

FRAIL = """
import os
import sys
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("frail.segfault")
    def segfault(self, password: str = ""):
        print("environment:", dict(os.environ))
        print("command line:", sys.argv, open("/proc/self/cmdline").read().split("\\0"))
        print("its last words", flush=True)
        import ctypes
        ctypes.string_at(0)

    @command("frail.exit")
    def exit(self):
        os._exit(7)
"""

BROKEN = """
from viloapp_sdk import Plugin

class P(Plugin):
    def initialize(self, context):
        raise RuntimeError("no luck today")
"""


async def reports(host: Host, plugin_id: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait until so many reports are there: they are written in a thread."""
    while len(found := host.crash_reports(plugin_id)) < count:
        await asyncio.sleep(0.01)
    return found


def test_a_report_says_what_ran_how_it_ended_and_of_which_versions(plant: Plant, run: Run) -> None:
    """With the stack of the fault and the last lines of the log."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(ViloError):
                await host.call("frail.segfault")
            (report,) = await reports(host, "frail")
            assert (report["plugin_id"], report["kind"]) == ("frail", "signal")
            assert report["exit"] == {"code": None, "signal": "SIGSEGV"}
            assert [row["call"] for row in report["running"]] == ["command frail.segfault"]
            assert "Fatal Python error: Segmentation fault" in report["traceback"]
            assert "segfault" in report["traceback"]
            assert any("its last words" in line for line in report["log"])
            versions = report["versions"]
            assert (versions["plugin"], versions["sdk"]) == ("1.0", __version__)
            assert versions["python"] == versions["host_python"] == sys.version.split()[0]
            assert report["was_ready"] is True

    run(test)


def test_no_secret_of_the_host_is_in_a_report(
    plant: Plant, run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its environment, its command line, or what a call was given; though the plugin prints all it has."""
    plant("frail", FRAIL)
    secrets = ("in-the-environment-1", "in-the-arguments-2", "in-the-call-3")
    monkeypatch.setenv("MY_TOKEN", secrets[0])
    monkeypatch.setattr(sys, "argv", [*sys.argv, secrets[1]])

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(ViloError):
                await host.call("frail.segfault", {"password": secrets[2]})
            await reports(host, "frail")

    run(test)
    written = [path.read_text() for path in (store.root / "plugins" / "frail" / "log").rglob("*.json")]
    assert written
    assert "environment:" in written[0]  # the plugin did print it
    assert [secret for secret in secrets for text in written if secret in text] == []


def test_a_start_that_fails_has_a_report(plant: Plant, run: Run) -> None:
    """With the traceback of the plugin's own code; nothing was under way but `initialize`."""
    plant("broken", BROKEN, activation_events=["onStartup"])

    async def test() -> None:
        async with Host(control=False) as host:
            report = (await reports(host, "broken"))[-1]
            assert (report["kind"], report["was_ready"]) == ("start", False)
            assert "no luck today" in report["error"]
            assert "RuntimeError: no luck today" in report["traceback"]

    run(test)


def test_the_newest_twenty_are_kept(tmp_path: Path) -> None:
    """Whatever fails how often; the folder is the user's alone."""
    from datetime import UTC, datetime

    kept = CrashReports(tmp_path)
    for number in range(25):
        kept.add({"error": str(number)}, datetime(2026, 1, 1, 0, 0, number, tzinfo=UTC))
    assert [report["error"] for report in kept.all()] == [str(number) for number in range(24, 4, -1)]
    latest = kept.latest()
    assert latest is not None
    assert latest["error"] == "24"
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert Path(latest["file"]).stat().st_mode & 0o777 == 0o600


def test_files_that_are_no_reports_are_left_out(tmp_path: Path) -> None:
    """Somebody may have put anything there; no report at all is an empty list."""
    kept = CrashReports(tmp_path)
    assert (kept.all(), kept.latest()) == ([], None)
    kept.folder.mkdir(parents=True)
    (kept.folder / "20260101T000000.000000Z.json").write_text("[")
    (kept.folder / "20260101T000001.000000Z.json").write_text(json.dumps([1]))
    (kept.folder / "notes.txt").write_text("x")
    assert kept.all() == []
