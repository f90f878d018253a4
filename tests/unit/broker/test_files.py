"""Files opened for plugins: real folders, links put in the way, what nobody gets."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.broker.gate import Grants
from viloapp_core.broker import places
from viloapp_core.broker.errors import FileRefusedError, FileUnavailableError
from viloapp_core.broker.files import Files
from viloapp_sdk.errors import InvalidArgumentsError, PermissionDeniedError


class Desk:
    """A home with files in it, and what one plugin may."""

    def __init__(self, home: Path, *granted: str) -> None:
        self.home = home
        self.gate = Grants(*granted)
        self.files = Files(self.gate, home=home, store=home / "store")

    async def content(self, path: Path | str, mode: str = "r") -> bytes:
        """Open a file and read what its descriptor gives."""
        opened: list[int] = []

        def hand_over(fd: int) -> int:
            opened.append(os.dup(fd))
            return 1

        await self.files.open("hello", str(path), mode, hand_over)
        with os.fdopen(opened[0], "rb") as file:
            return file.read()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with notes, a key, and a store."""
    for name, text in (
        ("notes/a.txt", "a"),
        (".ssh/id", "key"),
        ("store/index.json", "{}"),
        ("other/b", "b"),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def play(desk: Desk, act: Callable[[], Awaitable[Any]]) -> Any:
    """Run a scene."""

    async def run() -> Any:
        try:
            return await act()
        finally:
            desk.files.close()

    return asyncio.run(run())


def test_granted_files(home: Path) -> None:
    """Reading, making, replacing and listing where it was granted; each is in the audit log."""
    desk = Desk(home, f"filesystem.write.{home}/notes")

    async def scene() -> None:
        assert await desk.content(home / "notes/a.txt") == b"a"
        assert await desk.content("~/notes/a.txt") == b"a"
        await desk.files.write("hello", "~/notes/a.txt", b"new")
        os.chmod(home / "notes/a.txt", 0o600)
        await desk.files.write("hello", "~/notes/a.txt", b"newer")
        assert (home / "notes/a.txt").read_bytes() == b"newer"
        assert (home / "notes/a.txt").stat().st_mode & 0o777 == 0o600
        rows = await desk.files.list("hello", "~/notes")
        assert [(row["name"], row["kind"], row["size"]) for row in rows] == [("a.txt", "file", 5)]
        assert (await desk.files.stat("hello", "~/notes"))["kind"] == "folder"
        assert len(desk.gate.lines) == 6

    play(desk, scene)


def test_reading_is_not_writing(home: Path) -> None:
    """A grant to read opens nothing for writing, nor what lies outside of it."""
    desk = Desk(home, f"filesystem.read.{home}/notes")

    async def scene() -> None:
        for path, mode in (("~/notes/a.txt", "w"), ("~/notes/a.txt", "r+"), ("~/other/b", "r")):
            with pytest.raises(PermissionDeniedError, match="filesystem"):
                await desk.content(path, mode)
        with pytest.raises(PermissionDeniedError):
            await desk.files.write("hello", "~/notes/a.txt", b"")
        for path in ("notes/a.txt", "~/notes/../other/b", "/x\0y", ""):
            with pytest.raises(InvalidArgumentsError):
                await desk.content(path)
        with pytest.raises(InvalidArgumentsError):
            await desk.content("~/notes/a.txt", "rw")
        assert (home / "notes/a.txt").read_text() == "a"

    play(desk, scene)


def test_where_a_link_leads_is_judged(home: Path) -> None:
    """A link out of the granted folder gives nothing."""
    (home / "notes/link").symlink_to(home / "other/b")
    (home / "notes/folder").symlink_to(home / "other")
    desk = Desk(home, f"filesystem.write.{home}/notes")

    async def scene() -> None:
        for path in ("~/notes/link", "~/notes/folder/b"):
            with pytest.raises(PermissionDeniedError, match="other"):
                await desk.content(path)
            with pytest.raises(PermissionDeniedError, match="other"):
                await desk.files.write("hello", path, b"changed")
        with pytest.raises(PermissionDeniedError):
            await desk.files.list("hello", "~/notes/folder")
        assert (home / "other/b").read_text() == "b"

    play(desk, scene)


def test_a_link_put_there_afterwards_is_not_followed(home: Path) -> None:
    """What was judged is opened, or nothing."""
    (home / "notes/late").symlink_to(home / "other/b")
    (home / "late").symlink_to(home / "other")
    for path in (home / "notes/late", home / "late/b"):
        with pytest.raises(OSError, match=r"ordinary|links|Not a directory"):
            places.open_file(path, os.O_RDONLY)
    with pytest.raises(OSError, match=r"ordinary|exists"):
        places.replace_file(home / "notes/late", b"x")
    assert (home / "other/b").read_text() == "b"


def test_keys_and_the_store_are_nobodys(home: Path) -> None:
    """Whatever was granted, and also through a link."""
    (home / "notes/keys").symlink_to(home / ".ssh")
    desk = Desk(home, f"filesystem.write.{home}")

    async def scene() -> None:
        for path in ("~/.ssh/id", "~/notes/keys/id", "~/store/index.json", "~/.ssh/new", "~/.netrc"):
            with pytest.raises(FileRefusedError):
                await desk.content(path)
            with pytest.raises(FileRefusedError):
                await desk.files.write("hello", path, b"")
        with pytest.raises(FileRefusedError):
            await desk.files.list("hello", "~/.ssh")

    play(desk, scene)


def test_only_ordinary_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe would block, a device does things, a socket is somebody's; a missing file says so."""
    os.mkfifo(home / "notes/pipe")
    monkeypatch.chdir(home / "notes")  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    desk = Desk(home, f"filesystem.write.{home}/notes")

    async def scene() -> None:
        for name in ("pipe", "socket", "missing", "."):
            with pytest.raises((FileUnavailableError, InvalidArgumentsError)):
                await desk.content(home / "notes" / name)

    play(desk, scene)


def test_files_are_made_and_truncated(home: Path) -> None:
    """The modes do what Python's do."""
    made = home / "made"
    os.close(places.open_file(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    with pytest.raises(FileExistsError):
        places.open_file(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    made.write_text("old")
    os.close(places.open_file(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    assert made.read_text() == ""


def test_a_replaced_program_keeps_no_set_user_id(home: Path) -> None:
    """Its content is a plugin's now: with the bit it would run as the file's owner."""
    path = home / "notes/tool"
    path.write_text("a")
    path.chmod(0o4755)
    places.replace_file(path, b"b")
    assert path.stat().st_mode & 0o7777 == 0o755


def test_a_lease_does_not_hold_the_host(home: Path) -> None:
    """Whoever holds one could have it wait for 45 seconds; the plugin is told to try again."""
    path = home / "notes/a.txt"
    with path.open("r+") as held:
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # what the holder of a lease is sent
        try:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            with pytest.raises(BlockingIOError):
                places.open_file(path, os.O_RDONLY)
        finally:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            signal.signal(signal.SIGIO, before)
    opened = places.open_file(path, os.O_RDONLY)
    assert os.get_blocking(opened)
    os.close(opened)
