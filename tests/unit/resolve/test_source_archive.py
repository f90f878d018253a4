"""Source distributions with the same bytes each time."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from viloapp_core.resolve.source_archive import repack, unpack

EPOCH = 1_700_000_000


def _sdist(path: Path, names: list[str], **changes: object) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 1
            for key, value in changes.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(b"x"))
    return path


def test_times_owners_rights_and_order_do_not_matter(tmp_path: Path) -> None:
    """Two archives of the same files are the same bytes."""
    one = _sdist(tmp_path / "one.tar.gz", ["h-1/a", "h-1/b"], mtime=1, uid=7, uname="me", mode=0o600)
    two = _sdist(tmp_path / "two.tar.gz", ["h-1/b", "h-1/a"], mtime=2, gid=9, mode=0o666)
    for path in (one, two):
        repack(path, EPOCH)
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        assert {(each.mtime, each.uid, each.mode) for each in archive} == {(EPOCH, 0, 0o644)}


def test_what_has_no_place_is_left_out(tmp_path: Path) -> None:
    """What the specification names; programs stay executable."""
    rest = ["__pycache__/a.pyc", ".git/config", ".gitignore", ".pytest_cache/v", ".coverage", "b.pyc"]
    path = _sdist(tmp_path / "h.tar.gz", [f"h-1/{name}" for name in (*rest, "run")], mode=0o755)
    repack(path, EPOCH)
    with tarfile.open(path) as archive:
        assert [(each.name, each.mode) for each in archive] == [("h-1/run", 0o755)]


def test_what_reaches_out_is_not_unpacked(tmp_path: Path) -> None:
    """A member above the folder is an error, and nothing is outside."""
    path = _sdist(tmp_path / "h.tar.gz", ["h-1/a", "../../evil"])
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="evil"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path.parent / "evil").exists()
