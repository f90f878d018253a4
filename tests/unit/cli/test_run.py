"""`viloapp run`: one workspace per store, and signals that end it; what the page does is in e2e."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from viloapp_core.cli import browser, run
from viloapp_core.host import SyncHost
from viloapp_core.store import Store

from .conftest import Ran

pytest.importorskip("starlette", reason="the extra `app` is not installed")

# The built page is not there in every clone, and these tests are not about it.
WITH_A_PAGE = """
import sys
from pathlib import Path
from viloapp_core.web import server
server.bundle = lambda: Path(sys.argv[1])
from viloapp_core.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


class Workspace:
    """A `viloapp run` in a process of its own."""

    def __init__(self, page: Path, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITH_A_PAGE, str(page), "run", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def end(self, *numbers: signal.Signals) -> tuple[int, str]:
        """Send signals; return the exit code and what was told."""
        for number in numbers:
            self.process.send_signal(number)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Callable[..., Workspace]]:
    """Return a function that runs `viloapp run ARGS` until the address is there."""
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html><title>page</title>")
    started: list[Workspace] = []

    def start(*args: str) -> Workspace:
        started.append(Workspace(page, *args))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_workspace_cleanly(
    workspace: Callable[..., Workspace], store: Store, number: signal.Signals
) -> None:
    """It is the usual way to end it: exit code 0, the page is served until then, the store is free after."""
    running = workspace("--no-browser")
    assert running.address.startswith("http://127.0.0.1:")
    base, _, token = running.address.partition("/#token=")
    assert len(token) > 40
    with urllib.request.urlopen(f"{base}/", timeout=10) as response:
        assert b"<title>page</title>" in response.read()
    code, err = running.end(number)
    assert (code, err) == (0, "Stopping; once more to break off.\n")
    with SyncHost(store.root) as host:
        assert host.plugins() == []


def test_a_second_run_says_where_the_first_is(
    workspace: Callable[..., Workspace], viloapp: Callable[..., Ran]
) -> None:
    """Exit code 0 with the address; `status` has it without the token."""
    running = workspace("--no-browser")
    assert running.address, running.end()  # or the second would be the first, and never end
    assert viloapp("run", "--no-browser").out == running.address + "\n"
    assert viloapp("--no-browser").code == 0
    status = viloapp("status", "--json").json
    assert status["pid"] == running.process.pid
    assert status["address"] == running.address.partition("#")[0]
    assert "token" not in viloapp("status").out
    where = viloapp("status", "--metrics-url", "--json").json
    assert where["metrics_url"] == status["metrics_url"] == f"{status['address']}metrics"
    bearer = {"Authorization": f"Bearer {Path(where['token_file']).read_text().strip()}"}
    with urllib.request.urlopen(urllib.request.Request(where["metrics_url"], headers=bearer)) as answer:
        assert answer.read().endswith(b"# EOF\n")


def test_a_port_that_is_taken_is_refused_and_the_store_given_back(
    workspace: Callable[..., Workspace], store: Store
) -> None:
    """The port is the one that was asked for, or the run fails in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = workspace("--no-browser", "--port", str(port)).end()
    assert (code, err.count("error: "), "--port" in err) == (1, 1, True)
    assert f":{port}/" in workspace("--no-browser", "--port", str(port)).address


@pytest.mark.parametrize(
    "args",
    [
        ["--bind", "0.0.0.0"],
        ["--bind", "example.com"],
        ["--port", "70000"],
        ["/nowhere/at/all"],
    ],
)
def test_wrong_usage_is_refused(viloapp: Callable[..., Ran], args: list[str]) -> None:
    """Exit code 2, and no network ever reaches the workspace."""
    ran = viloapp("run", *args)
    assert (ran.code, ran.out, ran.err.count("error: ")) == (2, "", 1)


def test_an_embedding_program_has_the_store(
    store: Store, viloapp: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that serves no workspace is said to be in the way, once it stays."""
    monkeypatch.setattr(run, "_HANDOVER_S", 0.0)
    with SyncHost(store.root):
        ran = viloapp("run", "--no-browser")
    assert (ran.code, ran.out) == (1, "")
    assert "embeds ViloApp" in ran.err


def test_what_is_missing_of_the_extra_is_named(
    viloapp: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra `app` the hint says how to get it."""
    for name in [name for name in sys.modules if name.startswith("viloapp_core.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = viloapp("run", "--no-browser")
    assert ran.code == 1
    assert "hint: pip install 'viloapp-core[app]'" in ran.err


def test_the_browser_is_opened_with_the_address(
    workspace: Callable[..., Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$BROWSER gets the whole address, token included."""
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(script))
    running = workspace()
    assert opened.read_text().strip() == running.address


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"BROWSER": "firefox"}, "linux", True),
        ({}, "darwin", True),
    ],
)
def test_no_text_browser_takes_over_the_terminal(
    environ: dict[str, str], platform: str, expected: bool
) -> None:
    """Without a display none is opened."""
    assert browser.available(environ, platform) is expected
