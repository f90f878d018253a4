"""What happens when processes end that should not have: nothing is left over, and the rest goes on."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.harness import Viloapp, command_lines, eventually

PLUGINS = (
    "hello",
    "busy_forever",
    "setsid_grandchild",
    "exits_in_call",
    "ignores_sigterm",
    "hangs_on_start",
    "raises_in_initialize",
    "raises_in_call",
    "imports_missing_module",
    "prints_to_stdout",
    "floods_stdout",
)


def _worker(app: Viloapp, plugin: str) -> int:
    """Return the process of a plugin's running worker, as `status` tells it."""
    states = {each["id"]: each for each in app("status", "--json").json()["plugins"]}
    assert states[plugin]["state"] == "running"
    return int(states[plugin]["pid"])


def test_killed_host_leaves_no_process(shared: Viloapp, folder: Path) -> None:
    """Within 2 s of `kill -9` there is no worker, nor the setsid grandchild of one that is busy."""
    marker = str(secrets.randbelow(10**9) + 10**6)
    with shared.workspace(folder) as workspace:
        shared.call("hello.greet")
        busy = shared.start("call", "setsid.spin", f'{{"marker": "{marker}"}}')
        eventually(lambda: command_lines(f"sleep {marker}"), what="the grandchild runs")
        assert shared.processes()
        workspace.kill()
        began = time.monotonic()
        eventually(
            lambda: not shared.processes() and not command_lines(f"sleep {marker}"),
            within_s=2,
            what="no worker and no grandchild is alive",
        )
        assert time.monotonic() - began < 2
        out, err = busy.communicate(timeout=30)
        assert busy.returncode == 1, out
        assert "Traceback" not in err
    assert shared.call("hello.greet") == "Hello, world!"  # what the killed host left is no obstacle


def test_host_that_ends_takes_grandchildren_along(shared: Viloapp, folder: Path) -> None:
    """A plugin's daemon does not outlive a clean end either."""
    marker = str(secrets.randbelow(10**9) + 10**6)
    with shared.workspace(folder) as workspace:
        shared.call("setsid.start", marker=marker)
        assert command_lines(f"sleep {marker}")
        workspace.stop()
        eventually(lambda: not command_lines(f"sleep {marker}"), within_s=2)


def test_killed_worker_is_told_and_replaced(shared: Viloapp, folder: Path) -> None:
    """The host goes on, says what happened, and the next call works, in a new process."""
    with shared.workspace(folder) as workspace:
        assert shared.call("hello.count") == 1
        os.kill(_worker(shared, "hello"), signal.SIGKILL)
        states = eventually(
            lambda: [
                each
                for each in shared("status", "--json").json()["plugins"]
                if each["id"] == "hello" and each["state"] != "running"
            ],
            within_s=15,
            what="the host notices",
        )
        assert "SIGKILL" in states[0]["detail"] or "killed" in states[0]["detail"]
        assert workspace.alive()
        assert shared.call("hello.count") == 1


@pytest.mark.parametrize(("command", "says"), [("exits.at_once", "3"), ("exits.by_signal", "SIGSEGV")])
def test_worker_that_ends_in_a_call(shared: Viloapp, folder: Path, command: str, says: str) -> None:
    """The caller is told at once how the process ended; the next call works."""
    with shared.workspace(folder):
        assert says in shared("call", command).refused(1)
        assert shared.call("exits.ok") == "ok"


def test_plugin_that_keeps_failing_is_disabled_until_it_is_enabled(shared: Viloapp, folder: Path) -> None:
    """At the fourth failure, with the reason in listings, each failure in a file; one command tries again."""
    errors, reason = (
        shared.store / "plugin_errors.log",
        "Plugin raises-in-initialize disabled after 4 failures",
    )
    with shared.workspace(folder):
        before = len(errors.read_text().splitlines()) if errors.exists() else 0
        for _ in range(4):
            assert "no licence file" in shared("call", "raises.never").refused(1)
        eventually(lambda: reason in shared("list").ok().out, what="the listing has the reason")
        assert "viloapp enable raises-in-initialize" in shared("call", "raises.never").refused(1)
        assert reason in shared("info", "raises-in-initialize").ok().out
        rows = [json.loads(line) for line in errors.read_text().splitlines()[before:]]
        assert [row["plugin_id"] for row in rows] == ["raises-in-initialize"] * 4
        assert "raises_in_initialize.py" in rows[0]["traceback"]
        shared("enable", "raises-in-initialize").ok()
        assert "no licence file" in shared("call", "raises.never").refused(1)


def test_sys_exit_in_a_handler_is_an_error_and_no_end(shared: Viloapp, folder: Path) -> None:
    """A library that calls sys.exit does not take the plugin along."""
    with shared.workspace(folder):
        shared.call("exits.ok")
        before = _worker(shared, "exits-in-call")
        assert "SystemExit" in shared("call", "exits.politely").refused(1)
        assert _worker(shared, "exits-in-call") == before


def test_busy_handler_is_given_up(shared: Viloapp, folder: Path) -> None:
    """A handler that never returns costs its caller the time limit, and the plugin its process."""
    with shared.workspace(folder):
        told = shared("call", "--timeout", "1", "busy.spin").refused(1)
        assert "busy" in told
        # Whoever calls while the worker is being ended may be told so; then it is a new one.
        eventually(lambda: shared("call", "busy.ok").code == 0, within_s=15)


def test_worker_that_ignores_sigterm_does_not_hold_up_the_end(shared: Viloapp, folder: Path) -> None:
    """The host escalates, and is gone within its grace period."""
    with shared.workspace(folder) as workspace:
        assert shared.call("stubborn.ok") == "ok"
        workspace.stop(within_s=20)
    assert shared.processes() == {}


def test_plugin_that_hangs_on_start(shared: Viloapp) -> None:
    """The call is answered after the manifest's start-up time, with what was waited for."""
    began = time.monotonic()
    told = shared("call", "hangs.never").refused(1)
    assert "hangs-on-start" in told
    assert time.monotonic() - began < 25
    assert shared.processes() == {}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("raises.never", "no licence file was found"),
        ("missing.never", "a_module_that_nobody_has"),
        ("raises.foreign", "a key of the author"),
        ("raises.own", "put some in"),
        ("raises.unsendable", "object"),
    ],
)
def test_what_a_plugin_raises_is_told(shared: Viloapp, command: str, says: str) -> None:
    """The reason reaches the person in one line; the traceback is in the plugin's log."""
    assert says in shared("call", command).refused(1)


def test_traceback_is_in_the_log(shared: Viloapp) -> None:
    """`viloapp logs` shows where in the plugin's code it happened."""
    shared("call", "raises.foreign").refused(1)
    assert "raises_in_call.py" in shared("logs", "raises-in-call").ok().out


def test_printing_corrupts_nothing(shared: Viloapp) -> None:
    """What a plugin prints, in any way, is in its log, and its answer is whole."""
    done = shared("call", "prints.all").ok()
    assert done.out.strip() == '"not corrupted"'
    log = shared("logs", "prints-to-stdout").ok().out
    for text in (
        "printed at import",
        "printed in a call",
        "written to descriptor 1",
        "written by a child",
        "printed to stderr",
        "logged as a warning",
    ):
        assert text in log


def test_flood_of_output_blocks_nobody_and_fills_no_disk(shared: Viloapp) -> None:
    """The answer comes although 20 MB were printed, and the log stays within its limit."""
    assert shared.call("floods.write", megabytes=20) == 20
    logs = list((shared.store / "plugins/floods-stdout/log").iterdir())
    assert sum(path.stat().st_size for path in logs) < 5 * 1024 * 1024
