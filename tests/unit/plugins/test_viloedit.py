"""The editor plugin: opening, saving, and coming back with unsaved text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from viloedit.editor import Editor
from viloedit.errors import (
    ChangedOnDiskError,
    EditorError,
    FileExistsAlreadyError,
    NoEditorError,
    NoPathError,
    NoSuchFileError,
)
from viloedit.plugin import ViloEdit

if TYPE_CHECKING:
    from tests.unit.plugins.conftest import Desk, MakeDesk

SETTINGS: dict[str, Any] = {
    "fontSize": 14,
    "fontFamily": "monospace",
    "tabSize": 4,
    "wordWrap": False,
    "lineNumbers": True,
    "theme": "auto",
}


@pytest.fixture
def desk(make_desk: MakeDesk, folder: Path) -> Iterator[Desk]:
    """A workspace with the editor plugin and one file."""
    (folder / "a.py").write_text("one\n")
    yield make_desk(ViloEdit(), SETTINGS)
    Editor.opened.clear()


def _open(desk: Desk, path: str = "a.py") -> Any:
    return desk.widgets[desk.call("viloedit.open", path=path)["instance"]]


def test_open_shows_the_file(desk: Desk) -> None:
    """The page gets text, language, settings and a clean start."""
    editor = _open(desk)
    expected = {"path": "a.py", "text": "one\n", "language": "python", "modified": False}
    assert editor.data() == {**expected, "cursor": {"line": 1, "column": 1}, **SETTINGS}
    assert editor.get_title() == "a.py"


def test_what_cannot_be_shown_opens_no_tab(desk: Desk) -> None:
    """A refused file leaves the workspace as it was."""
    with pytest.raises(NoSuchFileError):
        desk.call("viloedit.open", path="none.py")
    assert not desk.widgets


def test_page_saves(desk: Desk, folder: Path) -> None:
    """The page's text is on disk after `save`, which answers path and length."""
    editor = _open(desk)
    assert editor.handle_command("save", {"text": "two\n"}) == {"path": "a.py", "bytes": 4}
    assert (folder / "a.py").read_text() == "two\n"
    assert not editor.modified


def test_palette_saves_what_was_typed(desk: Desk, folder: Path) -> None:
    """The command saves the text that the page told last, and the page learns that it is clean."""
    editor = _open(desk)
    editor.handle_command("changed", {"text": "typed\n", "cursor": {"line": 1, "column": 6}})
    assert editor.modified
    desk.call("viloedit.save")
    assert (folder / "a.py").read_text() == "typed\n"
    assert desk.updates[-1] == (editor.instance_id, {"modified": False}, None)


def test_new_text_needs_a_path_then_has_one(desk: Desk, folder: Path) -> None:
    """A text without a file is refused without a path; with one the tab becomes that file."""
    editor = desk.widgets[desk.call("viloedit.new", text="x = 1\n")["instance"]]
    assert isinstance(editor, Editor)
    assert editor.modified
    with pytest.raises(NoPathError):
        desk.call("viloedit.save")
    assert desk.call("viloedit.save", path="b.py") == {"path": "b.py", "bytes": 6}
    assert (folder / "b.py").read_text() == "x = 1\n"
    assert (editor.get_title(), editor.data()["language"]) == ("b.py", "python")


def test_change_on_disk_is_told_once_and_kept(desk: Desk, folder: Path) -> None:
    """Somebody else's text is neither overwritten nor nagged about; the person chooses."""
    editor = _open(desk)
    (folder / "a.py").write_text("theirs\n")
    for text in ("m", "mi"):
        assert editor.handle_command("changed", {"text": text})["changedOnDisk"] is True
    assert len(desk.shown) == 1
    with pytest.raises(ChangedOnDiskError):
        editor.handle_command("save", {"text": "mine\n"})
    assert (folder / "a.py").read_text() == "theirs\n"
    desk.call("viloedit.overwrite")
    assert (folder / "a.py").read_text() == "mine\n"


