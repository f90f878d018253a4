"""The wheels as they were fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from viloapp_core.store import Store, StoreError, archives

NAME = "hello-1-py3-none-any.whl"


@pytest.fixture
def ready(store: Store) -> Store:
    """A store whose folders are there."""
    store.begin("session").close()
    return store


def test_kept_by_hash_and_found_by_name(ready: Store, tmp_path: Path) -> None:
    """The copy is read-only, has its file name beside it, and tools see it under that name."""
    source = tmp_path / "download"
    source.write_bytes(b"wheel")
    sha256 = hashlib.sha256(b"wheel").hexdigest()
    kept = archives.add(ready.layout, source, sha256, NAME, tmp_path)
    assert kept.read_bytes() == b"wheel"
    assert kept.stat().st_mode & 0o222 == 0
    assert archives.known(ready.layout) == [(sha256, NAME)]
    farm = tmp_path / "farm"
    farm.mkdir()
    (link,) = archives.link_farm(ready.layout, archives.known(ready.layout), farm)
    assert link.name == NAME
    assert link.read_bytes() == b"wheel"
    assert not archives.is_intact(ready.layout, sha256, "other-1-py3-none-any.whl")


def test_other_bytes_are_not_kept(ready: Store, tmp_path: Path) -> None:
    """What has another hash than the lock says never gets its name."""
    source = tmp_path / "download"
    source.write_bytes(b"evil")
    sha256 = hashlib.sha256(b"wheel").hexdigest()
    with pytest.raises(StoreError) as caught:
        archives.add(ready.layout, source, sha256, NAME, tmp_path)
    assert caught.value.code == "hash_mismatch"
    assert archives.known(ready.layout) == []


def test_damaged_sidecars_are_passed_over(ready: Store) -> None:
    """A sidecar without a wheel, or that is not JSON, is not a wheel."""
    (ready.layout.archives / ("0" * 64 + ".json")).write_text("{")
    (ready.layout.archives / ("1" * 64 + ".json")).write_text('{"filename": "x-1-py3-none-any.whl"}')
    assert archives.known(ready.layout) == []
