"""Files that the host opens for plugins: a descriptor of one file, without a restart and without a mount.

    files = Files(gate, home=Path.home(), store=store.root)
    ticket = await files.open("hello", "/home/me/notes.txt", "r", worker.hand_over)

What is judged is where a path really leads, all links followed; what is opened is exactly that, each folder
on the way without following any link, so that nobody can put a link in the place of what was judged. Key
material below the home and the store are nobody's, whatever was granted.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from viloapp_core.broker import places
from viloapp_core.broker.errors import FileRefusedError, FileUnavailableError
from viloapp_core.broker.network import HandOver
from viloapp_core.ledger import Gate
from viloapp_core.permissions import Permission
from viloapp_sdk.errors import InvalidArgumentsError
from viloapp_sdk.manifest.needs import opening

__all__ = ["Files"]

T = TypeVar("T")
_THREADS = 4
_MOST_LISTED = 10_000


class Files:
    """Opens files for all plugins of a host; disks may be slow, so in threads.

    Args:
        gate: what each plugin may, and the audit log.
        home: the person's, for ``~`` and for what is hidden in it.
        store: hidden too.
    """

    def __init__(self, gate: Gate, *, home: Path, store: Path) -> None:
        self._gate = gate
        self._home = home
        self._store = store
        self._threads = ThreadPoolExecutor(_THREADS, "viloapp-files")

    async def open(self, plugin_id: str, path: str, mode: str, hand_over: HandOver) -> int:
        """Open a regular file; returns the ticket of its descriptor.

        Args:
            plugin_id: who asks.
            path: absolute, or ``~/…``.
            mode: as `open` has it; see `viloapp_sdk.manifest.needs.opening`.
            hand_over: gives the plugin the descriptor.

        Raises:
            PermissionDeniedError: nothing allows it.
            FileRefusedError: it is key material, or no file.
            FileUnavailableError: the system refused.
        """
        flags, scope = opening(mode)
        real = await self._judge(plugin_id, path, scope, "files.open")
        descriptor = await self._in_thread(real, lambda: places.open_file(real, flags))
        try:
            return hand_over(descriptor)
        finally:
            os.close(descriptor)

    async def write(self, plugin_id: str, path: str, data: bytes) -> None:
        """Replace a file's content at once: whoever reads it sees the old or the new.

        Raises:
            PermissionDeniedError: nothing allows it.
            FileRefusedError: see `open`.
            FileUnavailableError: see `open`.
        """
        real = await self._judge(plugin_id, path, "write", "files.write")
        await self._in_thread(real, lambda: places.replace_file(real, data))

    async def list(self, plugin_id: str, path: str) -> list[dict[str, Any]]:
        """Return what is in a folder: ``{"name", "kind", "size", "modified"}``, sorted by name.

        Raises:
            PermissionDeniedError: nothing allows it.
            FileRefusedError: see `open`.
            FileUnavailableError: see `open`, or it has more entries than 10000.
        """
        real = await self._judge(plugin_id, path, "read", "files.list")
        return await self._in_thread(real, lambda: places.list_folder(real, _MOST_LISTED))

    async def stat(self, plugin_id: str, path: str) -> dict[str, Any]:
        """Return ``{"name", "kind", "size", "modified"}`` of a file or a folder.

        Raises:
            PermissionDeniedError: nothing allows it.
            FileRefusedError: see `open`.
            FileUnavailableError: see `open`.
        """
        real = await self._judge(plugin_id, path, "read", "files.stat")
        return await self._in_thread(real, lambda: places.describe(real.name, os.lstat(real)))

    def close(self) -> None:
        """Take nothing on any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _judge(self, plugin_id: str, path: str, scope: str, call: str) -> Path:
        """Return where a path leads when the plugin may have that; the path as it is written counts too."""
        written = self._written(path)
        self._gate.require(plugin_id, Permission("filesystem", scope, str(written)), call)
        real = await self._in_thread(written, lambda: Path(os.path.realpath(written)))
        if real != written:
            self._gate.require(plugin_id, Permission("filesystem", scope, str(real)), call)
        hidden = await self._in_thread(real, lambda: places.hidden(real, self._home, self._store))
        outcome = "refused" if hidden else "allowed"
        self._gate.audit("broker", plugin_id, f"filesystem.{scope}.{real}", call, outcome, hidden or "")
        if hidden:
            raise FileRefusedError(plugin_id, str(real), hidden)
        return real

    def _written(self, path: str) -> Path:
        text = str(self._home) + path[1:] if path == "~" or path.startswith("~/") else path
        if not text.startswith("/") or "\0" in text or len(text) > 4096:
            raise InvalidArgumentsError(f"{path[:80]!r} is no absolute path", "begin it with / or ~/")
        written = Path(os.path.normpath(text))
        if ".." in text.split("/"):
            raise InvalidArgumentsError(f"{path[:80]!r} has '..' in it", "write the path that it means")
        return written

    async def _in_thread(self, path: Path, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work)
        except OSError as error:
            raise FileUnavailableError(str(path), error.strerror or str(error), error.errno or 0) from None
