"""Taking bundles apart, whatever became of their bytes."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.wheels import forge
from viloapp_core.operations import bundle_archive, bundle_format
from viloapp_core.operations.bundle_format import Label
from viloapp_core.operations.errors import BundleError
from viloapp_core.resolve import Package


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, bytes]]:
    """A bundle's bytes, and its wheels by name."""
    folder = tmp_path_factory.mktemp("good")
    wheels = [forge(folder, name, "1.0", {f"{name}.py": "x = 1\n"}) for name in ("hello", "dep")]
    packages = [
        Package(path.name.split("-")[0], "1.0", path.name, "", hashlib.sha256(path.read_bytes()).hexdigest())
        for path in wheels
    ]
    sizes = {path.name: path.stat().st_size for path in wheels}
    lock = bundle_format.encode_lock("hello", "3.11", [], packages, sizes)
    target = folder / "hello-1.0.viloplugin"
    bundle_archive.write(target, Label("hello", "1.0"), lock, {path.name: path for path in wheels})
    return target.read_bytes(), {path.name: path.read_bytes() for path in wheels}


def _extract(data: bytes) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "out"
        folder.mkdir()
        (Path(name) / "x.viloplugin").write_bytes(data)
        bundle_archive.extract(Path(name) / "x.viloplugin", folder)
        assert {path.name for path in Path(name).iterdir()} == {"out", "x.viloplugin"}
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_put_in_comes_out(good: tuple[bytes, dict[str, bytes]]) -> None:
    """Byte for byte."""
    assert _extract(good[0]) == good[1]


@given(st.data())
def test_changed_bytes_are_refused_or_mean_nothing(
    good: tuple[bytes, dict[str, bytes]], data: st.DataObject
) -> None:
    """Some bytes are changed, cut out or put in: the error is ours, or the wheels are the very same."""
    changed = bytearray(good[0])
    for _ in range(data.draw(st.integers(1, 3))):
        # Both ends hold what decides how the rest is read.
        at = data.draw(
            st.integers(0, len(changed) - 1) | st.integers(max(0, len(changed) - 400), len(changed) - 1)
        )
        changed[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        found = _extract(bytes(changed))
    except BundleError:
        return
    assert found == good[1]


@given(st.binary(max_size=2000))
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    """With our error, whatever the bytes are."""
    with pytest.raises(BundleError):
        _extract(data)


def test_nothing_is_before_or_behind(good: tuple[bytes, dict[str, bytes]]) -> None:
    """A program with a bundle at its end is none; neither is a bundle that was cut off."""
    with pytest.raises(BundleError, match="before its first member"):
        _extract(b"#!/bin/sh\n" + good[0])
    with pytest.raises(BundleError):
        _extract(good[0][:-1])
