"""What the kernel bounds of a plugin, for root and for somebody else: processes, files, memory in files.

The control of each attack is the same command with a limit that allows it, or without the layer that stops
it: it then succeeds. Another plugin is served while an attack runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import PATIENCE_S, Viloapp, Workspace
from tests.e2e.redteam.conftest import Person

# The first test of each person makes a virtualenv and a store for them.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def workspace(installed: Person) -> Iterator[Workspace]:
    """One host for all attacks: none of them may end it."""
    with installed.app.workspace(installed.work()) as workspace:
        yield workspace
        assert workspace.alive()


@pytest.fixture
def running(installed: Person, workspace: Workspace) -> Iterator[Viloapp]:
    """The command, while that host runs."""
    yield installed.app
    assert workspace.alive()


_set: dict[Path, set[str]] = {}
"""The limits of the attacker that tests have set, by store."""


def allow(app: Viloapp, **limits: float) -> None:
    """Set the limits of the attacker, those alone; they hold from the next start on."""
    before = _set.get(app.store, set())
    _set[app.store] = set(limits)
    for name in before - set(limits):
        app("config", "unset", f"devours.limits.{name}").ok()
    for name, value in limits.items():
        app("config", "set", f"devours.limits.{name}", str(value)).ok()
    app("disable", "devours").ok()
    app("enable", "devours").ok()


def attack(app: Viloapp, command: str, **arguments: object) -> tuple[int, str]:
    """Return exit code and answer or error of an attack; another plugin answers meanwhile, and after it."""
    process = app.start("call", f"devours.{command}", json.dumps(arguments))
    assert app.call("hello.greet") == "Hello, world!"
    out, err = process.communicate(timeout=PATIENCE_S)
    assert app.call("hello.greet") == "Hello, world!"
    return process.returncode, out.strip() if process.returncode == 0 else err


def test_processes(running: Viloapp) -> None:
    """Children that stay, and a bomb of forks: 64 at most come to be, with more allowed more do."""
    app = running
    allow(app)
    code, came = attack(app, "forks", count=100)
    assert code == 0, came
    assert 20 < int(came) < 64
    code, peak = attack(app, "bomb", seconds=2, enough=100)
    assert code == 0, peak
    assert 20 < int(peak) <= 64 + 2  # bubblewrap's first process and the bootstrap's are beside it
    allow(app, processes=300, memory_mb=3000, cpu_percent=400)
    assert attack(app, "forks", count=100) == (0, "100")
    code, peak = attack(app, "bomb", seconds=30, enough=100)
    assert code == 0, peak
    assert int(peak) >= 100


def test_open_files(running: Viloapp) -> None:
    """The kernel refuses the fiftieth, and the error names the limit."""
    app = running
    allow(app)
    code, told = attack(app, "files", count=200)
    assert code == 1
    assert "open files" in told
    assert "viloapp config set devours.limits.file_handles 100" in told
    allow(app, file_handles=400)
    assert attack(app, "files", count=200) == (0, "200")


def test_one_large_file(running: Viloapp) -> None:
    """The kernel refuses a file that alone is more than the plugin may have on disk."""
    app = running
    allow(app, disk_mb=20)
    code, told = attack(app, "disk", count=1, size_mb=60)
    assert code == 1
    assert "disk" in told or "file" in told
    written = app.store / "plugins/devours/data/0"
    assert written.stat().st_size <= 20 * 1024 * 1024
    allow(app, disk_mb=500)
    assert attack(app, "disk", count=1, size_mb=60, stay_s=0) == (0, '"filled"')


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_files_in_memory(running: Viloapp, folder: str) -> None:
    """The private folders of a sandbox are memory: full at the plugin's limit, or it is ended for that."""
    app = running
    allow(app)
    code, told = attack(app, "scratch", folder=folder, size_mb=300)
    assert code == 1
    assert "No space left on device" in told or "of memory" in told
    allow(app, memory_mb=800)
    assert attack(app, "scratch", folder=folder, size_mb=300, stay_s=0) == (0, '"filled"')


def test_numpy_and_its_threads(running: Viloapp) -> None:
    """At the default limits: 100 MB are enough for it, and its threads are allowed."""
    app = running
    assert app.call("numpy2.multiply", size=700) == 700
    assert app.call("numpy2.multiply_in_threads", size=400, count=4) == [400.0] * 4
    row = app("info", "needs-numpy-2", "--json").json()
    assert row["limits_reached"] == {}
    assert row["limits"]["memory_mb"] == 100


def test_files_that_nobody_maps(running: Viloapp) -> None:
    """A file in memory without a name, which is in nobody's memory, cannot be made."""
    allow(running)
    assert attack(running, "memfd", size_mb=300) == (0, '"refused: Function not implemented"')
