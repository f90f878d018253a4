"""Atomic files and locks between processes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.foundation.errors import FileError, LockHeldError, UnreadableError
from viloapp_core.foundation.files import FileLock, read_json, write_atomic, write_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_write_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    """The new bytes are there with the mode that was asked for, and no partial file stays."""
    path = tmp_path / "state.json"
    write_atomic(path, b"old")
    write_atomic(path, b"new", mode=0o640)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 & ~_umask()
    assert list(tmp_path.iterdir()) == [path]


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_write_that_fails_keeps_the_old_file(tmp_path: Path) -> None:
    """A target that cannot be replaced stays as it was, and the partial file goes."""
    folder = tmp_path / "taken"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(FileError, match="taken"):
        write_atomic(folder, b"x")
    assert list(tmp_path.iterdir()) == [folder]


@given(value=JSON)
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    """What was written is what is read."""
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"[" * 100_000, b""])
def test_broken_json_is_an_error_and_missing_is_none(tmp_path: Path, data: bytes) -> None:
    """A missing file is nothing; a damaged one is said to be damaged, by its path."""
    path = tmp_path / "x.json"
    assert read_json(path) is None
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"x\.json"):
        read_json(path)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """Nor waited for: opening a FIFO would last until somebody writes to it."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder"):
        with pytest.raises(UnreadableError, match=name):
            read_json(tmp_path / name)


def test_lock_keeps_others_out_until_released(tmp_path: Path) -> None:
    """One holder at a time, even within one process; two may share."""
    path = tmp_path / "store.lock"
    with FileLock(path).acquire() as lock:
        assert lock.held
        with pytest.raises(LockHeldError):
            FileLock(path).acquire(blocking=False)
    shared = [FileLock(path).acquire(blocking=False, shared=True) for _ in range(2)]
    with pytest.raises(LockHeldError):
        FileLock(path).acquire(blocking=False)
    for lock in shared:
        lock.release()
    FileLock(path).acquire(blocking=False).release()


def test_lock_ends_with_its_process(tmp_path: Path) -> None:
    """A killed holder leaves the lock free."""
    path = tmp_path / "store.lock"
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        FileLock(path).acquire()
        os.write(told, b"1")
        os.read(os.pipe()[0], 1)
    os.read(ready, 1)
    with pytest.raises(LockHeldError):
        FileLock(path).acquire(blocking=False)
    os.kill(child, 9)
    os.waitpid(child, 0)
    FileLock(path).acquire(blocking=False).release()
    os.close(ready)
    os.close(told)


def test_lock_follows_no_link(tmp_path: Path) -> None:
    """A link in the lock's place is refused."""
    (tmp_path / "store.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError):
        FileLock(tmp_path / "store.lock").acquire()
    assert not (tmp_path / "elsewhere").exists()
