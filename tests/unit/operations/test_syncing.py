"""Locks written from one store and made true in another, for real."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import UNSIGNED, Person, Plugin
from viloapp_core.operations import (
    ConsentRefusedError,
    InstallOptions,
    InstallOutcome,
    SeveralProblemsError,
    SyncOutcome,
    compare,
    disable,
    lock_workspace,
    sync,
    uninstall,
)
from viloapp_core.operations.errors import LockFileError, NotLockableError
from viloapp_core.resolve import OwnNameError, UnsatisfiableError
from viloapp_core.store import CollisionError, LayDownError, Store, environment
from viloapp_core.trust import DowngradeError

Run = Callable[..., list[InstallOutcome]]
Sync = Callable[..., SyncOutcome]


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """The store of another machine."""
    return Store(tmp_path / "other")


@pytest.fixture
def lock(tmp_path: Path, store: Store) -> Callable[[], Path]:
    """Return a function that writes the lock of the first store."""

    def write() -> Path:
        path = tmp_path / "viloapp.lock"
        path.write_bytes(lock_workspace(store))
        return path

    return write


@pytest.fixture
def follow(tmp_path: Path, other: Store, folder: Path, person: Person) -> Sync:
    """Return `sync` of the other store, with the folder of wheels as the only source."""
    carried = {"viloapp-sdk": tmp_path / "wheelhouse" / "viloapp_sdk-1.0.0-py3-none-any.whl"}

    def call(path: Path, **options: Any) -> SyncOutcome:
        chosen = {"offline": True, "find_links": (str(folder),), "allow_unsigned": UNSIGNED, **options}
        return sync(
            other,
            path,
            options=InstallOptions(**chosen),
            progress=person,
            consent=person,
            wheels=carried,
            environ=os.environ,
        )

    return call


def _changes(outcome: SyncOutcome) -> dict[str, str]:
    return {item.plugin_id: item.change for item in outcome.differences}


def test_a_machine_becomes_equal_and_stays_so(
    store: Store, other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync, folder: Path
) -> None:
    """Plugins are added, updated, downgraded, switched, removed; the other's lock is then the same file."""
    forge(folder, "dep", "1", {"dep.py": ""})
    plugin("alpha", "1.0", requires=["dep"])
    plugin("beta", "1.0")
    wheel = plugin("gamma", "1.0")
    run("alpha", "beta", wheel)
    disable(store, ["beta"], "too loud")
    path = lock()
    assert _changes(follow(path)) == {"alpha": "add", "beta": "add", "gamma": "add"}
    assert lock_workspace(other) == path.read_bytes()
    assert (other.plugin("beta").enabled, other.plugin("beta").reason) == (False, "too loud")
    assert other.plugin("gamma").source == "wheel"
    assert follow(path) == SyncOutcome(())

    forge(folder, "dep", "2", {"dep.py": ""})
    plugin("alpha", "2.0", requires=["dep"])
    plugin("delta", "1.0")
    run("alpha>=2", "delta")
    uninstall(store, ["gamma"])
    first = path.read_bytes()
    outcome = follow(lock())
    assert _changes(outcome) == {"alpha": "update", "delta": "add", "gamma": "remove"}
    assert lock_workspace(other) == path.read_bytes()
    assert other.receipt("alpha")["packages"][1]["version"] == "2"

    path.write_bytes(first)
    with pytest.raises(DowngradeError, match="alpha"):
        follow(path)
    changes = _changes(follow(path, allow_downgrade=("alpha",)))
    assert changes == {"alpha": "downgrade", "delta": "remove", "gamma": "add"}
    assert lock_workspace(other) == first


def test_a_newer_dependency_changes_nothing(
    other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync, folder: Path
) -> None:
    """What the lock says is installed, not what would be chosen today."""
    forge(folder, "dep", "1", {"dep.py": ""})
    plugin(requires=["dep"])
    run("hello")
    path = lock()
    forge(folder, "dep", "2", {"dep.py": ""})
    (outcome,) = follow(path).plugins
    assert outcome.packages == ("hello==0.1", "dep==1")


def test_check_and_dry_run_change_nothing(
    other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync
) -> None:
    """They say what would be done."""
    run(plugin())
    path = lock()
    (difference,) = compare(other, path)
    assert (difference.change, difference.wanted) == ("add", "0.1")
    assert follow(path, dry_run=True).differences == (difference,)
    assert dict(other.plugins()) == {}


def test_another_file_of_that_name_is_refused(
    other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync, folder: Path
) -> None:
    """Though name and version are right: the hash is what counts."""
    forge(folder, "dep", "1", {"dep.py": ""})
    plugin(requires=["dep"])
    run("hello")
    path = lock()
    forge(folder, "dep", "1", {"dep.py": "evil = True"})
    with pytest.raises(UnsatisfiableError, match="hello:"):
        follow(path)
    assert dict(other.plugins()) == {}


def test_all_problems_at_once_and_nothing_changed(
    store: Store, other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync, folder: Path
) -> None:
    """A wheel that is nowhere, each named with how to offer it; what was to be removed is still there."""
    wheels = [plugin("alpha"), plugin("beta"), plugin("stays")]
    run(*wheels)
    path = lock()
    text = path.read_text()
    follow(path)
    uninstall(other, ["alpha", "beta"])
    for name in ("alpha", "beta"):
        for item in other.receipt("stays")["packages"], store.receipt(name)["packages"]:
            for package in item:
                archive = other.layout.archives / f"{package['sha256']}.whl"
                archive.unlink(missing_ok=True)
        (folder / f"{name}-0.1-py3-none-any.whl").unlink()
    path.write_text(text[: text.index('[[plugins]]\nid = "stays"')])
    with pytest.raises(SeveralProblemsError) as caught:
        follow(path)
    assert {error.detail.partition(":")[0] for error in caught.value.problems} == {"alpha", "beta"}
    assert "alpha-0.1-py3-none-any.whl: name a folder with it: --find-links" in caught.value.hint
    assert set(other.plugins()) == {"stays"}


