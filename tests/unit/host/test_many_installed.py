"""A host does for a plugin what somebody asks about that plugin, and nothing for all that are installed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.artifacts import begin
from viloapp_core import Host
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.ledger import Ledger
from viloapp_core.permissions import Permission
from viloapp_core.store import Store
from viloapp_core.store.index import Plugins
from viloapp_sdk._wire import EVENT, pack
from viloapp_sdk.errors import FrameError, UnknownCommandError

Run = Callable[[Callable[[], Awaitable[None]]], None]


def put(store: Store, plugin_id: str, version: str = "1.0", **manifest: Any) -> None:
    """Install a plugin that is never started."""
    entry, generation, artifact = begin(store, plugin_id, version)
    (generation / "venv").mkdir()
    receipt = {
        "source": "wheel",
        "entry_point": f"{plugin_id}:P",
        "manifest": {"commands": [{"id": f"{plugin_id}.run"}], **manifest},
        "permissions": [],
        "python_version": "3.11.7",
        "base_prefix": "/usr",
        "base_executable": "/usr/bin/python3",
    }
    store.commit_install(entry, artifact, receipt, SystemClock())


def test_a_start_opens_no_more_files_for_many_plugins(tmp_path: Path, run: Run) -> None:
    """Nor is a plugin's record, its counters or its commands made: as many as were asked for."""
    opened: dict[int, list[str]] = {}
    counting: list[str] | None = None

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if counting is not None and event in ("open", "os.listdir", "os.scandir"):
            counting.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)

    async def test() -> None:
        nonlocal counting
        for count in (1, 2, 30):
            store = Store(tmp_path / str(count))
            for number in range(count):
                put(store, f"plugin{number}")
            Store(store.root).plugins()
            opened[count] = counting = []
            async with Host(store.root, control=False) as host:
                await host.started()
                counting = None
                assert not host._workers
                assert not host._commands.all()
                assert host.held() == []
                assert host.owner_of("plugin0.run") == "plugin0"
                assert [each.id for each in host._commands.all()] == ["plugin0.run"]
                assert len(host.get_report()) == len(host.plugins()) == count
                assert {row["plugin"] for row in host.commands()} == set(store.plugins())

    run(test)
    assert len(opened[30]) == len(opened[2]), opened[30]


def test_commands_of_plugins_that_nobody_asked_for_are_found(store: Store, run: Run) -> None:
    """By their id, by the plugin's, and by what is close; who is disabled is named."""
    for name in ("hello", "other", "off"):
        put(store, name)
    store.set_enabled(["off"], False, "not now")

    async def test() -> None:
        async with Host(control=False) as host:
            assert host.owner_of("other:unheard.of") == "other"
            assert host.owner_of("hello.run") == "hello"
            with pytest.raises(UnknownCommandError, match="of off, which is disabled: not now"):
                host.owner_of("off.run")
            assert host.plugin_of("off.run") == ""
        async with Host(control=False) as host:
            with pytest.raises(UnknownCommandError) as refused:
                host.owner_of("helo.run")
            assert "hello.run" in refused.value.hint

    run(test)


def test_what_a_plugin_offers_at_run_time_takes_nothing_from_one_that_nobody_asked_for(
    store: Store, run: Run
) -> None:
    """A command and a widget stay with the plugin whose manifest has them, whoever else offers them first."""
    put(store, "hello", widgets=[{"id": "hello.panel", "title": "Hello", "kind": "text"}])
    put(store, "thief")

    async def test() -> None:
        async with Host(control=False) as host:
            assert host.worker("thief") is not None
            offers = {
                "commands": [{"id": "hello.run"}, {"id": "thief.more"}],
                "widgets": [{"id": "hello.panel", "title": "Mine", "kind": "text"}],
            }
            await host._worker_ready("thief", offers)
            assert host.owner_of("hello.run") == "hello"
            assert host.owner_of("thief.more") == "thief"
            assert [widget["plugin"] for widget in host.widgets()] == ["hello"]

    run(test)


def test_the_index_is_not_searched_for_a_name_that_has_the_plugin_in_it_nor_for_a_thousand(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plugins call one another so, again and again; and what a hostile one offers holds the host for once."""
    for name in ("hello", "thief"):
        put(store, name)
    searched: list[str] = []
    naming = Plugins.naming

    def counting(self: Plugins, id: str) -> Iterator[str]:
        searched.append(id)
        return naming(self, id)

    monkeypatch.setattr(Plugins, "naming", counting)

    async def test() -> None:
        async with Host(control=False) as host:
            assert host.owner_of("hello:hello.run") == "hello"
            assert host.worker("thief") is not None
            names = (*(f"thief.{number}" for number in range(999)), "hello.run")
            await host._worker_ready("thief", {"commands": [{"id": name} for name in names]})
            assert host.owner_of("hello.run") == "hello"
            assert host.owner_of("thief.998") == "thief"

    run(test)
    assert searched == []


def test_what_others_change_of_a_plugin_that_nobody_asked_for_is_noticed(store: Store, run: Run) -> None:
    """Its permissions, by the ledger alone; another version, by the index."""
    for name in ("hello", "other"):
        put(store, name)

    async def test() -> None:
        told: list[tuple[str, dict[str, Any]]] = []
        async with Host(control=False) as host:
            host.subscribe(lambda name, data: told.append((name, data)))
            Ledger(store.root).decide(
                "hello", [Permission.parse("process.spawn.terminal")], "granted", by="command"
            )
            while ("permissions.changed", {"plugin": "hello"}) not in told:
                await asyncio.sleep(0.01)
            put(store, "other", "2.0")
            found = await host.refresh()
            assert found == {"added": [], "changed": ["other"], "removed": []}
            assert host.worker("other").plugin.version == "2.0"  # type: ignore[union-attr]
            assert (await host.refresh())["changed"] == []
            assert {data["plugin"] for name, data in told if name == "permissions.changed"} == {"hello"}

    run(test)


def test_an_event_reaches_those_that_run_before_others_are_woken(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot be sent to them wakes nobody."""
    put(store, "hello", activation_events=["onEvent:hello.news"])
    put(store, "other")
    happened: list[str] = []

    async def activate(host: Host, plugin_id: str, *_: object) -> None:
        happened.append(f"woken: {plugin_id}")

    def deliver(plugin_ids: Sequence[str], type: str, body: dict[str, Any]) -> None:
        happened.append(f"told: {', '.join(plugin_ids)}")
        pack([EVENT, type, body])

    monkeypatch.setattr(Host, "_activate_for", activate)

    async def test() -> None:
        async with Host(control=False) as host:
            host.events._deliver = deliver
            host.events.subscribe("other", "hello.news")
            with pytest.raises(FrameError):
                host.emit("hello.news", "host", {"number": 2**64})
            await asyncio.sleep(0)
            assert happened == ["told: other"]
            host.emit("hello.news", "host", {})
            await asyncio.sleep(0)
        assert happened == ["told: other", "told: other", "woken: hello"]

    run(test)


def test_an_event_wakes_a_plugin_that_nobody_asked_for(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what its manifest says; others are left alone."""
    put(store, "hello", activation_events=["onEvent:hello.news"])
    put(store, "other", activation_events=["onEvent:other.news"])
    woken: list[str] = []

    async def activate(host: Host, plugin_id: str, *_: object) -> None:
        woken.append(plugin_id)

    monkeypatch.setattr(Host, "_activate_for", activate)

    async def test() -> None:
        async with Host(control=False) as host:
            host.emit("hello.news", "host", {})
            await asyncio.sleep(0)
        assert woken == ["hello"]

    run(test)
