"""Files of the workspace folder, on a real file system."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from viloedit.documents import EMPTY
from viloedit.errors import (
    ChangedOnDiskError,
    EditorError,
    FileExistsAlreadyError,
    NoSuchFileError,
    NotTextError,
    OutsideFolderError,
    TooLargeError,
)
from viloedit.files import MAX_BYTES, Folder


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "link/passwd", "a/../../secret"])
def test_no_path_leads_out_of_the_folder(folder: Path, path: str) -> None:
    """Neither dots nor an absolute path nor a link reaches another folder."""
    (folder / "link").symlink_to("/etc")
    with pytest.raises(OutsideFolderError):
        Folder(str(folder)).locate(path)


def test_absolute_and_relative_paths_are_one(folder: Path) -> None:
    """The same file has one name, however it is asked for."""
    (folder / "src").mkdir()
    here = Folder(str(folder))
    assert here.locate("src/../src/a.py") == here.locate(str(folder / "src/a.py")) == "src/a.py"


def test_folder_that_is_reached_through_a_link(folder: Path, tmp_path: Path) -> None:
    """A workspace folder may itself be a link."""
    (tmp_path / "alias").symlink_to(folder)
    (folder / "a").write_text("x")
    assert Folder(str(tmp_path / "alias")).read("a").text == "x"


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o4755])
def test_save_keeps_the_mode(folder: Path, mode: int) -> None:
    """An executable stays executable, a private file private."""
    path = folder / "run.sh"
    path.write_text("old\n")
    path.chmod(mode)
    here = Folder(str(folder))
    here.write("run.sh", "new\n", here.read("run.sh"))
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_new_file_has_the_usual_mode(folder: Path) -> None:
    """A file that the editor creates gets what the umask leaves, as from any program."""
    old = os.umask(0o027)
    try:
        Folder(str(folder)).write("new.txt", "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((folder / "new.txt").stat().st_mode) == 0o640


def test_save_replaces_in_one_step(folder: Path) -> None:
    """A reader that has the file open goes on reading the old text, and nothing is left beside it."""
    path = folder / "a.txt"
    path.write_text("old text\n")
    here = Folder(str(folder))
    document = here.read("a.txt")
    with path.open() as reader:
        here.write("a.txt", "new\n", document)
        assert reader.read() == "old text\n"
    assert [entry.name for entry in folder.iterdir()] == ["a.txt"]


def test_save_through_a_link_keeps_the_link(folder: Path) -> None:
    """The file behind a link inside the folder is written; the link stays one."""
    (folder / "real.txt").write_text("old")
    (folder / "link.txt").symlink_to("real.txt")
    here = Folder(str(folder))
    name = here.locate("link.txt")
    here.write(name, "new", here.read(name))
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text() == "new"


def test_anothers_change_is_not_overwritten(folder: Path) -> None:
    """A file that changed since it was read is refused, and replaced only when that is asked for."""
    path = folder / "a.txt"
    path.write_text("mine\n")
    here = Folder(str(folder))
    document = here.read("a.txt")
    path.write_text("theirs\n")
    with pytest.raises(ChangedOnDiskError) as caught:
        here.write("a.txt", "edited\n", document)
    assert "Reload" in caught.value.hint
    assert path.read_text() == "theirs\n"
    here.write("a.txt", "edited\n", document, overwrite=True)
    assert path.read_text() == "edited\n"


def test_touched_but_same_bytes_is_no_change(folder: Path) -> None:
    """A new time stamp over the same bytes (a checkout and back) does not get in the way."""
    path = folder / "a.txt"
    path.write_text("same\n")
    here = Folder(str(folder))
    document = here.read("a.txt")
    os.utime(path, (1, 1))
    saved, length = here.write("a.txt", "edited\n", document)
    assert (saved.text, length) == ("edited\n", 7)


def test_deleted_file_is_made_again(folder: Path) -> None:
    """Saving after another program deleted the file loses nothing."""
    path = folder / "a.txt"
    path.write_text("x")
    here = Folder(str(folder))
    document = here.read("a.txt")
    path.unlink()
    here.write("a.txt", "y", document)
    assert path.read_text() == "y"


def test_new_name_never_lands_on_an_existing_file(folder: Path) -> None:
    """Saving under another name does not silently replace what was there."""
    (folder / "b.txt").write_text("precious")
    here = Folder(str(folder))
    with pytest.raises(FileExistsAlreadyError):
        here.write("b.txt", "x", EMPTY)
    assert (folder / "b.txt").read_text() == "precious"


def test_missing_folder_is_named(folder: Path) -> None:
    """A path into a folder that does not exist says so."""
    with pytest.raises(NoSuchFileError, match="no folder for nowhere"):
        Folder(str(folder)).write("nowhere/a.txt", "x")


def test_large_file_is_refused_unread(folder: Path) -> None:
    """A file over the limit is refused with its size, and not read into memory first."""
    with (folder / "big.log").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse: were it read, it would be called binary
    with pytest.raises(TooLargeError, match=r"big\.log has 5\.2 MB"):
        Folder(str(folder)).read("big.log")


def test_largest_file_opens(folder: Path) -> None:
    """The limit itself is allowed."""
    (folder / "a").write_bytes(b"x" * MAX_BYTES)
    assert len(Folder(str(folder)).read("a").text) == MAX_BYTES


def test_pipe_does_not_hang(folder: Path) -> None:
    """A named pipe, which would block a plain open for ever, is refused at once."""
    os.mkfifo(folder / "pipe")
    with pytest.raises(NotTextError, match="no regular file"):
        Folder(str(folder)).read("pipe")


@pytest.mark.parametrize(("path", "error"), [("none.txt", NoSuchFileError), ("sub", NotTextError)])
def test_no_file_and_a_folder(folder: Path, path: str, error: type[EditorError]) -> None:
    """A missing file and a folder are told apart."""
    (folder / "sub").mkdir()
    with pytest.raises(error, match=path):
        Folder(str(folder)).read(path)


def test_failed_save_leaves_file_and_folder_as_they_were(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs neither the old text nor a stray temporary file."""

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    (folder / "a.txt").write_text("old")
    here = Folder(str(folder))
    document = here.read("a.txt")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EditorError, match="No space left"):
        here.write("a.txt", "new", document)
    assert (folder / "a.txt").read_text() == "old"
    assert [entry.name for entry in folder.iterdir()] == ["a.txt"]
