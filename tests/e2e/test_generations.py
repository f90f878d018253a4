"""Update, rollback, repair and gc, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.wheels import forge


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


MOVES = """
from viloapp_sdk import Plugin, command

class Moves(Plugin):
    @command("moves.say")
    def say(self):
        note = self.context.storage / "note"
        return [self.context.settings.as_dict(), note.read_text() if note.exists() else ""]

    @command("moves.write")
    def write(self, text: str):
        (self.context.storage / "note").write_text(text)

def to_2(settings, data):
    (data / "note").write_text("2:" + (data / "note").read_text())
    return {"text": settings["greeting"]}

def to_3(settings, data):
    (data / "note").unlink()
    return settings["nothing of that name"]
"""


def _moves(folder: Path, version: str, setting: str, settings: dict[str, object] | None = None) -> None:
    """Write a release of a plugin whose settings have versions."""
    manifest = {
        "schema": 1,
        "api_version": "1.0",
        "commands": [{"id": "moves.say"}, {"id": "moves.write", "parameters": [{"name": "text"}]}],
        "configuration": {setting: {"type": "string", "default": ""}},
        **({"settings": settings} if settings else {}),
    }
    files = {"moves.py": MOVES, f"moves-{version}.dist-info/plugin.json": json.dumps(manifest)}
    points = "[viloapp.plugins]\nmoves = moves:Moves\n"
    forge(folder, "moves", version, files, requires=["viloapp-sdk"], entry_points=points)


def test_settings_and_data_follow_the_version(app: Viloapp, wheels: dict[str, Path], tmp_path: Path) -> None:
    """The dry run names the steps; they run once, while the workspace runs; back, forward, and refused."""
    offline = ("--offline", "--find-links", tmp_path / "index", "--allow-unsigned", "moves", "--yes")
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()  # fetches what it imports
    _moves(tmp_path / "index", "0.1", "greeting")
    app("install", *offline, "moves").ok()
    steps = [{"from": "1", "to": "2", "run": "moves:to_2"}]
    _moves(tmp_path / "index", "0.2", "text", {"version": "2", "steps": steps})
    app("config", "set", "moves.greeting", "good day").ok()
    with app.workspace(tmp_path):
        app.call("moves.write", text="mine")
        before = app.snapshot()
        told = app("update", "moves", "--dry-run", *offline).ok()
        assert "version 1 to 2, by the steps 1 to 2 (moves:to_2)" in told.err
        assert app.snapshot() == before
        (row,) = app("update", "moves", "--json", *offline).json()["plugins"]
        assert row["settings"] == {
            "before": "1",
            "after": "2",
            "steps": ["1 to 2 (moves:to_2)"],
            "restored": False,
        }
        assert app.call("moves.say") == [{"text": "good day"}, "2:mine"]
        assert app("info", "moves", "--json").json()["settings"] == {"version": "2", "reads": "2"}
        app("config", "set", "moves.text", "changed").ok()
        back = app("rollback", "moves").ok()
        assert "it cannot read version 2; those that were kept of version 1 come back" in back.err
        assert "what was set since (text) is kept beside 0.2" in back.err
        assert app.call("moves.say") == [{"greeting": "good day"}, "mine"]
    app("rollback", "moves", "--to", "0.2").ok()
    assert app.call("moves.say") == [{"text": "changed"}, "2:mine"]
    steps.append({"from": "2", "to": "3", "run": "moves:to_3"})
    _moves(tmp_path / "index", "0.3", "text", {"version": "3", "steps": steps})
    refused = app("update", "moves", *offline).refused(1)
    assert "the step of its settings from 2 to 3 (moves:to_3) failed: KeyError" in refused
    assert app.call("moves.say") == [{"text": "changed"}, "2:mine"]
    assert app("repair", "--check").ok().out == "nothing is broken\n"


def test_no_way_back_is_one_clear_answer(app: Viloapp, wheels: dict[str, Path]) -> None:
    """Refused with what there is; a plugin that is not installed too."""
    app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
    assert "there is 0.1.0 (in use)" in app("rollback", "hello").refused(1)
    assert "9.9" in app("rollback", "hello", "--to", "9.9").refused(1)
    assert "not installed" in app("rollback", "nobody").refused(1)
    assert "not installed" in app("update", "nobody").refused(1)
    assert json.loads(app("repair", "--json").ok().out)["plugins"] == []
