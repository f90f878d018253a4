"""A plugin that takes all it can get of the machine: each resource, with the limit and without.

The control of each attack is the same command with a limit that allows it: it then succeeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Viloapp, Workspace

PLUGINS = ("devours", "hello")


@pytest.fixture(scope="module")
def running(shared: Viloapp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One host for all attacks: none of them may end it."""
    with shared.workspace(tmp_path_factory.mktemp("folder")) as workspace:
        yield workspace
        assert workspace.alive()


def refused(app: Viloapp, command: str, **arguments: object) -> str:
    """Return the one clear error of an attack; the host serves another plugin afterwards."""
    told = app("call", f"devours.{command}", json.dumps(arguments)).refused(1)
    assert app.call("hello.greet") == "Hello, world!"
    return told


def allow(app: Viloapp, **limits: float) -> None:
    """Set limits as the person does; they hold from the next start on."""
    for name, value in limits.items():
        app("config", "set", f"devours.limits.{name}", str(value)).ok()
    app("disable", "devours").ok()
    app("enable", "devours").ok()


@pytest.fixture(autouse=True)
def defaults(shared: Viloapp, running: Workspace) -> Iterator[None]:
    """Every attack meets the defaults, in a process of its own."""
    yield
    for row in shared("config", "list", "--json").json()["settings"]:
        if row["key"].startswith("devours.limits."):
            shared("config", "unset", row["key"]).ok()
    allow(shared)


MEMORY = [
    ("heap", {"size_mb": 400}, 400),
    ("shared_map", {"size_mb": 400}, 400),
    ("children", {"count": 4, "size_mb": 60}, "filled"),
]


@pytest.mark.parametrize(("command", "arguments", "result"), MEMORY, ids=[each[0] for each in MEMORY])
def test_memory(shared: Viloapp, command: str, arguments: dict[str, int], result: object) -> None:
    """100 MB for all processes together; with 800 the same command succeeds."""
    told = refused(shared, command, **arguments)
    assert "memory" in told
    assert "viloapp config set devours.limits.memory_mb" in told
    allow(shared, memory_mb=800)
    assert shared.call(f"devours.{command}", **arguments) == result


def test_processor_time_is_told_while_it_is_held(shared: Viloapp) -> None:
    """At 2 % a busy command is held: who called reads a line on standard error, `status` counts it."""
    # What a late look of a busy machine lets it use beyond its share, it waits for: half a second takes 25.
    allow(shared, cpu_percent=2, execution_time=200)
    done = shared("call", "devours.spin_processes", '{"count": 2, "seconds": 4}').ok()
    assert "held to 2 % of a processor" in done.err
    assert json.loads(done.out) < 3
    (row,) = [each for each in shared("status", "--json").json()["plugins"] if each["id"] == "devours"]
    assert row["limits_reached"]["cpu_percent"] == 1
    allow(shared, cpu_percent=1600)
    assert shared("call", "devours.spin_processes", '{"count": 2, "seconds": 1}').ok().err == ""


def test_disk(shared: Viloapp) -> None:
    """The files of the data folder together; with more allowed they are written."""
    allow(shared, disk_mb=20)
    assert "of disk" in refused(shared, "disk", count=6, size_mb=10)
    allow(shared, disk_mb=500)
    assert shared.call("devours.disk", count=6, size_mb=10, stay_s=0) == "filled"


def test_a_command_past_its_time(shared: Viloapp) -> None:
    """A typed timeout after `execution_time`, that a later command does not suffer from."""

    def reached() -> int:
        told = shared("info", "devours", "--json").json().get("limits_reached", {})
        found: int = told.get("execution_time", 0)
        return found

    allow(shared, execution_time=0.5)
    before = reached()
    assert "did not answer within 0.5 s" in refused(shared, "sleep", seconds=20)
    assert reached() == before + 1


def test_more_than_the_defaults_is_asked_for(
    app: Viloapp, wheels: dict[str, Path], builder: object, tmp_path: Path
) -> None:
    """A manifest that raises a limit is not installed without consent, and the question says how much."""
    from tests.fixtures.wheels import PROJECTS, Builder

    assert isinstance(builder, Builder)
    project = tmp_path / "devours"
    project.mkdir()
    for file in (PROJECTS / "devours").iterdir():
        if file.is_file():
            (project / file.name).write_bytes(file.read_bytes())
    with (project / "pyproject.toml").open("a") as settings:
        settings.write("limits = { memory_mb = 300 }\n")
    wheel = builder.build([project], tmp_path / "out")["devours"]
    told = app("install", "--allow-unsigned", "devours", wheel).refused(1)
    assert "300 MB of memory (others have 100)" in told
    assert "--yes" in told
    app("install", "--yes", "--allow-unsigned", "devours", wheel).ok()
    assert app("info", "devours", "--json").json()["limits"]["memory_mb"] == 300
