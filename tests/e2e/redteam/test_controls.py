"""The controls: where a layer is missing the same attacks succeed. One that could not would prove nothing.

They have a module of their own since a store has one host at a time, and this one is another.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.harness import Viloapp, Workspace
from tests.e2e.redteam.conftest import SINS, Person
from tests.e2e.redteam.test_attacks import COMMANDS, aims, hosted
from tests.e2e.redteam.test_resources import allow, attack

# The first test of each person makes a virtualenv and a store for them.
pytestmark = pytest.mark.timeout(900)

# Without a sandbox these fail for somebody who is not root, for reasons of the system's own: a file of the
# store that is read-only; parts of the kernel that only root is given.
_ROOT_ALONE = {"own_code", "faults", "ring"}
_DEPENDS = {"mptcp", "fast_open", "keyring", "ring", "faults"}
"""What a kernel may have been built without."""


@pytest.fixture(scope="module")
def bare(person: Person) -> Iterator[tuple[Viloapp, Workspace]]:
    """The command, and one host, on a machine without a sandbox."""
    app = person.with_less("landlock", broken_bwrap=True)
    with hosted(person, app, "--allow-unsandboxed") as workspace:
        assert {row["sandbox"] for row in app.plugins().values()} == {"none"}
        yield app, workspace
    app.close()


def test_files_that_nobody_maps_without_the_filter(installed: Person) -> None:
    """Where system calls are not filtered they are made, found by looking, and ended for."""
    app = installed.with_less("seccomp")
    with app.workspace(installed.work(), "--allow-unsandboxed"):
        allow(app, memory_mb=800)
        assert attack(app, "memfd", size_mb=300, stay_s=0) == (0, '"filled"')
        allow(app)
        code, told = attack(app, "memfd", size_mb=300)
        assert code == 1
        assert "of memory" in told
    app.close()


@pytest.mark.parametrize("sin", SINS)
def test_every_attack_succeeds_without_a_sandbox(
    person: Person, bare: tuple[Viloapp, Workspace], sin: str
) -> None:
    """The same plugin with the person's authority."""
    app, workspace = bare
    with aims(person, app, workspace.pid, url=workspace.url, control=True) as aimed:
        results = app.call(COMMANDS[sin], targets=aimed)
    stopped = {name: what for name, what in results.items() if what.startswith("stopped: ")}
    excused = _DEPENDS | (_ROOT_ALONE if person.uid else set())
    assert {name: what for name, what in stopped.items() if name not in excused} == {}
