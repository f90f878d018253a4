"""Plugins installed from the page: the work runs in a thread, the person is asked in the page.

One operation goes back and forth: ``plugins.install`` answers either that it is done or that a plugin
needs consent; the page asks the person and calls it again with the operation's id and the answer.
"""

import asyncio
import concurrent.futures
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from viloapp_core.web.errors import UnknownOperationError
from viloapp_core.web.pages import Page

__all__ = ["Ask", "Installs", "Work"]

ANSWER_WITHIN_S: Final = 600.0
"""A question that nobody answers for this long is a no."""

PROGRESS_EVERY_S: Final = 0.05
"""Bytes are counted far more often than a bar can be drawn."""


class Ask(Protocol):
    """Asks the person; called in the thread that does the work."""

    def __call__(self, question: Mapping[str, Any], /) -> bool:
        """Return whether the person agrees."""


class Work(Protocol):
    """Installs; runs in a thread."""

    def __call__(
        self,
        specs: Sequence[str],
        ask: Ask,
        tell: Callable[[Mapping[str, Any]], None],
        cancel: threading.Event,
        /,
    ) -> Mapping[str, Any]:
        """Install ``specs`` and return what to tell the page; end soon once ``cancel`` is set."""


class _Operation:
    """One installation under way; everything but `ask` and `report` belongs to the event loop."""

    def __init__(self, page: Page, tell: Callable[[str, Mapping[str, Any]], None]) -> None:
        self.id = secrets.token_hex(8)
        self.page: Page | None = page
        self.steps: asyncio.Queue[Mapping[str, Any] | BaseException] = asyncio.Queue()
        self.question: concurrent.futures.Future[bool] | None = None
        self.cancel = threading.Event()
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._told = (0.0, "")

    def ask(self, question: Mapping[str, Any], /) -> bool:
        """Put a question to the person and wait for the answer; in the worker thread."""
        answer: concurrent.futures.Future[bool] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(self._asked, question, answer)
        try:
            return answer.result(ANSWER_WITHIN_S)
        except concurrent.futures.TimeoutError:
            return False

    def report(self, progress: Mapping[str, Any]) -> None:
        """Pass progress on, not more often than it can be drawn; in the worker thread."""
        now, stage = time.monotonic(), f"{progress.get('plugin')}/{progress.get('stage')}"
        last = progress.get("done") == progress.get("total")
        if last or stage != self._told[1] or now - self._told[0] >= PROGRESS_EVERY_S:
            self._told = (now, stage)
            self._loop.call_soon_threadsafe(self._tell, "progress", {"operation": self.id, **progress})

    def _asked(self, question: Mapping[str, Any], answer: concurrent.futures.Future[bool]) -> None:
        if self.cancel.is_set() or self.page is None:
            answer.set_result(False)
            return
        self.question = answer
        self.steps.put_nowait({"status": "needs_consent", "operation": self.id, **question})

    def settle(self, accepted: bool) -> None:
        """Answer the question that is open, if one is."""
        question, self.question = self.question, None
        if question is not None and not question.done():
            question.set_result(accepted)

    def abandon(self) -> None:
        """Break off; nothing is left half done."""
        self.cancel.set()
        self.settle(False)


class Installs:
    """Every installation that a page started.

    Args:
        work: does it, in a thread.
        tell: passes an event to every page.
        refresh: makes the host take what was installed.
    """

    def __init__(
        self,
        work: Work,
        tell: Callable[[str, Mapping[str, Any]], None],
        refresh: Callable[[], Awaitable[Any]],
    ) -> None:
        self._work = work
        self._tell = tell
        self._refresh = refresh
        self._open: dict[str, _Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, page: Page, specs: Sequence[str]) -> Mapping[str, Any]:
        """Begin to install; return the first step: done, or a question.

        Raises:
            ViloError: whatever stopped the installation.
        """
        operation = _Operation(page, self._tell)
        self._open[operation.id] = operation
        task = asyncio.create_task(self._run(operation, specs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await self._next(operation)

    async def resume(self, operation_id: str, accepted: bool) -> Mapping[str, Any]:
        """Answer an operation's question; return its next step.

        Raises:
            UnknownOperationError: it asks nothing.
            ViloError: whatever stopped the installation, a refusal included.
        """
        operation = self._open.get(operation_id)
        if operation is None or operation.question is None:
            raise UnknownOperationError(operation_id)
        operation.settle(accepted)
        return await self._next(operation)

    def left(self, page: Page) -> None:
        """Refuse for a page that has gone what it was asked; what it needs not be asked goes on."""
        for operation in self._open.values():
            if operation.page is page:
                operation.settle(False)
                operation.page = None

    async def aclose(self) -> None:
        """Break off every installation and wait for the work to end."""
        for operation in self._open.values():
            operation.abandon()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, operation: _Operation, specs: Sequence[str]) -> None:
        try:
            result = await asyncio.to_thread(
                self._work, specs, operation.ask, operation.report, operation.cancel
            )
            await self._refresh()
            operation.steps.put_nowait({"status": "done", "operation": operation.id, **result})
        except Exception as error:
            operation.steps.put_nowait(error)
        finally:
            self._open.pop(operation.id, None)

    @staticmethod
    async def _next(operation: _Operation) -> Mapping[str, Any]:
        step = await operation.steps.get()
        if isinstance(step, BaseException):
            raise step
        return step
