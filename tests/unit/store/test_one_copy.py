"""One copy of every wheel: linked, shared between virtualenvs, checked before it is linked again."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.fixtures.artifacts import unsigned
from tests.fixtures.wheels import forge
from viloapp_core.store import LayDownError, Layout, environment
from viloapp_core.store.archives import sha256_of
from viloapp_core.store.unpacked import Shelf, Wheel

PYTHON = Path(sys.executable).resolve()
FILES = {"hello/__init__.py": "x = 1\n", "hello/data.txt": "text", "hello/broken.py": "not python at all\n"}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A store's folders."""
    made = Layout(tmp_path / "store")
    made.wheels.mkdir(parents=True)
    return made


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    """A wheel with a script, a module that does not compile, and data."""
    scripts = "[console_scripts]\nhello = hello:main\n"
    path = forge(tmp_path / "wheels", "hello", "1.0", FILES, entry_points=scripts)
    return Wheel(sha256_of(path), path.name, path)


def _shelf(layout: Layout, tmp_path: Path, name: str = "scratch") -> Shelf:
    (tmp_path / name).mkdir(exist_ok=True)
    return Shelf(layout, tmp_path / name)


def _lay(layout: Layout, tmp_path: Path, wheel: Wheel, name: str) -> Path:
    """Make a virtualenv with the wheel and return its site-packages."""
    venv = environment.create(tmp_path / name, PYTHON, cache=tmp_path / "cache")
    artifact, lock = unsigned("hello", "1.0", {"hello": wheel.sha256})
    environment.fill(venv, artifact, lock, [wheel], "hello", _shelf(layout, tmp_path))
    return Path(venv.schemes["purelib"])


def test_virtualenvs_share_files_and_bytecode(layout: Layout, tmp_path: Path, wheel: Wheel) -> None:
    """Modules, data and bytecode are one inode each in two virtualenvs, and read-only."""
    one, two = (_lay(layout, tmp_path, wheel, name) for name in ("one", "two"))
    cached = next(one.glob("hello/__pycache__/__init__.*.pyc"))
    for path in (one / "hello/__init__.py", one / "hello/data.txt", cached):
        assert path.stat().st_ino == (two / path.relative_to(one)).stat().st_ino
        assert path.stat().st_mode & 0o777 == 0o444
    assert list(one.glob("hello/__pycache__/broken.*")) == []


def test_record_and_scripts_are_each_virtualenvs_own(layout: Layout, tmp_path: Path, wheel: Wheel) -> None:
    """What names the virtualenv's path, or differs between two, is written for each."""
    one, two = (_lay(layout, tmp_path, wheel, name) for name in ("one", "two"))
    assert str(tmp_path / "one") in (tmp_path / "one/bin/hello").read_text()
    assert str(tmp_path / "two") in (tmp_path / "two/bin/hello").read_text()
    record = "hello-1.0.dist-info/RECORD"
    assert (one / record).stat().st_nlink == 1
    assert "../../../bin/hello" in (two / record).read_text()


@pytest.mark.parametrize("what", ["hello/data.txt", "hello/__pycache__/__init__.{tag}.pyc"])
def test_a_file_changed_through_a_link_poisons_nobody_else(
    layout: Layout, tmp_path: Path, wheel: Wheel, what: str
) -> None:
    """The next virtualenv gets what the wheel has, whatever was written through the link of the first."""
    one = _lay(layout, tmp_path, wheel, "one")
    path = one / what.format(tag=sys.implementation.cache_tag)
    good = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(b"evil")
    two = _lay(layout, tmp_path, wheel, "two")
    assert (two / path.relative_to(one)).read_bytes() == good


def test_a_record_that_is_not_the_archives_is_not_believed(
    layout: Layout, tmp_path: Path, wheel: Wheel
) -> None:
    """Whoever changes a file and its line of RECORD is found out by the archive."""
    _lay(layout, tmp_path, wheel, "one")
    record = layout.wheel(wheel.sha256) / "files/hello-1.0.dist-info/RECORD"
    record.chmod(0o644)
    record.write_text("hello-1.0.dist-info/RECORD,,\n")
    assert (_lay(layout, tmp_path, wheel, "two") / "hello/data.txt").read_text() == "text"


def test_an_archive_that_was_swapped_after_it_was_verified_is_not_unpacked(
    layout: Layout, tmp_path: Path, wheel: Wheel
) -> None:
    """Between verification and unpacking a person may think for minutes: the file is hashed once more."""
    assert wheel.archive is not None
    evil = forge(tmp_path / "evil", "hello", "1.0", {**FILES, "hello/__init__.py": "evil = True\n"})
    evil.replace(wheel.archive)
    with pytest.raises(LayDownError, match="changed in the store after it was verified"):
        _lay(layout, tmp_path, wheel, "one")
    assert list(layout.wheels.iterdir()) == []


def test_an_entry_serves_without_its_archive(layout: Layout, tmp_path: Path, wheel: Wheel) -> None:
    """The unpacked wheel alone is enough; with neither, it says so."""
    _lay(layout, tmp_path, wheel, "one")
    alone = Wheel(wheel.sha256, wheel.filename, None)
    assert (_lay(layout, tmp_path, alone, "two") / "hello/data.txt").read_text() == "text"
    with pytest.raises(LayDownError, match="neither"):
        _shelf(layout, tmp_path).take([Wheel("0" * 64, wheel.filename, None)], "t", PYTHON)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP])
def test_copies_where_links_cannot_be(
    layout: Layout, tmp_path: Path, wheel: Wheel, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file system, a full inode or no links at all: read-only copies."""

    def refuse(*paths: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    one = _lay(layout, tmp_path, wheel, "one")
    assert (one / "hello/data.txt").read_text() == "text"
    assert (one / "hello/data.txt").stat().st_nlink == 1
    assert (one / "hello/data.txt").stat().st_mode & 0o777 == 0o444
    assert list(one.glob("hello/__pycache__/__init__.*.pyc"))


def test_two_at_once_make_one_entry(layout: Layout, tmp_path: Path, wheel: Wheel) -> None:
    """Of several that make the same entry, all get a whole one."""
    barrier, failed = threading.Barrier(4), []

    def make(number: int) -> None:
        shelf = _shelf(layout, tmp_path, f"scratch-{number}")
        barrier.wait()
        try:
            entries = shelf.take([wheel], "cpython-test", PYTHON)
            assert set(entries[0].rows) >= set(FILES)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [path.name for path in layout.wheels.iterdir()] == [wheel.sha256]


def test_bytecode_does_not_name_the_store(layout: Layout, tmp_path: Path, wheel: Wheel) -> None:
    """The same wheel gives the same bytecode in every store."""
    _lay(layout, tmp_path, wheel, "one")
    (cached,) = layout.wheel(wheel.sha256).rglob("__init__.*.pyc")
    assert str(tmp_path).encode() not in cached.read_bytes()
