"""The event loop of a worker whose plugin has ``async`` handlers; imported only then."""

import asyncio
import os
from functools import partial

from viloapp_sdk.errors import CallCancelledError
from viloapp_sdk.worker._channel import result_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from viloapp_sdk.worker._channel import Channel


class _FutureAnswer:
    """The answer to a request that a coroutine awaits; may be resolved by any thread."""

    __slots__ = ("future",)

    def __init__(self, future: "asyncio.Future[list[Any]]") -> None:
        self.future = future

    def resolve(self, frame: "list[Any]") -> None:
        loop = self.future.get_loop()
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is loop:
            self._set(frame)
        else:
            loop.call_soon_threadsafe(self._set, frame)

    def _set(self, frame: "list[Any]") -> None:
        if not self.future.done():
            self.future.set_result(frame)


class Loop:
    """Takes the channel over from the blocking reader, with the same pipes and frames.

    Args:
        channel: the worker's channel; its main thread runs this loop from now on.
    """

    def __init__(self, channel: "Channel") -> None:
        self._channel = channel
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._tasks: dict[int, asyncio.Future[Any]] = {}
        self._unnamed: set[asyncio.Future[Any]] = set()
        self._expecting = self._awake = False
        os.set_blocking(channel.fd_in, False)
        self._loop.add_reader(channel.fd_in, self._readable)

    def run(self) -> None:
        """Serve until `stop`."""
        self._loop.call_soon(self._drain)
        self._loop.run_forever()
        left = [*self._tasks.values(), *self._unnamed]
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=1))
        self._loop.close()

    def stop(self) -> None:
        """End `run`."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def start(self, id: "int | None", awaitable: "Awaitable[Any]", *, nested: bool) -> None:
        """Run what a handler returned and answer request ``id`` with its result.

        Args:
            id: the request, or None for an event.
            awaitable: a coroutine, a future or any other awaitable.
            nested: a plain handler waits below us; then this runs to its end before we return, unless the
                loop runs already, which goes on when that handler is done.
        """
        task = asyncio.ensure_future(awaitable, loop=self._loop)
        if id is None:
            self._unnamed.add(task)
        else:
            self._tasks[id] = task
        task.add_done_callback(partial(self._finish, id))
        if nested and not self._loop.is_running():
            self._loop.call_soon(self._drain)
            self._loop.run_until_complete(asyncio.wait([task]))

    def wake(self) -> None:
        """Serve what another thread has read for us."""
        self._loop.call_soon_threadsafe(self._drain)

    def cancel(self, id: int) -> None:
        """Cancel the task of request ``id``, if it still runs; callable from any thread."""
        task = self._tasks.get(id)
        if task is not None:
            self._loop.call_soon_threadsafe(task.cancel)

    async def request(self, method: str, params: "list[Any]") -> "Any":
        """Ask the host and await the answer."""
        future: asyncio.Future[list[Any]] = self._loop.create_future()
        id = self._channel._ask(_FutureAnswer(future), method, params)
        self._expect()
        try:
            return result_of(await future)
        finally:
            self._channel.pending.pop(id, None)

    def _finish(self, id: "int | None", task: "asyncio.Future[Any]") -> None:
        if id is None:
            self._unnamed.discard(task)
        else:
            self._tasks.pop(id, None)
        if task.cancelled():
            self._channel.fail(id, CallCancelledError("the caller gave up"))
        elif (error := task.exception()) is not None:
            self._channel.fail(id, error)
        else:
            self._channel.answer(id, task.result())
        self._expect()

    def _expect(self) -> None:
        """Turn for a moment rather than to sleep, where the host is brisk; see `Channel.may_wait`."""
        self._expecting = True
        if self._channel.brisk and not self._awake:
            self._awake = True
            self._loop.call_soon(self._stay_awake)

    def _stay_awake(self) -> None:
        if self._expecting and self._channel.may_wait():
            self._loop.call_soon(self._stay_awake)
        else:
            self._awake = False

    def _readable(self) -> None:
        channel = self._channel
        if not channel.reading.acquire(False):
            return  # another thread is reading and hands us what is ours
        if self._expecting:
            self._expecting = False
            channel.came()
        try:
            if not channel.buffer.read_from(channel.fd_in):
                self._loop.stop()
                return
            while (frame := channel.buffer.take()) is not None:
                channel.route(frame)
        except BlockingIOError:
            pass  # another thread took it between the wake-up and now
        finally:
            channel.reading.release()
            channel._wake()
        self._drain()

    def _drain(self) -> None:
        """Serve what has been read, requests of nested calls first when a plain handler is under way."""
        channel = self._channel
        while (frame := channel._next_to_serve()) is not None:
            channel.dispatch(frame)
