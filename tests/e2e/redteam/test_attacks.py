"""Plugins that try to get past the sandbox; each attack is shown to succeed where there is none."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import PATIENCE_S, Viloapp
from tests.e2e.redteam.conftest import SINS, Person
from viloapp_core.sandbox.trial import targets

# The first test of each person makes a virtualenv and a store for them.
pytestmark = pytest.mark.timeout(900)

COMMANDS = {
    "reads_secrets": "reads.attack",
    "writes_elsewhere": "writes.attack",
    "connects_out": "connects.attack",
    "attacks_the_host": "host.attack",
    "leaves_the_sandbox": "leaves.attack",
}
# Without a sandbox these fail for somebody who is not root, for reasons of the system's own: a file of the
# store that is read-only; parts of the kernel that only root is given.
_ROOT_ALONE = {"own_code", "faults", "ring"}
_DEPENDS = {"mptcp", "fast_open", "keyring", "ring", "faults"}
"""What a kernel may have been built without."""


@contextlib.contextmanager
def workspace_of(app: Viloapp, folder: Path, *options: str) -> Iterator[int]:
    """A running workspace; its process."""
    with app.workspace(folder, *options) as workspace:
        yield workspace.pid


@contextlib.contextmanager
def learner(app: Viloapp, folder: Path) -> Iterator[int]:
    """A host that learns, and serves calls meanwhile; its process."""
    process = app.start("permissions", "learn", "hello", "--for", "900", cwd=folder)
    assert process.stderr is not None
    try:
        assert "learning for 900 s" in process.stderr.readline()
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)


@contextlib.contextmanager
def aims(
    person: Person, app: Viloapp, *, control: bool = False, learning: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """A host to attack (its process), files of the person's, servers and a terminal."""
    home = Path(app.environ["HOME"])
    files = {"key": home / ".ssh/id_ed25519", "root_only": home / ".private"}
    files |= {name: home / name for name in ("file", "victim")}
    (home / ".ssh").mkdir(exist_ok=True)
    for path in files.values():
        path.write_text("secret")
        path.chmod(0o600)
        os.chown(path, person.uid, person.uid)
    os.chown(home / ".ssh", person.uid, person.uid)
    (home / "file.new").unlink(missing_ok=True)
    leader, follower = os.openpty()
    os.chown(os.ttyname(follower), person.uid, person.uid)
    work = person.root / "work"
    work.mkdir(exist_ok=True)
    os.chown(work, person.uid, person.uid)
    options = ("--allow-unsandboxed",) if control else ()
    try:
        running = learner(app, work) if learning else workspace_of(app, work, *options)
        with targets(person.root) as prepared, running as host:
            app.call("hello.remember", text="secret of hello")
            aimed = {
                **prepared,
                **{name: str(path) for name, path in files.items()},
                "root_only": "/etc/shadow" if person.uid == 0 else str(files["root_only"]),
                "other_data": str(app.store / "plugins/hello/data/notes.txt"),
                "host": host,
                "terminal": os.ttyname(follower),
                "control": control,
            }
            yield host, aimed
    finally:
        os.close(leader)
        os.close(follower)


@pytest.mark.parametrize("sin", SINS)
def test_every_attack_is_stopped(person: Person, sin: str) -> None:
    """Inside nothing succeeds, and the host serves another plugin afterwards."""
    with aims(person, person.app) as (_host, aimed):
        results = person.app.call(COMMANDS[sin], targets=aimed)
        assert person.app.call("hello.greet") == "Hello, world!"
    assert {name: what for name, what in results.items() if not what.startswith("stopped: ")} == {}


@pytest.mark.parametrize("sin", SINS)
def test_every_attack_succeeds_without_a_sandbox(person: Person, sin: str) -> None:
    """The same plugin with the person's authority: an attack that could not succeed would prove nothing."""
    bare = person.with_less("landlock", broken_bwrap=True)
    with aims(person, bare, control=True) as (_host, aimed):
        assert bare.plugins()[sin.replace("_", "-")]["sandbox"] == "none"
        results = bare.call(COMMANDS[sin], targets=aimed)
    bare.close()
    stopped = {name: what for name, what in results.items() if what.startswith("stopped: ")}
    excused = _DEPENDS | (_ROOT_ALONE if person.uid else set())
    assert {name: what for name, what in stopped.items() if name not in excused} == {}


@pytest.mark.parametrize("kind", ["garbage", "giant", "deep", "flood", "requests", "unasked"])
def test_frames_that_no_sdk_would_write(person: Person, kind: str) -> None:
    """They end the plugin that wrote them at most; the host lives, and another plugin's calls are its own."""
    work = person.root / "work"
    work.mkdir(exist_ok=True)
    with person.app.workspace(work) as workspace:
        person.app.call("hello.greet")
        forging = person.app.start("call", "forge.frames", f'{{"kind": "{kind}"}}')
        for number in range(3):
            assert person.app.call("hello.greet", name=str(number)) == f"Hello, {number}!"
        forging.communicate(timeout=90)
        assert workspace.alive()
        assert person.app.call("hello.greet") == "Hello, world!"
