"""The host for callers without an event loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from viloapp_core.host.host import Host

if TYPE_CHECKING:
    from viloapp_core.operations import UpdateOutcome

__all__ = ["SyncHost"]

T = TypeVar("T")


class SyncHost:
    """A `Host` in an event loop and a thread of its own; every method blocks, from any thread.

        with SyncHost() as host:
            print(host.call("hello.greet", {"name": "you"}))

    Args:
        store: see `Host`.
        workspace: see `Host`.
        allow_unsandboxed: see `Host`.
        control: see `Host`.
    """

    def __init__(
        self,
        store: Path | None = None,
        *,
        workspace: Path | None = None,
        allow_unsandboxed: bool = False,
        control: bool = True,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that forgets to stop its host can still end, and its workers end with it.
        self._thread = threading.Thread(target=self._run, name="viloapp-host", daemon=True)
        self._thread.start()
        self._host = self._here(
            lambda: Host(store, workspace=workspace, allow_unsandboxed=allow_unsandboxed, control=control)
        )

    def start(self) -> None:
        """See `Host.start`."""
        try:
            self._wait(self._host.start())
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """See `Host.stop`; the object cannot be started again."""
        try:
            self._wait(self._host.stop())
        finally:
            self._end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def call(
        self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> Any:
        """See `Host.call`."""
        return self._wait(self._host.call(command, arguments, timeout_s=timeout_s))

    def stream(
        self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> Iterator[bytes]:
        """See `Host.stream`; closing the generator gives the stream up."""
        stream = self._here(lambda: self._host.stream(command, arguments, timeout_s=timeout_s))
        try:
            while data := self._wait(stream.read()):
                yield data
        finally:
            self._here(stream.close)

    def commands(self) -> list[dict[str, Any]]:
        """See `Host.commands`."""
        return self._here(self._host.commands)

    def widgets(self) -> list[dict[str, Any]]:
        """See `Host.widgets`."""
        return self._here(self._host.widgets)

    def plugins(self) -> list[dict[str, Any]]:
        """See `Host.plugins`."""
        return self._here(self._host.plugins)

    def refresh(self) -> dict[str, list[str]]:
        """See `Host.refresh`."""
        return self._wait(self._host.refresh())

    def update(self, plugin_ids: Sequence[str] = (), **choices: Any) -> "list[UpdateOutcome]":
        """See `Host.update`."""
        return self._wait(self._host.update(plugin_ids, **choices))

    def rollback(self, plugin_id: str, *, to: str | None = None) -> "UpdateOutcome":
        """See `Host.rollback`."""
        return self._wait(self._host.rollback(plugin_id, to=to))

    def subscribe(self, callback: Callable[[str, dict[str, Any]], None]) -> Callable[[], None]:
        """See `Host.subscribe`; the callback runs in the host's thread."""
        unsubscribe = self._here(lambda: self._host.subscribe(callback))
        return lambda: self._here(unsubscribe)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # a KeyboardInterrupt here gives the call up there
            raise

    def _here(self, run: Callable[[], T]) -> T:
        """Run in the host's thread, where all of its state lives."""
        result: Future[T] = Future()

        def settle() -> None:
            try:
                result.set_result(run())
            except BaseException as error:
                result.set_exception(error)

        self._loop.call_soon_threadsafe(settle)
        return result.result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
