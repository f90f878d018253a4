"""Hostile wheels at the installed command: refused with their reason, and nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.hostile_wheels import SINS, Entry, Sin, pack, plugin, seal
from tests.fixtures.wheels import forge

PLUGINS = ("hello",)
NEEDS = "Metadata-Version: 2.1\nName: sinner\nVersion: 1\nRequires-Dist: one\nRequires-Dist: other\n"


@pytest.fixture
def untouched(shared: Viloapp) -> Iterator[Viloapp]:
    """A store with one plugin, which has to be the same at the end of the test."""
    before = shared.snapshot()
    yield shared
    assert shared.snapshot() == before
    assert list((shared.store / "journal").glob("*")) == []


@pytest.mark.parametrize(
    "name",
    [
        *("data_pyvenv_cfg", "data_bin_python", "script_python", "console_script_python"),
        *("wrong_record_hash", "parent_path", "own_pth", "bomb_by_ratio", "symlink", "weak_hash"),
    ],
)
def test_a_sin_is_told_and_leaves_nothing(untouched: Viloapp, tmp_path: Path, name: str) -> None:
    """What pip, installer or uv would lay down; the unit tests have the rest."""
    assert SINS[name].told in untouched("install", "--yes", *UNSIGNED, SINS[name].wheel(tmp_path)).refused(1)


def test_a_dependency_cannot_take_anothers_place(untouched: Viloapp, tmp_path: Path) -> None:
    """Pip would lay down whichever comes last; here both are named."""
    forge(tmp_path, "one", "1", {"shared/core.py": ""})
    forge(tmp_path, "other", "1", {"shared/core.py": "evil"})
    wheel = Sin(lambda: pack(seal(plugin(metadata=NEEDS))), "").wheel(tmp_path)
    told = untouched("install", "--yes", *UNSIGNED, "--offline", "--find-links", tmp_path, wheel).refused(1)
    assert "shared/core.py: is in both one-1-py3-none-any.whl and other-1-py3-none-any.whl" in told


def test_a_dependencys_start_file_is_reported(app: Viloapp, tmp_path: Path) -> None:
    """Setuptools and coverage have one, so it is no sin in itself; the person hears of it."""
    forge(tmp_path / "links", "one", "1", {"one.pth": "import os\n"})
    forge(tmp_path / "links", "other", "1", {"other.py": ""})
    wheel = Sin(lambda: pack(seal(plugin(Entry("x.py"), metadata=NEEDS))), "").wheel(tmp_path / "links")
    options = ("--yes", "--allow-unsigned", "sinner", "--offline", "--find-links", tmp_path / "links")
    finished = app("install", *options, wheel).ok()
    assert "one-1-py3-none-any.whl runs code at interpreter start (one.pth)" in finished.out + finished.err
