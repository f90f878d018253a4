"""A plugin's own processes beside a folder of the person's, where it has no Unix sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.host.conftest import Plant
from tests.unit.host.test_network import grants
from viloapp_core import Host
from viloapp_core.sandbox import probe
from viloapp_core.store import Store

Run = Callable[[Callable[[], Awaitable[None]]], None]

SHARES = """
import socket
from viloapp_sdk import Plugin, command

def add(shared, key):
    shared[key] = key * 2

def answer(address):
    from multiprocessing.connection import Client
    with Client(address, authkey=b"key") as client:
        client.send("from the other process")

class P(Plugin):
    @command("shares.manager")
    def manager(self, how: str) -> dict:
        import multiprocessing
        context = multiprocessing.get_context(how)
        with context.Manager() as manager:
            shared = manager.dict()
            processes = [context.Process(target=add, args=(shared, key)) for key in ("a", "b")]
            [each.start() for each in processes]
            [each.join() for each in processes]
            return dict(shared)

    @command("shares.listener")
    def listener(self) -> list:
        from multiprocessing import get_context
        from multiprocessing.connection import Listener
        with Listener(authkey=b"key") as listener:
            process = get_context("spawn").Process(target=answer, args=(listener.address,))
            process.start()
            with listener.accept() as connection:
                told = connection.recv()
            process.join()
            return [told, isinstance(listener.address, tuple)]

    @command("shares.unix")
    def unix(self) -> str:
        try:
            socket.socket(socket.AF_UNIX).close()
        except OSError as error:
            return error.strerror
        return "made"
"""


@pytest.mark.parametrize("shared", [True, False], ids=["beside a folder", "alone"])
def test_managers_meet_without_unix_sockets(
    plant: Plant, store: Store, run: Run, tmp_path: Path, shared: bool
) -> None:
    """`Manager` and `Listener` work forked and spawned; beside a folder they use the sandbox's loopback."""
    if probe().backend != "bubblewrap":
        pytest.skip("without bubblewrap there is neither")
    folder = tmp_path / "work"
    folder.mkdir()
    plant("shares", SHARES, permissions=grants(*(["filesystem.read.workspace"] if shared else [])))

    async def scene() -> None:
        async with Host(store.root, workspace=folder, control=False) as host:
            made = await host.call("shares.unix")
            assert made == ("Address family not supported by protocol" if shared else "made")
            for how in ("fork", "spawn"):
                assert await host.call("shares.manager", {"how": how}) == {"a": "aa", "b": "bb"}
            assert await host.call("shares.listener") == ["from the other process", shared]

    run(scene)
