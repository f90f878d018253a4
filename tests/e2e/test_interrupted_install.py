"""A stopped install, at any moment: the store stays usable and the next command cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import PATIENCE_S, UNSIGNED, Viloapp, eventually
from tests.fixtures.index import Index


def _kill(process: subprocess.Popen[str]) -> None:
    """End the command as `kill -9` does: it alone; what it had started has to end by itself."""
    process.kill()
    process.communicate(timeout=PATIENCE_S)


def _whole(app: Viloapp, version: str | None) -> None:
    """Check that the store is one that a finished command could have left."""
    plugins = app.plugins()  # any command cleans up
    journal = app.store / "journal"
    assert not journal.is_dir() or list(journal.iterdir()) == []
    generations = app.store / "plugins/hello/generations"
    left = {path.name for path in generations.iterdir()} if generations.is_dir() else set()
    if plugins:
        assert plugins["hello"]["version"] == version
        assert len(left) == 1
        assert app.call("hello.greet") == "Hello, world!"
    else:
        assert left == set()


def test_killed_at_many_moments(app: Viloapp, wheels: dict[str, Path], tmp_path: Path) -> None:
    """Killed at twelve moments from its first to its last, an installation leaves nothing half done."""
    arguments: list[str | Path] = ["install", "--yes", *UNSIGNED, "--offline", wheels["hello"]]
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()  # so that all it needs has been fetched
    app("uninstall", "hello").ok()
    began = time.monotonic()
    app(*arguments).ok()
    whole_s = time.monotonic() - began
    app("uninstall", "hello").ok()
    killed = 0
    for moment in range(1, 13):
        process = app.start(*arguments)
        try:
            process.wait(whole_s * moment / 12)
        except subprocess.TimeoutExpired:
            killed += 1
        _kill_if_alive(process)
        _whole(app, "0.1.0")
        if app.plugins():
            app("uninstall", "hello").ok()
    assert killed >= 6  # else this machine's clock made the test say nothing
    app(*arguments).ok()
    _whole(app, "0.1.0")


def _kill_if_alive(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        _kill(process)
    else:
        process.communicate()


def _something_in(pattern: str) -> Callable[[Viloapp], bool]:
    return lambda app: any(app.store.glob(pattern))


@pytest.mark.parametrize(
    "sign",
    [
        "journal/*",
        "plugins/hello/generations/*",
        "plugins/hello/generations/*/venv/pyvenv.cfg",
        "plugins/hello/generations/*/venv/lib/*/site-packages/hello.py",
        "plugins/hello/generations/*/receipt.json",
        "plugins/hello/current",
    ],
)
def test_killed_when_a_sign_of_progress_appears(app: Viloapp, wheels: dict[str, Path], sign: str) -> None:
    """Killed as soon as each thing that an installation makes is there, whatever the machine's speed."""
    reached = _something_in(sign)
    process = app.start("install", "--yes", *UNSIGNED, wheels["hello"])
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and not reached(app) and time.monotonic() < deadline:
        pass  # watched as closely as can be: the moments are milliseconds apart
    _kill_if_alive(process)
    assert reached(app)
    _whole(app, "0.1.0")
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    _whole(app, "0.1.0")


def test_killed_in_the_middle_of_a_download(app: Viloapp, wheel_folder: Path) -> None:
    """Half a wheel is neither installed nor taken for a whole one the next time."""
    with Index(wheel_folder) as index:
        index.hold.clear()
        process = app.start("install", "--yes", *UNSIGNED, "--index-url", index.url, "hello")
        assert index.stopped.wait(PATIENCE_S)
        _kill(process)
        index.hold.set()
        _whole(app, None)
        assert app.plugins() == {}
        app("install", "--yes", *UNSIGNED, "--index-url", index.url, "hello").ok()
    _whole(app, "0.1.0")


def test_killed_replacement_leaves_the_old_generation(app: Viloapp, wheels: dict[str, Path]) -> None:
    """While a plugin is being installed again, the one that is there goes on working."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    before = os.readlink(app.store / "plugins/hello/current")
    process = app.start("install", "--yes", *UNSIGNED, "--force-reinstall", wheels["hello"])
    eventually(
        lambda: process.poll() is not None or any((app.store / "journal").glob("*")),
        what="an entry of the journal",
    )
    _kill_if_alive(process)
    assert app.call("hello.greet") == "Hello, world!"
    assert process.returncode == 0 or os.readlink(app.store / "plugins/hello/current") == before


def test_ctrl_c_ends_pip_too_and_says_so(app: Viloapp, wheel_folder: Path) -> None:
    """Ctrl-C in a download ends at once, with no process left and nothing installed."""
    with Index(wheel_folder) as index:
        index.hold.clear()
        process = app.start("install", "--yes", *UNSIGNED, "--index-url", index.url, "hello")
        assert index.stopped.wait(PATIENCE_S)
        os.kill(process.pid, signal.SIGINT)  # pip is in a session of its own: who ends it is the command
        _, err = process.communicate(timeout=15)
        assert process.returncode == 130
        assert "Traceback" not in err
        eventually(lambda: not app.processes(), within_s=5, what="pip is gone")
        assert index.hold.is_set() is False
    _whole(app, None)
