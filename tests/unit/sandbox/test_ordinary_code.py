"""What plugins that mean no harm do works inside, with the limits that they have by default."""

from __future__ import annotations

from typing import Any

import pytest

from viloapp_core.limits import effective, rlimits

from .conftest import Installed

WORK = {
    "threads": """
from concurrent.futures import ThreadPoolExecutor
answer = sum(ThreadPoolExecutor(8).map(lambda n: n, range(100))) == 4950
""",
    "processes": """
import multiprocessing
context = multiprocessing.get_context("fork")
queue, lock = context.Queue(), context.Lock()
def work():
    with lock:
        queue.put(1)
children = [context.Process(target=work) for _ in range(3)]
[child.start() for child in children]
answer = [queue.get(timeout=20) for _ in children] == [1, 1, 1]
[child.join() for child in children]
""",
    "pool": """
import json, multiprocessing
with multiprocessing.get_context("spawn").Pool(2) as pool:
    answer = pool.map(json.dumps, [1, 2]) == ["1", "2"]
""",
    "manager": """
import multiprocessing
with multiprocessing.get_context("fork").Manager() as manager:
    shared = manager.dict(a=1)
    answer = dict(shared) == {"a": 1}
""",
    "shared_memory": """
from multiprocessing.shared_memory import SharedMemory
memory = SharedMemory(create=True, size=1000)
memory.buf[0] = 7
answer = memory.buf[0] == 7
memory.close()
memory.unlink()
""",
    "temporary_files": """
import tempfile
with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
    file.write(b"x")
    answer = file.name.startswith("/tmp/")
""",
    "database": """
import os, sqlite3
with sqlite3.connect(os.path.join(os.environ["HOME"], "notes.db")) as db:
    db.execute("pragma journal_mode = wal")
    db.execute("create table if not exists notes (text)")
    db.execute("insert into notes values ('x')")
    answer = db.execute("select count(*) from notes").fetchone()[0] > 0
""",
    "event_loop": """
import asyncio
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    process = await asyncio.create_subprocess_exec(__import__("sys").executable, "-c", "print(1)", stdout=-1)
    out, _ = await process.communicate()
    writer.close()
    server.close()
    return [await reader.read() == b"", out.strip() == b"1"]
answer = all(asyncio.run(main()))
""",
    "libraries": """
import ctypes.util
answer = ctypes.util.find_library("c") is not None
""",
    "names": """
import getpass, os, pwd, socket
answer = bool(socket.getaddrinfo("localhost", 80)) and pwd.getpwuid(0).pw_name == "root"
""",
}


@pytest.mark.parametrize("what", WORK)
def test_it_works(worker: Installed, what: str) -> None:
    """Each as its documentation says, in a real sandbox."""
    limited: dict[str, Any] = {"rlimits": rlimits(effective({}, {})), "scratch_bytes": 100 * 1024 * 1024}
    assert worker.run(WORK[what], **limited) is True


def test_of_pairs_only_connected_ones_beside_a_shared_folder(worker: Installed) -> None:
    """Somebody's socket may be in it: none can be made that could be connected to that."""
    code = """
import socket
def tried(make):
    try:
        make()
    except OSError as error:
        return error.errno
answer = [tried(lambda: socket.socket(socket.AF_UNIX)), tried(socket.socketpair),
          tried(lambda: socket.socketpair(type=socket.SOCK_DGRAM))]
"""
    folder = worker.request.data_dir.parent
    permissions = ("filesystem.read.workspace",)
    workspace = folder.parents[2] / "shared"
    workspace.mkdir(exist_ok=True)
    assert worker.run(code, workspace=workspace, permissions=permissions) == [97, None, 1]
