"""Programs that a plugin runs, over the installed command."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from tests.e2e.harness import Viloapp, command_lines, eventually

PLUGINS = ("runs_programs",)


def test_granted_programs(shared: Viloapp) -> None:
    """Pipes, waiting and killing, with threads and with asyncio."""
    assert shared.call("programs.sort", text="b\na\n") == "a\nb\n"
    assert shared.call("programs.sort_async", text="d\nc\n") == "c\nd\n"
    assert shared.call("programs.kill") == [-9, -9]


def test_another_program(shared: Viloapp) -> None:
    """The denial names the permission and the command that grants it, is logged, and that command helps."""
    told = shared("call", "programs.id").refused(1)
    assert "process.execute.id" in told
    assert "viloapp permissions grant runs-programs process.execute.id" in told
    assert "process.execute.id" in shared("audit", "runs-programs").ok().out
    shared("permissions", "grant", "runs-programs", "process.execute.id").ok()
    assert "uid=" in shared.call("programs.id")
    shared("permissions", "revoke", "runs-programs", "process.execute.id").ok()
    shared("call", "programs.id").refused(1)


def test_no_program_outlives_the_host(shared: Viloapp, folder: Path) -> None:
    """Killed with SIGKILL: within 2 s nothing is left of a program either."""
    marker = str(secrets.randbelow(10**9) + 10**6)
    with shared.workspace(folder) as workspace:
        shared("call", "programs.leave", json.dumps({"marker": marker})).ok()
        eventually(lambda: any(line.startswith("sleep") for line in command_lines(marker).values()))
        workspace.kill()
        eventually(lambda: not command_lines(marker), within_s=2)
