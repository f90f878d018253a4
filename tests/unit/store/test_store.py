"""The store: what readers see, and what a change leaves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.artifacts import begin, unsigned
from tests.unit.store.conftest import put, receipt
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.files import FileLock
from viloapp_core.operations import listing
from viloapp_core.store import CollisionError, NotInstalledError, Store, StoreError, StoreFolderError
from viloapp_core.store.listed import INDEX_SCHEMA


def test_reading_an_empty_store_makes_nothing(store: Store) -> None:
    """A reader of a store that is not there finds nothing and writes nothing."""
    assert dict(store.plugins()) == {}
    assert store.revision() == 0
    assert store.recover() == []
    assert not store.root.exists()


def test_an_installed_plugin_is_what_its_receipt_says(store: Store) -> None:
    """Every field that a host needs is there, with absolute resolved paths."""
    put(store, "hello", activation_events=["onCommand:hello.greet"])
    plugin = Store(store.root).plugin("hello")
    assert (plugin.version, plugin.enabled, plugin.reason) == ("0.1.0", True, "")
    assert plugin.generation.parent == store.root / "plugins/hello/generations"
    assert plugin.generation.name.startswith("0.1.0-")
    assert plugin.python == plugin.generation / "venv/bin/python"
    assert plugin.commands[0]["id"] == "hello.greet"
    assert plugin.activation_events == ("onCommand:hello.greet",)
    assert plugin.permissions == ("process.spawn.terminal",)
    assert plugin.limits == {"memory_mb": 100}
    assert plugin.data_dir.is_dir()
    assert plugin.log_dir.is_dir()
    assert store.receipt("hello")["summary"] == "Says hello"
    assert list((store.root / "journal").iterdir()) == []


def test_every_change_is_seen_by_other_readers(store: Store) -> None:
    """The stamp and the revision change, and a reader that was there before sees the change."""
    put(store, "hello")
    reader = Store(store.root)
    stamp, revision = reader.index_stamp(), reader.revision()
    store.set_enabled(["hello"], False, "too loud")
    assert reader.index_stamp() != stamp
    assert reader.revision() > revision
    assert (reader.plugin("hello").enabled, reader.plugin("hello").reason) == (False, "too loud")
    store.set_enabled(["hello"], True)
    assert (reader.plugin("hello").enabled, reader.plugin("hello").reason) == (True, "")


def test_an_upgrade_keeps_the_previous_generation_and_the_switch(store: Store) -> None:
    """`current` moves in one step; what was there stays, and a disabled plugin stays disabled."""
    put(store, "hello", "0.1.0")
    store.set_enabled(["hello"], False, "not now")
    put(store, "hello", "0.2.0")
    put(store, "hello", "0.2.0")
    assert store.plugin("hello").generation.name.startswith("0.2.0-")
    assert store.plugin("hello").generation.name.endswith("-2")
    assert store.plugin("hello").reason == "not now"
    names = sorted(path.name for path in (store.root / "plugins/hello/generations").iterdir())
    assert [name.partition("-")[0] for name in names] == ["0.1.0", "0.2.0", "0.2.0"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"{",
        lambda data: b"[]",
        lambda data: b'{"schema": 3, "revision": 1, "plugins": {"hello": {}}}',
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"0.1.0", b"0.7.0", 1),
        lambda data: data.replace(b"hello.plugin:Hello", b"other.plugin:Other"),
        lambda data: data.replace(b'"schema":%d' % INDEX_SCHEMA, b'"schema":6'),
    ],
)
def test_a_damaged_index_is_rebuilt(store: Store, damage: Callable[[bytes], bytes]) -> None:
    """The index is a cache: the truth is in the folders, and the reader puts the cache right."""
    put(store, "hello")
    revision = store.revision()
    whole = (store.root / "index.json").read_bytes()
    (store.root / "index.json").write_bytes(damage(whole))
    reader = Store(store.root)
    assert list(reader.plugins()) == ["hello"]
    assert reader.revision() == revision
    assert reader.plugin("hello").entry_point == "hello.plugin:Hello"
    assert (store.root / "index.json").read_bytes() == whole
    assert json.loads(whole)["plugins"]["hello"]["version"] == "0.1.0"


def test_a_missing_index_is_rebuilt_without_waiting(store: Store) -> None:
    """A reader answers even while a writer holds the lock."""
    put(store, "hello")
    (store.root / "index.json").unlink()
    with FileLock(store.root / "store.lock").acquire():
        assert list(Store(store.root).plugins()) == ["hello"]
    assert not (store.root / "index.json").exists()


@pytest.mark.parametrize("key", ["version", "entry_point", "manifest"])
def test_a_receipt_that_lacks_something_does_not_hide_the_others(store: Store, key: str) -> None:
    """What is not what it should be is found when the index is made, and not when a plugin is asked for."""
    put(store, "broken")
    put(store, "hello")
    path = store.plugin("broken").generation / "receipt.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: 7}))
    store.set_enabled(["hello"], False, "x")
    assert list(store.plugins()) == ["hello"]
    assert "its files are damaged" in store.damage()["broken"]


def test_plugins_are_decoded_when_they_are_asked_for(store: Store) -> None:
    """The mapping is complete before: ids, number, what is not in it; asked twice, one is the same."""
    put(store, "hello")
    put(store, "other")
    plugins = Store(store.root).plugins()
    assert (sorted(plugins), len(plugins), "nobody" in plugins) == (["hello", "other"], 2, False)
    assert plugins["hello"] is plugins["hello"]
    assert plugins["hello"] == store.plugin("hello") != plugins["other"]
    assert plugins.get("nobody") is None


def test_one_damaged_plugin_does_not_hide_the_others(store: Store) -> None:
    """Its receipt is gone; the rest is there, and asking for the receipt says what to do."""
    put(store, "broken")
    put(store, "hello")
    (store.plugin("broken").generation / "receipt.json").write_text("{")
    store.set_enabled(["hello"], False, "x")
    assert list(store.plugins()) == ["hello"]
    with pytest.raises(StoreError) as caught:
        store.receipt("broken")
    assert "viloapp install" in caught.value.hint


def test_current_that_leads_elsewhere_is_not_followed(store: Store, tmp_path: Path) -> None:
    """Only a link to a sibling generation counts."""
    put(store, "hello")
    (tmp_path / "elsewhere").mkdir()
    current = store.root / "plugins/hello/current"
    for target in (str(tmp_path / "elsewhere"), "generations/..", "generations/../generations", "data"):
        current.unlink()
        current.symlink_to(target)
        with pytest.raises(NotInstalledError):
            store.receipt("hello")


def test_command_and_widget_ids_are_unique(store: Store) -> None:
    """The second plugin is refused, both are named, and nothing of it stays; itself is no other."""
    put(store, "hello", widgets=[{"id": "hello.panel"}])
    taken = receipt("rival", commands=[{"id": "hello.greet"}], widgets=[{"id": "hello.panel"}])
    entry, _, artifact = begin(store, "rival")
    with pytest.raises(CollisionError) as caught:
        store.commit_install(entry, artifact, taken, SystemClock())
    store.abandon_install(entry)
    for text in ("rival", "hello.greet", "hello.panel", "belongs to hello"):
        assert text in caught.value.detail
    assert not (store.root / "plugins/rival").exists()
    put(store, "hello", "0.2.0", widgets=[{"id": "hello.panel"}])


def test_uninstall_keeps_data_unless_purged(store: Store) -> None:
    """The plugin's own data survives an uninstallation and is there for the next installation."""
    put(store, "hello")
    (store.plugin("hello").data_dir / "notes").write_text("mine")
    store.remove("hello", purge=False)
    assert dict(store.plugins()) == {}
    assert [path.name for path in (store.root / "plugins/hello").iterdir()] == ["data"]
    put(store, "hello")
    assert (store.plugin("hello").data_dir / "notes").read_text() == "mine"
    store.remove("hello", purge=True)
    assert list((store.root / "plugins").iterdir()) == []


