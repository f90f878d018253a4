"""What is mounted so far, and what that shows."""

import os
from pathlib import Path

import pytest

from viloapp_core.sandbox.mounts import Mount, MountKind, Mounts
from viloapp_core.sandbox.request import RealDisk


def test_the_last_mount_above_a_path_decides() -> None:
    """Whatever is mounted at the place itself or above it; plain folders show nothing of what is outside."""
    mounts = Mounts()
    for kind, place in (
        (MountKind.READ, "/home/me"),
        (MountKind.HIDE_FOLDER, "/home/me/store"),
        (MountKind.WRITE, "/home/me/store/data"),
    ):
        mounts.add(Mount(kind, Path(place), place))
    shown = {
        place: mounts.shows(Path(place))
        for place in (
            "/",
            "/home",
            "/home/me/file",
            "/home/me/store/other",
            "/home/me/store/data/file",
            "/home/mend",
        )
    }
    assert shown == {
        "/": False,
        "/home": False,
        "/home/me/file": True,
        "/home/me/store/other": False,
        "/home/me/store/data/file": True,
        "/home/mend": False,
    }
    mounts.add(Mount(MountKind.SCRATCH, Path("/home/me")))
    assert not mounts.shows(Path("/home/me/store/data/file"))


def test_folders_above_are_made_once_and_in_order() -> None:
    """What is below one that is shown already has its folders; a copy goes on alone."""
    first = Mounts()
    first.add(Mount(MountKind.READ, Path("/a/b/c"), "/x"))
    second = first.copy()
    second.add(Mount(MountKind.WRITE, Path("/a/b/d/e"), "/y"))
    second.add(Mount(MountKind.WRITE, Path("/a/b/c/f"), "/z"))
    places = [(mount.kind.name, str(mount.target)) for mount in second.made]
    assert places == [
        ("FOLDER", "/a"),
        ("FOLDER", "/a/b"),
        ("READ", "/a/b/c"),
        ("FOLDER", "/a/b/d"),
        ("WRITE", "/a/b/d/e"),
        ("WRITE", "/a/b/c/f"),
    ]
    assert len(first.made) == 3


@pytest.mark.parametrize(
    "path",
    ["plain/file", "link/file", "chain", "plain/../link", "missing/below", "loop/x", "plain/file/below"],
)
def test_a_path_is_resolved_as_the_system_does_it(tmp_path: Path, path: str) -> None:
    """With links on the way, without, and where nothing is."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/file").touch()
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "chain").symlink_to(tmp_path / "link/file")
    (tmp_path / "loop").symlink_to("loop")
    disk = RealDisk()
    for _ in range(2):
        assert disk.resolve(tmp_path / path) == Path(os.path.realpath(tmp_path / path))
