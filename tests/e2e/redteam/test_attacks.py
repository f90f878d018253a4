"""Plugins that try to get past the sandbox. That each attack is one is shown by `test_controls`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.harness import Viloapp, Workspace
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


@contextlib.contextmanager
def hosted(person: Person, app: Viloapp, *options: str) -> Iterator[Workspace]:
    """A running workspace that no attack may end."""
    with app.workspace(person.work(), *options) as workspace:
        yield workspace
        assert workspace.alive()


@contextlib.contextmanager
def aims(
    person: Person, app: Viloapp, host: int, *, url: str = "", control: bool = False
) -> Iterator[dict[str, Any]]:
    """What to attack: a host's process, files of the person's and of a plugin's, servers and a terminal.

    Args:
        person: whose they are.
        app: the command.
        host: the process that runs the plugins.
        url: of its page.
        control: whether the attacks are to succeed.
    """
    app.call("hello.remember", text="secret of hello")
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
    try:
        with targets(person.root) as prepared:
            yield {
                **prepared,
                **{name: str(path) for name, path in files.items()},
                "root_only": "/etc/shadow" if person.uid == 0 else str(files["root_only"]),
                "other_data": str(app.store / "plugins/hello/data/notes.txt"),
                "host": host,
                "control_socket": str(next(app.runtime.rglob("host.sock"))),
                "page": urlsplit(url).port,
                "terminal": os.ttyname(follower),
                "control": control,
            }
    finally:
        os.close(leader)
        os.close(follower)


@pytest.fixture(scope="module", params=["spawn", "forkserver"])
def inside(request: pytest.FixtureRequest, person: Person) -> Iterator[Workspace]:
    """One host for all that is stopped: none of it may end it. Its workers begin in each of the ways."""
    person.app("config", "set", "core.supervise.start_method", request.param).ok()
    try:
        with hosted(person, person.app) as workspace:
            person.app.call("hello.greet")
            states = {each["id"]: each for each in person.app("status", "--json").json()["plugins"]}
            assert states["hello"]["start_method"] == request.param
            yield workspace
    finally:
        person.app("config", "unset", "core.supervise.start_method").ok()


@pytest.mark.parametrize("sin", SINS)
def test_every_attack_is_stopped(person: Person, inside: Workspace, sin: str) -> None:
    """Inside nothing succeeds, and the host serves another plugin afterwards."""
    with aims(person, person.app, inside.pid, url=inside.url) as aimed:
        results = person.app.call(COMMANDS[sin], targets=aimed)
        assert person.app.call("hello.greet") == "Hello, world!"
    assert inside.alive()
    assert {name: what for name, what in results.items() if not what.startswith("stopped: ")} == {}


@pytest.mark.parametrize("kind", ["garbage", "giant", "deep", "flood", "requests", "unasked"])
def test_frames_that_no_sdk_would_write(person: Person, inside: Workspace, kind: str) -> None:
    """They end the plugin that wrote them at most; the host lives, and another plugin's calls are its own."""
    forging = person.app.start("call", "forge.frames", f'{{"kind": "{kind}"}}')
    for number in range(2):
        assert person.app.call("hello.greet", name=str(number)) == f"Hello, {number}!"
    _, err = forging.communicate(timeout=90)
    assert forging.returncode in (0, 1), err
    assert "disabled" not in err  # then nothing was forged
    assert inside.alive()
    assert person.app.call("hello.greet") == "Hello, world!"
