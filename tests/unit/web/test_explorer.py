"""The explorer shows the workspace folder and nothing outside it."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viloapp_core.web.errors import OutsideWorkspaceError, UnreadableFolderError
from viloapp_core.web.explorer import MAX_ENTRIES, listing, locate


def test_folders_come_first_then_names_without_case(folder: Path) -> None:
    """The order in which people look for things."""
    for name in ("b.txt", "A.txt", "c"):
        (folder / name).write_text("xy")
    (folder / "z").mkdir()
    found = listing(folder, "")
    assert [(entry["name"], entry["kind"], entry["size"]) for entry in found["entries"]] == [
        ("z", "folder", 0),
        ("A.txt", "file", 2),
        ("b.txt", "file", 2),
        ("c", "file", 2),
    ]
    assert found["entries"][0]["path"] == str(folder / "z")
    assert found["truncated"] is False


@pytest.mark.parametrize("path", ["..", "../..", "a/../..", "/", "/etc", "link", "link/inside", "x\0y"])
def test_paths_that_lead_out_are_refused(folder: Path, tmp_path: Path, path: str) -> None:
    """By dots, by an absolute path or through a link: it is outside."""
    (tmp_path / "secret" / "inside").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "a").mkdir()
    with pytest.raises(OutsideWorkspaceError):
        listing(folder, path)


def test_link_that_leads_out_is_listed_without_what_it_leads_to(folder: Path, tmp_path: Path) -> None:
    """Neither its kind nor its size is told."""
    (tmp_path / "secret").write_text("12345")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    kinds = {entry["name"]: (entry["kind"], entry["size"]) for entry in listing(folder, "")["entries"]}
    assert kinds == {"link": ("other", 0), "dangling": ("other", 0), "loop": ("other", 0)}


def test_link_inside_is_followed(folder: Path) -> None:
    """A link within the workspace is as good as what it names."""
    (folder / "real").mkdir()
    (folder / "real" / "file").write_text("")
    (folder / "link").symlink_to("real")
    assert [entry["name"] for entry in listing(folder, "link")["entries"]] == ["file"]


def test_file_is_no_folder(folder: Path) -> None:
    """The reason is the system's."""
    (folder / "file").write_text("")
    with pytest.raises(UnreadableFolderError, match="Not a directory"):
        listing(folder, "file")


def test_missing_folder_is_named(folder: Path) -> None:
    """Said with its path."""
    with pytest.raises(UnreadableFolderError, match="gone"):
        listing(folder, "gone")


def test_a_path_that_no_file_can_have_is_refused(folder: Path) -> None:
    """Half a character cannot be asked of the disk, nor told to the page."""
    with pytest.raises(UnreadableFolderError) as caught:
        listing(folder, "\ud83d")
    assert str(caught.value).encode()


def test_names_that_are_not_text_can_be_sent(folder: Path) -> None:
    """A file name is bytes; the page gets something that it can show."""
    os.close(os.open(os.fsencode(folder) + b"/\xff.txt", os.O_CREAT))
    assert listing(folder, "")["entries"][0]["name"].encode("utf-8")


def test_huge_folder_is_cut(folder: Path) -> None:
    """One message stays of bounded size, and says that it is not all."""
    for number in range(MAX_ENTRIES + 1):
        (folder / str(number)).touch()
    found = listing(folder, "")
    assert len(found["entries"]) == MAX_ENTRIES
    assert found["truncated"] is True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "a", "b", "", "/", "~", "link"]), max_size=8).map("/".join))
def test_nothing_found_is_ever_outside(folder: Path, path: str) -> None:
    """However the parts are put together."""
    if not (folder / "link").is_symlink():
        (folder / "link").symlink_to(folder.parent)
    try:
        found = locate(folder, path)
    except OutsideWorkspaceError:
        return
    assert found.is_relative_to(folder.resolve())
