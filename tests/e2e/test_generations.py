"""Update, rollback, repair and gc, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.harness import UNSIGNED, Viloapp


def test_back_and_forth_repaired_and_collected(app: Viloapp, wheels: dict[str, Path]) -> None:
    """Two generations: back, broken, repaired without a network, used; then gc gives the rest back."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    app("install", "--yes", *UNSIGNED, "--force-reinstall", wheels["hello"]).ok()
    assert "rolled back hello 0.1.0" in app("rollback", "hello").ok().out
    assert app("repair", "--check").ok().out == "nothing is broken\n"

    (module,) = (app.store / "plugins/hello/current").resolve().glob("venv/lib/*/site-packages/hello.py")
    module.unlink()
    broken = app("repair", "--check")
    assert (broken.code, "hello.py is missing" in broken.err) == (1, True)
    assert "repaired hello" in app("repair").ok().out
    assert app.call("hello.greet") == "Hello, world!"

    app("install", "--yes", *UNSIGNED, "--force-reinstall", wheels["hello"]).ok()
    told = app("gc", "--dry-run", "--json").json()
    done = app("gc", "--json").json()
    assert told["freed_bytes"] == done["freed_bytes"]
    assert len(done["generations"]) == 1
    assert app("repair", "--check").ok().out == "nothing is broken\n"
    assert app.call("hello.greet") == "Hello, world!"


def test_update_says_what_is_as_new_as_can_be(
    app: Viloapp, wheels: dict[str, Path], wheel_folder: Path
) -> None:
    """What came from a folder of wheels is looked for there again; what came from a file is left alone."""
    offline = ("--offline", "--find-links", wheel_folder)
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()  # fetches what it imports
    told = app("update", *offline).ok()
    assert told.out == "unchanged hello 0.1.0\n"
    assert "installed from a wheel" in told.err
    app("install", "--yes", *UNSIGNED, "--force-reinstall", *offline, "hello").ok()
    assert app("update", "--check", *offline).ok().out == "unchanged hello 0.1.0\n"
    (row,) = app("update", "--json", *offline).json()["plugins"]
    assert (row["plugin_id"], row["status"], row["changes"]) == ("hello", "unchanged", [])


def test_no_way_back_is_one_clear_answer(app: Viloapp, wheels: dict[str, Path]) -> None:
    """Refused with what there is; a plugin that is not installed too."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    assert "there is 0.1.0 (in use)" in app("rollback", "hello").refused(1)
    assert "9.9" in app("rollback", "hello", "--to", "9.9").refused(1)
    assert "not installed" in app("rollback", "nobody").refused(1)
    assert "not installed" in app("update", "nobody").refused(1)
    assert json.loads(app("repair", "--json").ok().out)["plugins"] == []