def test_an_uninstalled_plugin_comes_back_enabled(store: Store) -> None:
    """What was said of the old installation does not hold for the new one."""
    put(store, "hello")
    store.set_enabled(["hello"], False, "x")
    store.remove("hello", purge=False)
    put(store, "hello")
    assert store.plugin("hello").enabled


def test_switching_is_all_or_none(store: Store) -> None:
    """An unknown id among others changes nothing."""
    put(store, "hello")
    with pytest.raises(NotInstalledError, match="nobody"):
        store.set_enabled(["hello", "nobody"], False, "x")
    assert store.plugin("hello").enabled


def test_uninstalled_while_being_installed(store: Store) -> None:
    """A generation whose plugin was removed meanwhile is not made current."""
    put(store, "hello")
    entry, _, artifact = begin(store, "hello", "0.2.0")
    store.remove("hello", purge=True)
    with pytest.raises(StoreError):
        store.commit_install(entry, artifact, receipt("hello", "0.2.0"), SystemClock())
    store.abandon_install(entry)
    assert dict(store.plugins()) == {}
    assert list((store.root / "plugins").iterdir()) == []


@pytest.mark.parametrize("plugin_id", ["", "..", "a/b", "/etc", "Hello", "a_b", "-a", "a-", "a.b", "a\n"])
def test_no_id_leaves_the_plugins_folder(store: Store, plugin_id: str) -> None:
    """Only a normalized name can name a folder."""
    artifact, _ = unsigned(plugin_id)
    with pytest.raises(StoreError):
        store.begin_install(artifact)
    assert not (store.root / "plugins").exists() or list((store.root / "plugins").iterdir()) == []


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the folder and what to set."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreFolderError, match="file") as caught:
        Store(tmp_path / "file" / "store").begin("session")
    assert "VILOAPP_HOME" in caught.value.hint


