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
