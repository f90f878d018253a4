"""Permissions with the installed command: asked for on a terminal, granted, revoked, audited, learned."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
from pathlib import Path

from tests.e2e.harness import Viloapp

PLUGINS = ("reaches_out",)
LANG = "system.environment.LANG"


def on_terminal(app: Viloapp, typed: str, *args: str) -> tuple[int, str]:
    """Run the command on a pseudo-terminal, type once the question is there; return its code and output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [app.executable, *args],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=app.environ,
        cwd=app.store.parent,
    )
    os.close(theirs)
    shown, answered = "", False
    while True:
        ready, _, _ = select.select([ours], [], [], 60)
        assert ready, shown
        try:
            data = os.read(ours, 4096)
        except OSError:
            data = b""
        if not data:
            break
        shown += data.decode(errors="replace")
        if not answered and "or [d]eny?" in shown:
            os.write(ours, typed.encode())
            answered = True
    os.close(ours)
    return process.wait(60), shown


def test_a_denial_says_which_permission_and_which_command_grants_it(shared: Viloapp) -> None:
    """On standard error, also when the plugin swallows it; the command that is named works at once."""
    told = shared("call", "reaches.variable", '{"name": "HOME"}').refused(1)
    assert "system.environment.HOME" in told
    assert "viloapp permissions grant reaches-out system.environment.HOME" in told
    done = shared("call", "reaches.quietly").ok()
    assert json.loads(done.out) == "PermissionDeniedError"
    assert "viloapp permissions grant reaches-out services.read.commands" in done.err
    shared("permissions", "grant", "reaches-out", "system.environment.HOME").ok()
    assert shared.call("reaches.variable", name="HOME") == shared.environ["HOME"]
    shared("permissions", "revoke", "reaches-out", "system.environment.HOME").ok()
    assert "was denied" in shared("call", "reaches.variable", '{"name": "HOME"}').refused(1)
    events = [
        (entry["event"], entry["permission"])
        for entry in shared("audit", "reaches-out", "--json").json()["entries"]
    ]
    for event in ("deny", "grant", "revoke"):
        assert (event, "system.environment.HOME") in events


def test_nobody_to_ask_is_no(shared: Viloapp) -> None:
    """A request without a terminal and without a page is refused, and says what would allow it."""
    done = shared("call", "reaches.ask", json.dumps({"permission": "network.connect.example.com"})).ok()
    assert json.loads(done.out) is False
    assert "nobody is here to be asked" in done.err
    assert "viloapp permissions grant reaches-out network.connect.example.com" in done.err


def test_a_terminal_asks_and_remembers(shared: Viloapp, folder: Path) -> None:
    """Deny, then for good: through a host of its own and through a running one."""
    wanted = json.dumps({"permission": LANG, "reason": "speak your language"})
    code, shown = on_terminal(shared, "d\n", "call", "reaches.ask", wanted)
    assert code == 0, shown
    assert 'it says: "speak your language"' in shown
    assert "false" in shown
    with shared.workspace(folder):
        code, shown = on_terminal(shared, "a\n", "call", "reaches.ask", wanted)
        assert (code, "true" in shown) == (0, True), shown
    rows = {
        row["id"]: row for row in shared("permissions", "show", "reaches-out", "--json").json()["permissions"]
    }
    assert (rows[LANG]["state"], rows[LANG]["by"], rows[LANG]["lasting"]) == ("granted", "prompt", "always")
    shared("permissions", "reset", "reaches-out").ok()


def test_a_revoked_folder_is_gone_from_a_running_plugin(shared: Viloapp, folder: Path) -> None:
    """The kernel's view is narrowed by a new process, and the command says so."""
    (folder / "note").write_text("found")
    arguments = json.dumps({"paths": [str(folder / "note")]})
    needed = ("filesystem.read.workspace", "plugins.read.installed")
    with shared.workspace(folder):
        shared("permissions", "grant", "reaches-out", *needed).ok()
        assert shared("call", "reaches.everywhere", arguments).ok().out.startswith('[\n  "found"')
        done = shared("permissions", "revoke", "reaches-out", needed[0]).ok()
        assert "started anew" in done.err
        assert "note" in shared("call", "reaches.everywhere", arguments).refused(1)
    shared("permissions", "reset", "reaches-out").ok()


def test_learning_finds_the_least_block(shared: Viloapp, folder: Path) -> None:
    """One round finds what the first refusal shows; with --allow all of it, minimal, and nothing is kept."""
    for name in ("a", "b"):
        (folder / name).write_text(name)
    outside = shared.store.parent / "outside.txt"
    outside.write_text("outside")
    paths = json.dumps({"paths": [str(folder / "a"), str(folder / "b"), str(outside)]})
    learn = ("permissions", "learn", "reaches-out", "--json")
    first = shared(*learn, "--", "reaches.everywhere", paths, cwd=folder).ok().json()
    assert first["missing"] == ["filesystem.read.workspace"]
    assert first["unused"] == ["ui.read.active_widget"]
    found = shared(*learn, "--allow", "--", "reaches.everywhere", paths, cwd=folder).ok().json()
    assert found["permissions"][0].startswith("filesystem.read.")
    assert found["permissions"][0].endswith("outside.txt")
    assert found["permissions"][1:] == ["filesystem.read.workspace", "plugins.read.installed"]
    assert any("native code" in text for text in found["cannot_see"])
    block = shared(*learn[:3], "--allow", "--", "reaches.everywhere", paths, cwd=folder).ok().out
    assert '{ id = "filesystem.read.workspace", reason = ' in block
    rows = shared("permissions", "show", "reaches-out", "--json").json()["permissions"]
    assert [row["id"] for row in rows] == ["ui.read.active_widget"]
