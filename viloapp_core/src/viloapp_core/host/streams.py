"""Streaming commands, as whoever embeds the host reads them.

    async with host.stream("logs.follow", {"lines": 10}) as pieces:
        async for piece in pieces:
            print(piece)

Nothing is asked of the plugin before the first piece is. Whoever leaves the block, or the last reference to
the stream, gives it up: the plugin's generator ends at its next ``yield``.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from viloapp_core.limits import Breach
from viloapp_sdk.errors import DeadlineExceededError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host
    from viloapp_core.supervise import Streaming, Worker

__all__ = ["Stream"]


class Stream:
    """The bytes that one run of a streaming command yields; made by `Host.stream`.

    They come cut anew, not in the pieces that were yielded. One reader at a time.

    Args:
        host: which runs the plugin.
        command: the command's id, or ``plugin-id:command``.
        arguments: its arguments by name.
        timeout_s: seconds that the plugin may take for the next piece.
    """

    def __init__(
        self, host: "Host", command: str, arguments: Mapping[str, Any] | None, timeout_s: float | None
    ) -> None:
        self._host = host
        self._command = command
        self._arguments = dict(arguments or ())
        self._timeout_s = timeout_s
        self._allowed = 0.0
        self._worker: Worker | None = None
        self._source: Streaming | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = self._reading = False

    async def open(self) -> None:
        """Have the command begin; the first piece does so by itself.

        Raises:
            UnknownCommandError: no enabled plugin has it.
            NotStreamingError: it is called, not streamed; see `Host.call`.
            IncompatibleVersionsError: the plugin's SDK is older than streams.
            ViloError: what the plugin answered, or why it could not.
        """
        if self._over or self._source is not None:
            return
        _, id, worker = self._host.runs(self._command)
        self._worker, self._allowed = worker, worker.execution_time(self._host.settings.document)
        limit = self._timeout_s or self._allowed
        self._host.begin_stream()  # now: a host that seems idle may end
        try:
            self._take(await worker.stream(id, self._arguments, limit))
        except DeadlineExceededError:
            self._host.end_stream()
            raise self._late(worker) from None
        except BaseException:
            self._host.end_stream()
            raise

    def _take(self, source: "Streaming") -> None:
        self._source, self._loop = source, asyncio.get_running_loop()
        if self._over:  # it was closed while it began
            self.close()

    async def read(self) -> bytes:
        """Return the next piece; nothing at the end.

        Raises:
            RuntimeError: somebody else waits for it already.
            DeadlineExceededError: it did not come in time.
            WorkerLostError: the plugin's process ended before the stream did.
            ViloError: what the plugin itself raised; see `open` too.
        """
        if self._reading:
            raise RuntimeError(f"{self._command}: a stream has one reader at a time")
        self._reading = True
        try:
            return await self._next()
        finally:
            self._reading = False

    async def _next(self) -> bytes:
        if self._source is None:
            await self.open()
        if self._source is None or self._worker is None:
            return b""
        try:
            data = await self._source.read(self._timeout_s or self._allowed)
        except DeadlineExceededError:
            self.close()
            raise self._late(self._worker) from None
        except Exception:
            self.close()
            raise
        if not data:
            self.close()
        return data

    def close(self) -> None:
        """Give it up. May be called twice."""
        self._over = True
        if self._source is not None:
            self._source.close()
            self._source = None
            self._host.end_stream()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if data := await self.read():
            return data
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give it up, as an async generator is."""
        self.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # The garbage collector may be at work in any thread. The loop may have ended, with all its callbacks.
        if self._source is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.close)

    def _late(self, worker: "Worker") -> DeadlineExceededError:
        allowed = self._allowed
        if self._timeout_s is None:
            breach = Breach("execution_time", "refused", allowed, allowed)
            self._host.limit_reached(worker.plugin.plugin_id, breach)
        limit = self._timeout_s or allowed
        what = f"nothing came from {self._command} within {limit:g} s"
        return DeadlineExceededError(what, f"a stream may wait longer: {worker.allow_more()}")
