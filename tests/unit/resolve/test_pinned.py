"""The real pip, asked for exact files, with no network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.fixtures.wheels import forge
from viloapp_core.resolve import Package, Pip, Sources, UnsatisfiableError, candidates
from viloapp_core.resolve.pinned import fetch_pinned


def _package(wheel: Path) -> Package:
    name, version = wheel.name.split("-")[:2]
    return Package(name, version, wheel.name, "", hashlib.sha256(wheel.read_bytes()).hexdigest())


def _fetch(tmp_path: Path, folder: Path, *packages: Package) -> dict[str, Path]:
    python = next(candidates(None, SpecifierSet(), cache=tmp_path / "cache"))
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    sources = Sources(find_links=(str(folder),), offline=True)
    return fetch_pinned(python, packages, sources=sources, pip=Pip(os.environ, scratch))


def test_these_files_and_no_others(tmp_path: Path) -> None:
    """Though newer versions are there, and what they require is not."""
    folder = tmp_path / "wheels"
    first = _package(forge(folder, "first", "1", {"first.py": ""}, requires=["nowhere"]))
    second = _package(forge(folder, "second", "2", {"second.py": ""}))
    forge(folder, "first", "9", {"first.py": ""})
    found = _fetch(tmp_path, folder, first, second)
    assert {path.name for path in found.values()} == {first.filename, second.filename}
    assert hashlib.sha256(found[first.sha256].read_bytes()).hexdigest() == first.sha256
    assert _fetch(tmp_path, folder) == {}


def test_another_file_of_that_name_is_not_taken(tmp_path: Path) -> None:
    """The error says that what is offered is not what was locked."""
    folder = tmp_path / "wheels"
    package = _package(forge(folder, "first", "1", {"first.py": ""}))
    forge(folder, "first", "1", {"first.py": "evil = True"})
    with pytest.raises(UnsatisfiableError) as caught:
        _fetch(tmp_path, folder, package)
    assert "not what was locked" in caught.value.hint


def test_a_version_that_is_nowhere_is_said_so(tmp_path: Path) -> None:
    """As for any requirement."""
    folder = tmp_path / "wheels"
    package = _package(forge(folder, "first", "1", {"first.py": ""}))
    (folder / package.filename).rename(tmp_path / package.filename)
    with pytest.raises(UnsatisfiableError, match="first==1"):
        _fetch(tmp_path, folder, package)
