"""A process that dies at any step of a change leaves the state before or the state after.

The child counts the audit events with which Python announces each change of the file system, and kills
itself at the n-th: so every single step is tried, the same ones each time.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.store.conftest import put
from viloapp_core.store import Store

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
        wanted = {row[2] for row in found.values()} | {"0.1.0-abc"}
        left = {path.name for path in root.glob("plugins/*/generations/*")}
        assert left <= wanted if found else left == set(), f"step {step}"
        seen.add(found == after)
        shutil.rmtree(root)
        if not died:
            break
    assert step > 8
    assert seen == {True, False}
