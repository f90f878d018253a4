"""A plugin that does not start: as an update it is rolled back, among others it is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.e2e.harness import UNSIGNED, Viloapp, eventually
from tests.fixtures.wheels import PROJECTS, Builder

_BREAKS = """

def _initialize(self: Hello, context: object) -> None:
    raise RuntimeError("the licence has run out")


Hello.initialize = _initialize
"""


def _that_does_not_start(builder: Builder, folder: Path) -> Path:
    """Build version 0.2.0 of hello, which raises in `initialize`."""
    project = Path(shutil.copytree(PROJECTS / "hello", folder / "hello"))
    settings = (project / "pyproject.toml").read_text("utf-8")
    assert 'version = "0.1.0"' in settings
    (project / "pyproject.toml").write_text(
        settings.replace('version = "0.1.0"', 'version = "0.2.0"'), "utf-8"
    )
    with (project / "hello.py").open("a", encoding="utf-8") as source:
        source.write(_BREAKS)
    return builder.build([project], folder / "wheels")["hello"]


def test_an_update_that_does_not_start_is_rolled_back(
    app: Viloapp, wheels: dict[str, Path], builder: Builder, folder: Path, tmp_path: Path
) -> None:
    """In a running workspace, and without one by the first call; in one line, and the old one runs again."""
    bad = _that_does_not_start(builder, tmp_path)
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    with app.workspace(folder) as workspace:
        assert app.call("hello.greet") == "Hello, world!"
        app("install", "--yes", *UNSIGNED, bad).ok()
        eventually(lambda: app.plugins()["hello"]["version"] == "0.1.0", what="the update is rolled back")
        assert app.call("hello.greet") == "Hello, world!"
        line = "warning: update of hello to 0.2.0 rolled back to 0.1.0: it did not start: "
        eventually(lambda: workspace.said().count(line) == 1)
    assert "the licence has run out" in app.plugins()["hello"]["rolled_back"]

    app("install", "--yes", *UNSIGNED, bad).ok()  # asked for by name, it is tried again
    assert app("info", "hello", "--json").json()["on_probation"]
    assert line in app("call", "hello.greet").err
    assert app.call("hello.greet") == "Hello, world!"
    assert app("repair", "--check").ok().out == "nothing is broken\n"


def test_the_plugin_that_breaks_a_start_is_found(app: Viloapp, wheels: dict[str, Path]) -> None:
    """Among three, by itself; nothing is disabled, and nothing is left running."""
    names = ("exits_in_call", "hello", "raises_in_initialize")
    app("install", "--yes", *UNSIGNED, *(wheels[name] for name in names)).ok()
    before = app.snapshot()["state.json"]
    found = json.loads(app("bisect", "--auto", "--json").ok().out)
    assert (found["outcome"], found["culprits"]) == ("found", ["raises-in-initialize"])
    assert "no licence file was found" in found["reasons"]["raises-in-initialize"]
    assert app.snapshot()["state.json"] == before
    assert app.processes() == {}
    app("disable", "raises-in-initialize").ok()
    assert "nothing to find" in app("bisect", "--auto").refused(1)