def test_reload_takes_the_text_on_disk(desk: Desk, folder: Path) -> None:
    """Reloading gives up what was typed and shows the file."""
    editor = _open(desk)
    (folder / "a.py").write_text("theirs\n")
    editor.handle_command("changed", {"text": "mine\n"})
    desk.call("viloedit.reload")
    assert desk.updates[-1][1]["text"] == "theirs\n"
    assert not editor.modified


def test_unsaved_text_and_cursor_come_back(desk: Desk, folder: Path) -> None:
    """After a restart the tab shows what was typed, and saving it works."""
    editor = _open(desk)
    editor.handle_command("changed", {"text": "typed\n", "cursor": {"line": 1, "column": 3}})
    again, data = desk.open("viloedit.editor", {"path": "a.py"}, state=editor.get_state())
    assert (data["text"], data["modified"], data["cursor"]) == ("typed\n", True, {"line": 1, "column": 3})
    again.save()
    assert (folder / "a.py").read_text() == "typed\n"


def test_clean_tab_comes_back_with_the_file_of_now(desk: Desk, folder: Path) -> None:
    """Without unsaved text, the state holds no copy of the file."""
    editor = _open(desk)
    state = editor.get_state()
    assert "text" not in state
    (folder / "a.py").write_text("newer\n")
    _, data = desk.open("viloedit.editor", state=state)
    assert (data["text"], data["modified"]) == ("newer\n", False)


def test_unsaved_text_over_a_changed_file_asks(desk: Desk, folder: Path) -> None:
    """Text typed before a restart does not overwrite what was written to the file meanwhile."""
    editor = _open(desk)
    editor.handle_command("changed", {"text": "mine\n"})
    state = editor.get_state()
    (folder / "a.py").write_text("theirs\n")
    again, data = desk.open("viloedit.editor", state=state)
    assert data["text"] == "mine\n"
    assert len(desk.shown) == 1
    with pytest.raises(ChangedOnDiskError):
        again.save()


def test_unsaved_text_survives_a_deleted_file(desk: Desk, folder: Path) -> None:
    """What was typed comes back even when its file is gone, and can be saved."""
    editor = _open(desk)
    editor.handle_command("changed", {"text": "typed\n"})
    state = editor.get_state()
    (folder / "a.py").unlink()
    again, data = desk.open("viloedit.editor", state=state)
    assert (data["text"], data["modified"]) == ("typed\n", True)
    again.save()
    assert (folder / "a.py").read_text() == "typed\n"


def test_which_editor_is_never_guessed(desk: Desk) -> None:
    """With several editors and no focus, saving asks which one."""
    with pytest.raises(NoEditorError):
        desk.call("viloedit.save")
    _open(desk)
    _open(desk)
    desk.active = None
    with pytest.raises(NoEditorError):
        desk.call("viloedit.save")


def test_closed_editor_is_forgotten(desk: Desk) -> None:
    """A closed tab can no longer be saved by its id."""
    editor = _open(desk)
    editor.destroy()
    assert desk.call("viloedit.list") == []


def test_changed_looks_reach_open_editors(desk: Desk) -> None:
    """A new tab size shows at once, and what is typed is not sent back with it."""
    editor = _open(desk)
    desk.set("tabSize", 8)
    instance, data, title = desk.updates[-1]
    assert (instance, data["tabSize"], title) == (editor.instance_id, 8, None)
    assert "text" not in data


def _restored(desk: Desk, **buffer: Any) -> Any:
    entry: dict[str, Any] = {
        "id": "e",
        "file_path": None,
        "content": "",
        "cursor_position": {"line": 0, "column": 0},
    }
    entry |= {"selection": None, "modified": False, "syntax": "plain"}
    editor, _ = desk.open("viloedit.editor", state={"buffer": entry | buffer})
    return editor


