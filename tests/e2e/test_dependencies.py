"""Plugins that require plugins: one command installs them, each in its own virtualenv, and they talk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.index import Index


def test_two_numpies_that_call_each_other(app: Viloapp, wheel_folder: Path, folder: Path) -> None:
    """One command installs a plugin with numpy>=2 and the one with numpy<2 that it requires."""
    installed = app(
        "install", "--yes", *UNSIGNED, "-f", wheel_folder, "--json", "converses-in-numpy-2"
    ).json()
    rows = {row["plugin_id"]: row for row in installed["plugins"]}
    assert list(rows) == ["converses-in-numpy-1", "converses-in-numpy-2"]
    assert rows["converses-in-numpy-1"]["notes"][-1] == "required by converses-in-numpy-2"
    assert rows["converses-in-numpy-1"]["generation"] != rows["converses-in-numpy-2"]["generation"]
    with app.workspace(folder):
        _check_conversation(app)
    _check_conversation(app)


def _check_conversation(app: Viloapp) -> None:
    """Each answers with its own numpy and what the other's found."""
    for caller, called in ((1, 2), (2, 1)):
        answer = app.call(f"converse{caller}.ask", values=[1, 2, 6])
        assert answer["mine"]["mean"] == answer["theirs"]["mean"] == 3
        assert (answer["mine"]["numpy"][0] == "1") is (caller == 1)
        assert (answer["theirs"]["numpy"][0] == "1") is (called == 1)


def test_what_another_depends_on_stays(app: Viloapp, wheels: dict[str, Path]) -> None:
    """Neither `uninstall` nor `disable` takes it away; both name who needs it, and what would do."""
    app("install", "--yes", *UNSIGNED, wheels["hello"], wheels["calls_other_plugin"]).ok()
    before = app.snapshot()
    for verb in ("uninstall", "disable"):
        said = app(verb, "hello").refused(1)
        assert "calls-other-plugin requires hello" in said
        assert f"viloapp {verb} calls-other-plugin hello" in said
    assert app.snapshot() == before
    assert app.call("caller.greet", name="you").startswith("hello says: ")
    app("uninstall", "hello", "calls-other-plugin").ok()
    assert app.plugins() == {}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["requires_hello_99"], "requires-hello-99 0.1.0 requires hello>=99; tried 0.1.0"),
        (["conflicts_with_hello", "hello"], "conflicts-with-hello and hello cannot be enabled together"),
        (["cycle_a"], "cycle-a requires cycle-b; cycle-b is to load after cycle-a"),
    ],
    ids=["no version", "conflict", "cycle"],
)
def test_what_cannot_be_together_is_refused(
    app: Viloapp, wheels: dict[str, Path], wheel_folder: Path, asked: list[str], told: str
) -> None:
    """By names, and with nothing changed; the versions that were tried are those of the index."""
    with Index(wheel_folder) as index:
        said = app(
            "install", "--yes", *UNSIGNED, "--index-url", index.url, *(wheels[name] for name in asked)
        ).refused(1)
    assert told in said
    assert app.plugins() == {}
    assert not [path for path in app.snapshot() if path.startswith("plugins/")]
