"""An update is on probation, and goes back whole: code, lock and settings, whatever kills it meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.store.conftest import put, receipt
from tests.unit.store.test_crashes import _die_at, _refuse_at
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.services.sections import read_section
from viloapp_core.store import NotInstalledError, Store
from viloapp_core.store.errors import StoreError
from viloapp_core.store.probation import NotOnProbationError

CLOCK = SystemClock()


def _set(store: Store, plugin_id: str, **values: Any) -> None:
    """Write a plugin's settings as a host does."""
    document = read_json(store.layout.settings) or {"version": "3.0", "core": {}, "plugins": {}}
    document["plugins"][plugin_id] = values
    write_json(store.layout.settings, document)


def _updated(root: Path) -> Store:
    """Return a store with an update on probation during which settings were changed."""
    store = Store(root)
    put(store, "hello", "0.1.0")
    put(store, "other")
    _set(store, "hello", color="red")
    put(store, "hello", "0.2.0")
    _set(store, "hello", color="blue", added=True)
    _set(store, "other", size=3)
    return store


def _whole(store: Store) -> tuple[str, bool, bool, Any, str]:
    """Return everything that goes back together, and check that code and receipt are of one version."""
    plugin = store.plugin("hello")
    assert (plugin.generation / "venv" / "module.py").read_text() == plugin.version
    assert store.receipt("hello")["version"] == plugin.version
    assert read_section(store.layout.settings, "other").values == {"size": 3}
    settings, row = read_section(store.layout.settings, "hello").values, store.plugins().rows["hello"]
    return plugin.version, plugin.enabled, store.on_probation(plugin), settings, row["rolled_back"]


BEFORE = ("0.2.0", True, True, {"color": "blue", "added": True}, "")
AFTER = ("0.1.0", True, False, {"color": "red"}, "update to 0.2.0 rolled back: it did not start")


def _withdraw(store: Store) -> None:
    store.withdraw("hello", "it did not start", CLOCK)


def test_an_update_is_on_probation_and_goes_back_whole(tmp_path: Path) -> None:
    """Settings are those at the update; the listing says what happened; another plugin's stay."""
    store = _updated(tmp_path)
    assert _whole(store) == BEFORE
    _withdraw(store)
    assert _whole(store) == AFTER
    assert [row["version"] for row in store.withdrawn("hello")] == ["0.2.0"]
    with pytest.raises(NotOnProbationError):
        _withdraw(store)
    with pytest.raises(NotInstalledError):
        store.withdraw("nobody", "", CLOCK)


def test_what_is_no_update_is_on_no_probation(tmp_path: Path) -> None:
    """A first installation, the same wheels made anew (a repair), and what runs from its source."""
    store = Store(tmp_path)
    put(store, "hello", "0.1.0")
    assert not store.on_probation(store.plugin("hello"))
    put(store, "hello", "0.1.0")
    assert not store.on_probation(store.plugin("hello"))
    from tests.fixtures.artifacts import begin

    entry, _, artifact = begin(store, "hello", "0.3.0")
    store.commit_install(entry, artifact, {**receipt("hello"), "source": "dev", "dev_source": "/x"}, CLOCK)
    assert not store.on_probation(store.plugin("hello"))


def test_a_plugin_without_settings_has_none_again(tmp_path: Path) -> None:
    """What was set during the probation is gone; where settings could not be read, they are left alone."""
    store = Store(tmp_path)
    put(store, "hello", "0.1.0")
    put(store, "hello", "0.2.0")
    _set(store, "hello", color="blue")
    _withdraw(store)
    assert read_section(store.layout.settings, "hello").values is None
    store.layout.settings.write_text("not JSON")
    put(store, "hello", "0.3.0")
    store.layout.settings.write_text('{"plugins": {"hello": {"a": 1}}}')
    _withdraw(store)
    assert read_section(store.layout.settings, "hello").values == {"a": 1}


def test_one_that_keeps_well_is_confirmed(tmp_path: Path) -> None:
    """Then there is nothing to take back; what was said of an earlier update is said no more."""
    store = _updated(tmp_path)
    _withdraw(store)
    put(store, "hello", "0.2.0")  # once more, since somebody asked for it
    assert store.plugins().rows["hello"]["rolled_back"] == ""
    store.confirm("hello")
    assert not store.on_probation(store.plugin("hello"))
    assert store.withdrawn("hello") == []
    with pytest.raises(StoreError):
        _withdraw(store)


def test_enabling_and_disabling_forget_nothing(tmp_path: Path) -> None:
    """What was taken back is remembered until the plugin is uninstalled."""
    store = _updated(tmp_path)
    store.set_enabled(["hello"], False, "failed too often")
    _withdraw(store)
    assert _whole(store) == AFTER  # enabled again
    store.set_enabled(["hello"], False, "by hand")
    store.set_enabled(["hello"], True)
    assert _whole(store) == AFTER
    store.remove("hello", purge=False)
    put(store, "hello", "0.2.0")
    assert store.withdrawn("hello") == []


def test_two_updates_in_a_row_go_back_one_by_one(tmp_path: Path) -> None:
    """The one before was on probation itself, and is again."""
    store = _updated(tmp_path)
    put(store, "hello", "0.3.0")
    _withdraw(store)
    assert _whole(store)[:3] == ("0.2.0", True, True)
    _withdraw(store)
    assert _whole(store)[:4] == AFTER[:4]


@pytest.mark.parametrize("interrupt", [_die_at, _refuse_at])
def test_interrupted_at_every_step(
    tmp_path: Path, interrupt: Callable[[int, Callable[[Store], None], Path], bool]
) -> None:
    """Killed or refused: the new one on probation, or the old one with its settings; never a mixture."""
    pristine = _updated(tmp_path / "pristine").root
    step, seen, went_on = 0, set(), True
    while went_on:
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(pristine, root, symlinks=True)
        went_on = interrupt(step, _withdraw, root)
        Store(root).recover()
        found = _whole(Store(root))
        assert found in (BEFORE, AFTER), f"step {step}"
        assert list((root / "journal").iterdir()) == [], f"step {step}"
        assert {path.name[:5] for path in root.glob("plugins/hello/generations/*")} == {"0.1.0", "0.2.0"}
        seen.add(found[0])
        shutil.rmtree(root)
    assert step > 12
    assert seen == {"0.1.0", "0.2.0"}


def test_an_update_that_is_killed_at_any_step_is_on_probation_or_was_never_made(tmp_path: Path) -> None:
    """There is no moment at which the new one is in use without a way back."""
    store = Store(tmp_path / "pristine")
    put(store, "hello", "0.1.0")
    _set(store, "hello", color="red")
    step, seen, died = 0, set(), True
    while died:
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(store.root, root, symlinks=True)
        died = _die_at(step, lambda store: put(store, "hello", "0.2.0"), root)
        survivor = Store(root)
        survivor.recover()
        plugin = survivor.plugin("hello")
        assert survivor.on_probation(plugin) is (plugin.version == "0.2.0"), f"step {step}"
        if plugin.version == "0.2.0":
            _set(survivor, "hello", color="blue")
            _withdraw(survivor)
            assert read_section(survivor.layout.settings, "hello").values == {"color": "red"}
            assert survivor.plugin("hello").version == "0.1.0"
        seen.add(plugin.version)
        shutil.rmtree(root)
    assert seen == {"0.1.0", "0.2.0"}