def test_a_migrated_buffer_comes_with_cursor_selection_and_text(desk: Desk, folder: Path) -> None:
    """Places count from 1 here; what was not saved is not saved, and is not written over the file unasked."""
    editor = _restored(
        desk,
        file_path="a.py",
        content="two\nthree\n",
        modified=True,
        cursor_position={"line": 1, "column": 3},
        selection={"start": {"line": 0, "column": 1}, "end": {"line": 1, "column": 3}},
    )
    data = editor.data()
    assert (data["path"], data["text"], data["modified"]) == ("a.py", "two\nthree\n", True)
    assert data["cursor"] == {"line": 2, "column": 4}
    assert data["selection"] == {"anchor": {"line": 1, "column": 2}, "head": {"line": 2, "column": 4}}
    with pytest.raises(FileExistsAlreadyError):
        editor.save()
    assert (folder / "a.py").read_text() == "one\n"
    state = editor.get_state()
    again, _ = desk.open("viloedit.editor", state=state)
    assert again.data() == data
    assert "buffer" not in again.get_state()
    assert editor.save(overwrite=True)["bytes"] == 10


def test_a_selection_made_backwards(desk: Desk) -> None:
    """The cursor stays at its end; what is no selection is none."""
    ends = {"start": {"line": 0, "column": 0}, "end": {"line": 0, "column": 3}}
    assert _restored(desk, file_path="a.py", selection=ends).selection == {
        "anchor": {"line": 1, "column": 4},
        "head": {"line": 1, "column": 1},
    }
    for wrong in ({}, {"start": 3}, {"start": ends["start"], "end": ends["start"]}, [1], "x"):
        assert _restored(desk, file_path="a.py", selection=wrong).selection is None


def test_a_migrated_buffer_that_was_saved_shows_the_file(desk: Desk) -> None:
    """The file is what counts, also when its text is newer than what was kept."""
    data = _restored(desk, file_path="a.py", content="older\n").data()
    assert (data["text"], data["modified"]) == ("one\n", False)


def test_a_migrated_buffer_without_its_file_keeps_its_text(desk: Desk, folder: Path) -> None:
    """What was kept may be all there is: a file that is gone, or that this workspace does not reach."""
    gone = _restored(desk, file_path="gone.txt", content="here\n", modified=False)
    assert (gone.path, gone.text, gone.modified) == ("gone.txt", "here\n", True)
    assert gone.save()["bytes"] == 5
    (folder.parent / "outside.txt").write_text("secret")
    outside = _restored(desk, file_path=str(folder.parent / "outside.txt"), content="mine", modified=True)
    assert (outside.path, outside.text, outside.modified) == (None, "mine", True)
    assert "outside the workspace folder" in desk.shown[-1][0]
    with pytest.raises(EditorError):
        _restored(desk, file_path=str(folder.parent / "outside.txt"))
    with pytest.raises(EditorError):
        _restored(desk, file_path="nothing_kept.txt")


def test_a_migrated_text_without_a_file_has_its_language(desk: Desk, folder: Path) -> None:
    """Until it is saved: then the name says it."""
    editor = _restored(desk, content="select 1;\n", syntax="sql")
    assert (editor.data()["language"], editor.modified) == ("sql", True)
    again, _ = desk.open("viloedit.editor", state=editor.get_state())
    assert again.data()["language"] == "sql"
    again.save("x.md")
    assert again.data()["language"] == "markdown"
    assert _restored(desk, content="x", syntax="klingon").data()["language"] == "text"


def test_the_page_tells_what_is_selected(desk: Desk) -> None:
    """It comes back with the tab."""
    editor = _open(desk)
    places = {"anchor": {"line": 1, "column": 1}, "head": {"line": 1, "column": 4}}
    editor.handle_command("changed", {"text": "one\n", "cursor": places["head"], "selection": places})
    assert editor.get_state()["selection"] == places
    editor.handle_command("changed", {"text": "one\n", "cursor": places["head"], "selection": None})
    assert "selection" not in editor.get_state()
