"""Block lists at every start and while a plugin runs, without the libraries that verify signatures."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.host import Host
from viloapp_core.host.errors import BlockedPluginError
from viloapp_core.operations import listing
from viloapp_core.store import Revocation, Store
from viloapp_core.trust import TrustStore, parse_publisher
from viloapp_core.trust.block_lists import list_path
from viloapp_core.trust.book import ListSource

Run = Callable[[Callable[[], Awaitable[None]]], None]
PLUGIN = """
    from viloapp_sdk import Plugin, command
    class P(Plugin):
        @command("hello.greet")
        def greet(self) -> str:
            return "hello"
"""


def block(store: Store, expires: str = "2999-01-01T00:00:00Z") -> None:
    """Put a list that names `hello` into the store, as taking a verified one leaves it."""
    entry = {"plugin": "hello", "versions": "<2", "reason": "leaks tokens"}
    value = {"schema": 1, "name": "example", "issued": "2026-01-01T00:00:00Z", "expires": expires}
    data = json.dumps({**value, "entries": [entry]}).encode()
    sha256, keeper = hashlib.sha256(data).hexdigest(), TrustStore(store.root)
    keeper.folder.mkdir(parents=True, exist_ok=True)
    list_path(keeper.folder, sha256).write_bytes(data)
    publisher = parse_publisher("github:octo/lists@.github/workflows/release.yml")
    since = "2026-01-01T00:00:00Z"
    source = ListSource("/lists/example.json", publisher, sha256, since, since)
    keeper.change(lambda book: replace(book, block_lists={"example": source}))


def test_what_is_blocked_is_not_started(plant: Plant, store: Store, run: Run) -> None:
    """The error has the id, the reason and what to do; listings and the host's rows say it too."""
    plant("hello", PLUGIN)
    block(store)

    async def test() -> None:
        async with Host(store.root, allow_unsandboxed=True, control=False) as host:
            with pytest.raises(BlockedPluginError, match="leaks tokens") as caught:
                await host.call("hello.greet")
            assert "hello" in caught.value.detail
            assert "viloapp update hello" in caught.value.hint
            assert "leaks tokens" in host.plugins()[0]["reason"]

    run(test)
    assert "leaks tokens" in listing(store)[0]["reason"]


def test_what_is_blocked_while_it_runs_is_stopped(plant: Plant, store: Store, run: Run) -> None:
    """Within a moment, and the person is told why."""
    plant("hello", PLUGIN)

    async def test() -> None:
        async with Host(store.root, allow_unsandboxed=True, control=False) as host:
            assert await host.call("hello.greet") == "hello"
            told: asyncio.Queue[str] = asyncio.Queue()

            def tell(name: str, data: dict[str, Any]) -> None:
                if name == "notification":
                    told.put_nowait(data["message"])

            host.subscribe(tell)
            block(store)
            assert "leaks tokens" in await told.get()
            while host.plugins()[0]["pid"] is not None:
                await asyncio.sleep(0.01)
            with pytest.raises(BlockedPluginError):
                await host.call("hello.greet")

    run(test)


def test_a_later_version_is_free(plant: Plant, store: Store, run: Run) -> None:
    """What the list does not name runs."""
    plant("hello", PLUGIN, version="2.0")
    block(store)

    async def test() -> None:
        async with Host(store.root, allow_unsandboxed=True, control=False) as host:
            assert await host.call("hello.greet") == "hello"

    run(test)


def test_an_expired_list_warns_and_still_blocks(plant: Plant, store: Store) -> None:
    """Whoever keeps a newer list away does not unblock anything."""
    plant("hello", PLUGIN)
    block(store, expires="2026-01-02T00:00:00Z")
    revocation = Revocation(store.root, SystemClock())
    assert "leaks tokens" in revocation.why(store.plugin("hello"))
    assert "expired" in revocation.warnings[0]


@pytest.mark.parametrize("how", ["deleted", "edited"])
def test_a_list_that_was_tampered_with_starts_nothing(plant: Plant, store: Store, how: str) -> None:
    """What is blocked cannot be known any more, so that nothing is taken for free."""
    plant("hello", PLUGIN, version="2.0")
    block(store)
    (path,) = (store.root / "trust").glob("blocks-*.json")
    if how == "deleted":
        path.unlink()
    else:
        path.write_text("{}")
    assert "example" in Revocation(store.root, SystemClock()).why(store.plugin("hello"))