def test_a_running_change_is_left_alone(store: Store) -> None:
    """Recovery takes only what nobody holds."""
    entry, generation, artifact = begin(store, "hello")
    (entry.scratch / "half").touch()
    assert Store(store.root).recover() == []
    assert generation.is_dir()
    assert (entry.scratch / "half").exists()
    store.commit_install(entry, artifact, receipt("hello"), SystemClock())
    assert not os.path.lexists(entry.scratch.parent / entry.path.stem)


def test_a_listing_asks_no_more_of_the_disk_for_many_plugins(tmp_path: Path) -> None:
    """As many files opened and folders read for twelve as for two: one index, whatever it holds."""
    asked: dict[int, list[str]] = {}
    counting: list[str] | None = None

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if counting is not None and event in ("open", "os.listdir", "os.scandir"):
            counting.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)
    for count in (2, 12):
        store = Store(tmp_path / str(count))
        for number in range(count):
            put(store, f"plugin{number}")
        listing(Store(store.root))  # what is imported meanwhile is not the listing's
        asked[count] = counting = []
        assert len(listing(Store(store.root))) == count
        counting = None
    assert len(asked[12]) == len(asked[2]), asked[12]
    assert sum("index.json" in each for each in asked[12]) == 2  # once, told of by `open` and by its opener
    assert not any("receipt" in each for each in asked[12])


def test_one_plugin_of_many_is_read_without_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its id, by a command of its own or by what activates it; nobody else's line is decoded."""
    for number in range(4):
        events = ["onStartup"] if number == 2 else []
        commands = [{"id": f"plugin{number}.run"}]
        put(store, f"plugin{number}", commands=commands, activation_events=events)
    plugins = Store(store.root).plugins()
    decoded: list[int] = []
    loads = json.loads

    def counted(data: bytes) -> object:
        decoded.append(len(data))
        return loads(data)

    monkeypatch.setattr(json, "loads", counted)
    assert plugins.activated("onStartup") == ["plugin2"]
    assert [*plugins.naming("plugin3.run")] == ["plugin3"]
    assert [*plugins.naming("plugin3.ru")] == [*plugins.naming('"},\n"')] == []
    assert decoded == []
    assert plugins["plugin1"].commands == ({"id": "plugin1.run"},)
    assert len(decoded) == 2


def test_what_changed_between_two_indexes_is_told_by_their_lines(store: Store) -> None:
    """A plugin that is new, or gone, is not among them."""
    for name in ("changed", "gone", "same"):
        put(store, name)
    before = store.plugins()
    store.remove("gone", purge=False)
    store.set_enabled(["changed"], False, "why")
    put(store, "new")
    assert store.plugins().changed_since(before) == ["changed"]
    assert store.plugins().changed_since(store.plugins()) == []