def test_what_is_asked_for_is_asked(
    other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync, person: Person
) -> None:
    """Someone else's consent is no consent; `--yes` is."""
    run(plugin(permissions=[{"id": "ui.open.x", "reason": "to show"}]))
    path = lock()
    person.asked.clear()
    person.answer = False
    with pytest.raises(ConsentRefusedError):
        follow(path)
    assert person.asked == [("hello", ("ui.open.x",))]
    assert dict(other.plugins()) == {}
    follow(path, yes=True)
    assert other.plugin("hello").permissions == ("ui.open.x",)


def test_permissions_cannot_be_slipped_in(
    plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync, other: Store
) -> None:
    """A lock whose list is not what the wheel asks for is refused."""
    run(plugin(permissions=[{"id": "ui.open.x", "reason": "to show"}]))
    path = lock()
    path.write_text(path.read_text().replace('"ui.open.x"', '"ui.open.y"'))
    with pytest.raises(NotLockableError, match=r"asks for ui\.open\.x, and the lock has ui\.open\.y"):
        follow(path, yes=True)
    assert dict(other.plugins()) == {}


def test_ids_move_from_a_plugin_that_goes_to_one_that_comes(
    store: Store, other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync
) -> None:
    """A command belongs to whom the lock says; to install both would have been refused."""
    taken = [{"id": "both.greet"}]
    run(plugin("alpha", commands=taken))
    follow(lock())
    uninstall(store, ["alpha"])
    run(plugin("beta", commands=taken))
    assert _changes(follow(lock())) == {"alpha": "remove", "beta": "add"}
    run(plugin("beta", "2", commands=[{"id": "beta.own"}]), plugin("aaa", commands=[]))
    run(plugin("aaa", "2", commands=taken))
    assert _changes(follow(lock())) == {"aaa": "add", "beta": "update"}
    with pytest.raises(CollisionError):
        run(plugin("zzz", commands=taken))


def test_what_goes_stays_until_all_that_comes_is_there(
    store: Store,
    other: Store,
    plugin: Plugin,
    run: Run,
    lock: Callable[[], Path],
    follow: Sync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A virtualenv that cannot be made, the last of several, leaves everything as it was."""
    run(plugin("alpha"))
    follow(lock())
    before = lock_workspace(other)
    uninstall(store, ["alpha"])
    run(plugin("beta"), plugin("gamma"))
    create = environment.create

    def create_but_one(folder: Path, python: Path, **options: Any) -> environment.Environment:
        if "gamma" in folder.parts:
            raise LayDownError("the disk is full")
        return create(folder, python, **options)

    monkeypatch.setattr(environment, "create", create_but_one)
    with pytest.raises(LayDownError):
        follow(lock())
    assert lock_workspace(other) == before
    assert list((other.root / "journal").iterdir()) == []
    assert {path.name for path in (other.root / "plugins").iterdir()} == {"alpha"}
    monkeypatch.undo()
    assert _changes(follow(lock())) == {"alpha": "remove", "beta": "add", "gamma": "add"}


def test_our_own_names_are_the_cores(
    tmp_path: Path,
    other: Store,
    plugin: Plugin,
    run: Run,
    lock: Callable[[], Path],
    follow: Sync,
    folder: Path,
) -> None:
    """A lock with another `viloapp-sdk`, offered or not, is refused."""
    run(plugin())
    path = lock()
    evil = forge(folder, "viloapp-sdk", "1.0.0", {"viloapp_sdk/__init__.py": "evil = 1"})
    sdk = tmp_path / "wheelhouse" / "viloapp_sdk-1.0.0-py3-none-any.whl"
    old, new = (hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (sdk, evil))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(OwnNameError, match="viloapp-sdk"):
        follow(path)
    assert dict(other.plugins()) == {}


def test_a_plugin_that_misses_another_is_told(
    other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync
) -> None:
    """A lock that was cut by hand does not leave a plugin without what it requires."""
    run(plugin("base"))
    run(plugin("needs", requires_plugins=["base>=0.1"]))
    path = lock()
    text = path.read_text()
    start, end = text.index('[[plugins]]\nid = "base"'), text.index('[[plugins]]\nid = "needs"')
    path.write_text(text[:start] + text[end:])
    with pytest.raises(
        NotLockableError, match=r"needs requires the plugin base>=0\.1, and the lock has no base"
    ):
        follow(path)
    assert dict(other.plugins()) == {}


def test_a_damaged_plugin_is_made_anew(
    other: Store, plugin: Plugin, run: Run, lock: Callable[[], Path], follow: Sync
) -> None:
    """Its files are not what the lock says."""
    run(plugin())
    path = lock()
    follow(path)
    (other.plugin("hello").generation / "receipt.json").write_text("{")
    other.layout.index.unlink()
    with pytest.raises(NotLockableError, match="hello is damaged"):
        lock_workspace(other)
    assert _changes(follow(path)) == {"hello": "rebuild"}
    assert lock_workspace(other) == path.read_bytes()


def test_what_is_no_lock_is_refused(tmp_path: Path, follow: Sync, run: Run) -> None:
    """A missing file, another file."""
    with pytest.raises(LockFileError, match="cannot be read"):
        follow(tmp_path / "none.lock")
    path = tmp_path / "poetry.lock"
    path.write_text("[[package]]\n")
    with pytest.raises(LockFileError, match="format_version"):
        follow(path)
