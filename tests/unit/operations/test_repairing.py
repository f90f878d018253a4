"""What broke is found and made again from what the store holds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.operations.conftest import Plugin
from viloapp_core.operations import repair, rollback
from viloapp_core.store import Store, archives
from viloapp_core.store.checking import check
from viloapp_sdk.errors import ViloError

Run = Callable[..., Any]


@pytest.fixture
def installed(store: Store, plugin: Plugin, run: Run) -> Store:
    """A store with a plugin that has two generations."""
    run(plugin("hello", "0.1"))
    run(plugin("hello", "0.2"))
    return store


def _site(store: Store) -> Path:
    return next(store.plugin("hello").generation.glob("venv/lib/*/site-packages"))


def _lose_python(store: Store) -> None:
    python = store.plugin("hello").python
    python.unlink()
    python.symlink_to("/nowhere/bin/python3.11")


def _change_module(store: Store) -> None:
    path = _site(store) / "hello.py"
    path.chmod(0o644)
    path.write_text("evil = True\n")


def _lose_module(store: Store) -> None:
    (_site(store) / "hello.py").unlink()


def _add_start_code(store: Store) -> None:
    (_site(store) / "evil.pth").write_text("import os\n")


def _lose_distribution(store: Store) -> None:
    shutil.rmtree(next(_site(store).glob("viloapp_sdk-*.dist-info")))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_lose_python, "is gone"),
        (_change_module, "hello.py is changed"),
        (_lose_module, "hello.py is missing"),
        (_add_start_code, "evil.pth belongs to nothing"),
        (_lose_distribution, "viloapp-sdk is missing"),
    ],
)
def test_a_broken_environment_is_found_and_made_again(
    installed: Store, damage: Callable[[Store], None], said: str
) -> None:
    """Each kind of damage is named by `--check` and gone after `repair`; the way back is still there."""
    assert check(installed) == []
    damage(installed)
    found = repair(installed, check_only=True)
    assert any(said in problem for outcome in found for problem in outcome.problems)
    assert [outcome.status for outcome in repair(installed, ["hello"])] == ["repaired"]
    repair(installed)  # the shared wheel that was changed through its link
    assert [problem.what for problem in check(installed)] == []
    assert (_site(installed) / "hello.py").read_text() == "class Hello: pass\n"
    assert os.path.exists(installed.plugin("hello").python)
    assert rollback(installed, "hello").version == "0.1"


@pytest.mark.parametrize("lost", ["archives", "wheels"])
def test_archives_or_wheels_alone_are_enough(installed: Store, lost: str) -> None:
    """Without the archives from the unpacked wheels, and the other way round."""
    _lose_module(installed)
    shutil.rmtree(installed.root / lost)
    repair(installed)
    assert check(installed) == []


def test_without_both_it_says_what_is_missing(installed: Store) -> None:
    """Nothing to make it from: named, with what to do, and the plugin is left as it was."""
    _lose_module(installed)
    before = os.readlink(installed.layout.current("hello"))
    shutil.rmtree(installed.root / "archives")
    shutil.rmtree(installed.root / "wheels")
    with pytest.raises(ViloError, match=r"neither hello-0\.2.*whl") as caught:
        repair(installed)
    assert "--force-reinstall" in caught.value.hint
    assert os.readlink(installed.layout.current("hello")) == before


def test_damaged_wheels_and_archives_are_taken_away(installed: Store) -> None:
    """An archive that is not what its name says is found and goes; whoever needs it fetches it again."""
    (archive,) = (
        path
        for path in installed.layout.archives.glob("*.whl")
        if archives.is_intact(installed.layout, path.stem, "hello-0.1-py3-none-any.whl")
    )
    archive.chmod(0o644)
    archive.write_bytes(b"not a wheel")
    assert {outcome.plugin_id for outcome in repair(installed)} == {""}
    assert not archive.exists()
    assert check(installed) == []


def test_what_is_not_installed_is_refused(installed: Store) -> None:
    """A name that nobody knows is an error, not an empty answer."""
    with pytest.raises(ViloError, match="nobody is not installed"):
        repair(installed, ["nobody"])
