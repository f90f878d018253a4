"""A plugin's `context.services.files`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.unit.host.conftest import Plant
from tests.unit.host.test_network import grants
from viloapp_core import Host
from viloapp_core.store import Store

Run = Callable[[Callable[[], Awaitable[None]]], None]

READER = """
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("files.edit")
    def edit(self, folder: str) -> list:
        files = self.context.services.files
        told = []
        with files.open(folder + "/a.txt") as file:
            told.append(file.read())
        with files.open(folder + "/a.txt", "a") as file:
            file.write("more\\n")
        with files.open(folder + "/b.bin", "xb") as file:
            file.write(bytes(range(256)))
        files.write_bytes(folder + "/c.txt", b"whole")
        told.append([each["name"] for each in files.list(folder)])
        told.append(files.read_bytes(folder + "/b.bin") == bytes(range(256)))
        told.append(files.stat(folder + "/a.txt")["size"])
        for path, mode in ((folder + "/missing", "r"), (folder + "/../x", "r"), ("/etc/hostname", "r")):
            try:
                files.open(path, mode)
            except Exception as error:
                told.append(type(error).__name__)
        return told
"""


def test_files_by_descriptor(plant: Plant, store: Store, run: Run, tmp_path: Path) -> None:
    """Opened, made, replaced and listed as Python's own files; errors are Python's own too."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("first\n")
    plant("reader", READER, permissions=grants(f"filesystem.write.{folder}"))

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            assert await host.call("files.edit", {"folder": str(folder)}) == [
                "first\n",
                ["a.txt", "b.bin", "c.txt"],
                True,
                11,
                "FileNotFoundError",
                "InvalidArgumentsError",
                "PermissionDeniedError",
            ]
        assert (folder / "a.txt").read_text() == "first\nmore\n"
        assert (folder / "c.txt").read_bytes() == b"whole"

    run(scene)


LATER = """
import asyncio, os
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("later.edit")
    async def edit(self, folder: str) -> list:
        files, told = self.context.services.aio.files, []
        with await files.open(folder + "/a.txt", "w") as file:
            file.write("written")
        with await files.open(folder + "/a.txt") as file:
            told.append(file.read())
        together = await asyncio.gather(*(files.read_bytes(folder + "/a.txt") for _ in range(20)))
        told.append(set(together) == {b"written"})
        for path in (folder + "/missing", "/etc/hostname"):
            try:
                await files.open(path)
            except Exception as error:
                told.append(type(error).__name__)
        return told

    @command("later.give_up")
    async def give_up(self, folder: str) -> list:
        files = self.context.services.aio.files
        await files.stat(folder + "/a.txt")
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            opening = asyncio.ensure_future(files.open(folder + "/a.txt"))
            await asyncio.sleep(0)  # it has asked, and is not answered
            opening.cancel()
        for _ in range(1000):  # some are answered after this one, too
            with await files.open(folder + "/a.txt"):
                pass
            after = len(os.listdir("/proc/self/fd"))
            if after == before:
                break
        return [before, after]
"""


def test_files_for_async_handlers(plant: Plant, store: Store, run: Run, tmp_path: Path) -> None:
    """`services.aio.files.open` awaits the host; many at once; what is given up is not left open."""
    folder = tmp_path / "notes"
    folder.mkdir()
    plant("later", LATER, permissions=grants(f"filesystem.write.{folder}"))

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            told = ["written", True, "FileNotFoundError", "PermissionDeniedError"]
            assert await host.call("later.edit", {"folder": str(folder)}) == told
            before, after = await host.call("later.give_up", {"folder": str(folder)})
            assert after == before

    run(scene)
