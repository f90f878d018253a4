"""A process that dies or is refused at any step of a change leaves the state before or the state after.

The child counts the audit events with which Python announces each change of the file system, and kills
itself at the n-th: so every single step is tried, the same ones each time.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.artifacts import begin
from tests.unit.store.conftest import put, receipt
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.errors import FileError
from viloapp_core.ledger import Ledger
from viloapp_core.permissions import Permission
from viloapp_core.store import Store, index, truth

_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}
Change = Callable[[Store], None]


def _upgrade(store: Store) -> None:
    put(store, "hello", "0.2.0")


def _first(store: Store) -> None:
    put(store, "other")


def _remove(store: Store) -> None:
    store.remove("hello", purge=False)


def _purge(store: Store) -> None:
    store.remove("hello", purge=True)


def _disable(store: Store) -> None:
    store.set_enabled(["hello"], False, "x")


def _summary(store: Store) -> dict[str, tuple[str, bool, str]]:
    """Return what a reader sees, and check that what is installed is whole."""
    seen = {}
    for plugin_id, plugin in store.plugins().items():
        module = plugin.generation / "venv" / "module.py"
        assert module.read_text() == plugin.version
        assert store.receipt(plugin_id)["version"] == plugin.version
        seen[plugin_id] = (plugin.version, plugin.enabled, plugin.generation.name)
    return seen


def _check_index(store: Store) -> None:
    """What a listing reads is what the folders hold."""
    rows, state = truth.read_rows(store.layout), truth.read_state(store.layout)
    assert store.layout.index.read_bytes() == index.encode(state["revision"], rows)


def _refuse_at(step: int, change: Change, root: Path) -> bool:
    """Run a change in a child that may open no file more at one step; return whether it got so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in _STEPS and str(root) in str(arguments):
                count += 1
                if count == step:
                    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        sys.addaudithook(hook)
        with contextlib.suppress(BaseException):
            change(Store(root))
        os._exit(0 if count < step else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 1


def _die_at(step: int, change: Change, root: Path) -> bool:
    """Run a change in a child that kills itself at a step; return whether it got so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in _STEPS:
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            change(Store(root))
        except BaseException:
            os._exit(2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("change", [_upgrade, _first, _remove, _purge, _disable])
def test_killed_at_every_step(tmp_path: Path, change: Change) -> None:
    """Before or after, nothing between; the next recovery leaves no rubbish."""
    pristine = tmp_path / "pristine"
    store = Store(pristine)
    put(store, "hello", "0.1.0")
    before = _summary(store)
    shutil.copytree(pristine, tmp_path / "done", symlinks=True)
    change(Store(tmp_path / "done"))
    after = _summary(Store(tmp_path / "done"))
    assert before != after

    step, seen = 0, set()
    while True:
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(pristine, root, symlinks=True)
        died = _die_at(step, change, root)
        survivor = Store(root)
        survivor.recover()
        found = _summary(survivor)
        assert found in (before, after), f"step {step}"
        assert _summary(Store(root)) == found
        assert list((root / "journal").iterdir()) == [], f"step {step}"
        wanted = {row[2] for row in (*found.values(), *before.values())}
        left = {path.name for path in root.glob("plugins/*/generations/*")}
        assert left <= wanted if found else left == set(), f"step {step}"
        seen.add(found == after)
        shutil.rmtree(root)
        if not died:
            break
    assert step > 8
    assert seen == {True, False}


@pytest.mark.parametrize("change", [_upgrade, _first, _remove, _purge, _disable])
def test_refused_at_every_step(tmp_path: Path, change: Change) -> None:
    """Before or after, and the index says which: an operation that ended as an error leaves no mixture."""
    pristine = tmp_path / "pristine"
    store = Store(pristine)
    put(store, "hello", "0.1.0")
    put(store, "bystander")
    store.set_enabled(["bystander"], False, "as the person wants it")
    before = _summary(store)
    shutil.copytree(pristine, tmp_path / "done", symlinks=True)
    change(Store(tmp_path / "done"))
    after = _summary(Store(tmp_path / "done"))

    step, refused = 0, True
    while refused:
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(pristine, root, symlinks=True)
        refused = _refuse_at(step, change, root)
        Store(root).recover()
        assert _summary(Store(root)) in (before, after), f"step {step}"
        _check_index(Store(root))
        assert list((root / "journal").iterdir()) == [], f"step {step}"
        shutil.rmtree(root)
    assert step > 8


def _kept(store: Store) -> set[str]:
    """What is there of a plugin beside its code."""
    plugins = json.loads(store.layout.settings.read_text())["plugins"]
    found = {"settings"} if "hello" in plugins else set()
    found |= {"decisions"} if Ledger(store.root).entries("hello") else set()
    return found | ({"data"} if store.layout.data("hello").exists() else set())


def test_a_purge_that_is_killed_is_finished(tmp_path: Path) -> None:
    """At any step: the plugin is there with all that is its own, or there is nothing of it."""
    pristine = tmp_path / "pristine"
    store = Store(pristine)
    put(store, "hello", "0.1.0")
    store.layout.data("hello").mkdir(exist_ok=True)
    section = {"greeting": "hi"}
    document = {"version": "2.0", "core": {}, "plugins": {"hello": section, "other": section}}
    store.layout.settings.write_text(json.dumps(document))
    wanted = [Permission.parse("process.execute.git")]
    Ledger(pristine).decide("hello", wanted, "granted", by="command")
    Ledger(pristine).decide("other", wanted, "granted", by="command")
    assert _kept(store) == {"settings", "decisions", "data"}

    step, died, seen = 0, True, set()
    while died:
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(pristine, root, symlinks=True)
        died = _die_at(step, _purge, root)
        survivor = Store(root)
        survivor.recover()
        there = "hello" in survivor.plugins()
        assert _kept(survivor) == ({"settings", "decisions", "data"} if there else set()), f"step {step}"
        assert Ledger(root).entries("other")
        assert "other" in json.loads(survivor.layout.settings.read_text())["plugins"]
        seen.add(there)
        shutil.rmtree(root)
    assert seen == {True, False}


def _install_and_abandon(store: Store) -> None:
    entry, generation, artifact = begin(store, "hello", "0.2.0")
    (generation / "venv").mkdir()
    (generation / "venv" / "module.py").write_text("0.2.0")
    try:
        store.commit_install(entry, artifact, receipt("hello", "0.2.0"), SystemClock())
    except FileError:
        store.abandon_install(entry)


@pytest.mark.parametrize("change", [_install_and_abandon, _remove, _disable])
def test_an_index_that_cannot_be_written_is_written_by_the_next(store: Store, change: Change) -> None:
    """The process lives on, as a host does: the change does not count as under way for ever."""
    put(store, "hello", "0.1.0")
    put(store, "other")
    store.layout.index.unlink()
    store.layout.index.mkdir()  # what refuses a file even to root
    with pytest.raises(FileError, match=r"index\.json cannot be written"):
        change(store)
    assert len(list(store.layout.journal.glob("*.json"))) == 1
    store.layout.index.rmdir()
    Store(store.root).recover()
    _check_index(store)
    assert list(store.layout.journal.iterdir()) == []
    expected = {"_install_and_abandon": "0.2.0", "_disable": "0.1.0"}.get(change.__name__)
    assert {key: row[0] for key, row in _summary(store).items()}.get("hello") == expected
    assert store.plugins().rows.get("hello", {}).get("enabled", True) is (change is not _disable)
