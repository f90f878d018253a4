"""`viloapp migrate state`: what was open is in the workspace's arrangement, for its plugins."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.cli.main import main
from viloapp_core.host import SyncHost
from viloapp_core.store import Store
from viloapp_core.web.layouts import MAX_BYTES, Layouts

from .conftest import Ran, die_at

FIXTURES = Path(__file__).parents[2] / "fixtures" / "state"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The old application's file."""
    return Path(shutil.copy(FIXTURES / "state-2.0.json", tmp_path / "state.json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace folder."""
    path = tmp_path / "work"
    path.mkdir()
    return path


def _kept(store: Store, folder: Path) -> dict[str, Any] | None:
    async def nobody(instance: str) -> None: ...

    return Layouts(store.root / "workspace.json", folder, nobody).load()


def test_what_was_open_is_in_the_workspace(
    old: Path, folder: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """The page finds every tab with its state; the file is of today's form; a second run does nothing."""
    before = old.read_bytes()
    ran = viloapp("migrate", "state", str(old), "--folder", str(folder), "-y", "--json")
    assert ran.code == 0
    assert ran.json["log"] == ["Migrated from 2.0", f"Backup created at {old.with_suffix('.backup')}"]
    kept = _kept(store, folder)
    assert kept is not None
    titles = {panel["title"]: panel for panel in kept["layout"]["panels"]}
    assert len(titles) == 10
    session = kept["states"][titles["Server"]["instance"]]["session"]
    assert (session["cwd"], session["history"][0]) == ("/opt/app", "git status")
    buffer = kept["states"][titles["notes.md"]["instance"]]["buffer"]
    assert (buffer["cursor_position"], buffer["modified"]) == ({"line": 2, "column": 4}, True)
    assert old.with_suffix(".backup").read_bytes() == before
    migrated = old.read_bytes()
    assert json.loads(migrated)["version"] == "3.0"

    (store.root / "workspace.json").unlink()
    again = viloapp("migrate", "state", str(old), "--folder", str(folder), "-y", "--json")
    assert (again.code, again.json["migrated"]) == (0, False)
    assert old.read_bytes() == migrated
    assert _kept(store, folder) is None


def test_half_a_character_refuses_its_entry_alone(
    folder: Path, tmp_path: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """The entry stays in the file as it was and is told; all else opens, wherever the file has others."""
    bad = {"id": "1", "title": "\udcff", "env_vars": {"X": "\ud800"}}
    document = {
        "terminals": [bad, {"id": "2", "title": "ö"}],
        "editors": [{"id": "3", "content": "\udcff"}, {"id": "4", "path": "a.py"}],
        "workspace": json.dumps({"tabs": [{"name": "\udcff", "type": "leaf", "session_id": "2"}]}),
        "\udcff": "x",
    }
    file = tmp_path / "old.json"
    file.write_text(json.dumps(document))
    for options in (("--dry-run",), ("--yes", "--json"), ("--yes",)):
        if options == ("--yes",):  # what a person reads is written, too
            file.write_text(json.dumps(document))
        ran = viloapp("migrate", "state", str(file), "--folder", str(folder), *options)
        assert ran.code == 0, ran.err
        shown = ran.out + ran.err
        for path in ("terminals[0]", "editors[0]"):
            assert path in shown
        assert "it has half a character" in shown
    kept = _kept(store, folder)
    assert kept is not None
    assert sorted(panel["title"] for panel in kept["layout"]["panels"]) == ["a.py", "ö"]
    left = json.loads(file.read_text("utf-8"))["kept"]["2.0"]
    assert left["terminals"] == [bad]
    assert left["editors"] == [{"id": "3", "content": "\udcff"}]


def test_as_much_as_people_have_open(
    folder: Path, tmp_path: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """Thirty unsaved files of a thousand lines, twenty shells with a thousand lines of history each."""
    stored = json.loads((FIXTURES / "state-2.0.json").read_text())
    text = "".join(f"line {number}: {{not}} a %(template)s <b>ö</b>\n" for number in range(1000))
    editor, terminal = stored["editors"][0], stored["terminals"][0]
    editors = [
        {
            **editor,
            "id": f"e{number}",
            "path": f"src/{number}.py",
            "content": f"{number}\n{text}",
        }
        for number in range(30)
    ]
    terminals = [
        {
            **terminal,
            "id": f"t{number}",
            "command_history": [f"make {each}" for each in range(1000)],
        }
        for number in range(20)
    ]
    old = tmp_path / "state.json"
    old.write_text(json.dumps({**stored, "editors": editors, "terminals": terminals}))
    assert old.stat().st_size > 1_500_000
    ran = viloapp("migrate", "state", str(old), "--folder", str(folder), "-y", "--json")
    assert ran.code == 0, ran.err
    kept = _kept(store, folder)
    assert kept is not None
    states = list(kept["states"].values())
    buffers = {state["buffer"]["id"]: state["buffer"]["content"] for state in states if "buffer" in state}
    assert buffers == {editor["id"]: editor["content"] for editor in editors}
    histories = [state["session"]["history"] for state in states if "session" in state]
    assert [len(history) for history in histories] == [1000] * 20


def test_shown_first_with_all_that_it_runs_and_sets(
    old: Path, folder: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """A dry run names shells and variables, entries without an id, and what is not installed."""
    before = old.read_bytes()
    ran = viloapp("migrate", "state", str(old), "--folder", str(folder), "--dry-run")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert (
        "terminal Server: in /opt/app, runs /bin/bash -l, sets APP_ENV, PATH_EXTRA, 4 commands of history"
        in lines
    )
    assert "editor notes.md: line 3, column 5, text that was not saved" in lines
    assert "left: terminals[3]: it has no id; it is not opened" in ran.err
    assert "viloxterm is not installed" in ran.err
    assert old.read_bytes() == before
    assert not (store.root / "workspace.json").exists()


def test_what_the_workspace_showed_is_kept_in_a_copy(
    old: Path, folder: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """It is told how much is replaced, and other folders keep theirs."""
    store.root.mkdir()
    mine = {"layout": {"version": 1, "dock": {}, "panels": [{"id": "a"}]}, "states": {}}
    whole = {"version": 1, "folders": {str(folder): mine, "/other": mine}}
    (store.root / "workspace.json").write_text(json.dumps(whole))
    ran = viloapp("migrate", "state", str(old), "--folder", str(folder), "-y")
    assert "the 1 tabs that this folder's workspace has now are replaced" in ran.err
    assert json.loads((store.root / "workspace.backup").read_text()) == whole
    kept = _kept(store, folder)
    assert kept is not None
    assert len(kept["layout"]["panels"]) == 10
    assert _kept(store, Path("/other")) == mine


def test_not_while_the_workspace_is_open(
    old: Path, folder: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """Its page would write over it; nothing is done."""
    before = old.read_bytes()
    with SyncHost(store.root):
        ran = viloapp("migrate", "state", str(old), "--folder", str(folder), "-y")
    assert (ran.code, ran.err.count("error: ")) == (1, 1)
    assert "the workspace is open" in ran.err
    assert [path.name for path in old.parent.glob("state*")] == ["state.json"]
    assert old.read_bytes() == before


def test_text_of_saved_files_is_left_to_the_files(
    folder: Path, tmp_path: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """Large files that were open do not make the arrangement too large, unless they are unsaved."""
    large = "x" * (MAX_BYTES // 4)
    (folder / "a").write_text(large)
    editors = [{"id": n, "path": "a", "content": large, "is_modified": n > 9} for n in range(15)]
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"editors": editors[:10]}))
    assert viloapp("migrate", "state", str(file), "--folder", str(folder), "-y").code == 0
    file.write_text(json.dumps({"editors": editors}))
    before = file.read_bytes()
    ran = viloapp("migrate", "state", str(file), "--folder", str(folder), "-y")
    assert (ran.code, ran.err.count("error: ")) == (1, 1)
    assert file.read_bytes() == before
    kept = _kept(store, folder)
    assert kept is not None
    assert len(kept["states"]) == 10


@pytest.mark.parametrize("content", ["{}", '{"theme": "dark"}', "[]", '{"version": "7", "tabs": []}'])
def test_what_is_no_state(tmp_path: Path, viloapp: Callable[..., Ran], content: str) -> None:
    """One line, exit code 1, nothing changed."""
    file = tmp_path / "f.json"
    file.write_text(content)
    ran = viloapp("migrate", "state", str(file), "-y")
    assert (ran.code, ran.out, ran.err.count("error: ")) == (1, "", 1)
    assert file.read_text() == content
    assert viloapp("migrate", "state").code == 2


def test_killed_at_every_step(
    old: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file is whole, here or in its copy, what the workspace showed too; the next run finishes."""
    content = old.read_bytes()
    mine = {"layout": {"version": 1, "dock": {}, "panels": [{"id": "a"}]}, "states": {}}
    shown = json.dumps({"version": 1, "folders": {str(folder): mine}})
    command = ["migrate", "state", "--folder", str(folder), "-y", "-q"]
    main([*command, str(old)])  # loads every module: their files are no steps
    migrated = old.read_bytes()
    seen = set()
    for step in count(1):
        base = tmp_path / f"at-{step}"
        (base / "store").mkdir(parents=True)
        file, arrangement = base / "state.json", base / "store" / "workspace.json"
        file.write_bytes(content)
        arrangement.write_text(shown)
        monkeypatch.setenv("VILOAPP_HOME", str(base / "store"))
        died = die_at(step, [*command, str(file)])
        assert file.read_bytes() in (content, migrated), f"step {step}"
        if file.read_bytes() == migrated:
            assert file.with_suffix(".backup").read_bytes() == content, f"step {step}"
        panels = json.loads(arrangement.read_bytes())["folders"][str(folder)]["layout"]["panels"]
        assert len(panels) in (1, 10), f"step {step}"
        if len(panels) == 10:
            assert arrangement.with_suffix(".backup").read_text() == shown, f"step {step}"
        seen.add((file.read_bytes() == migrated, len(panels)))
        assert main([*command, str(file)]) == 0
        assert file.read_bytes() == migrated, f"step {step}"
        if not died:
            break
    assert seen == {(False, 1), (False, 10), (True, 10)}
