"""One page's connection: requests in, answers and events out.

Wire, JSON text frames both ways:

- page → host: ``{"id", "method", "params"}``
- host → page: ``{"id", "result"}``, ``{"id", "error": {"code", "detail", "hint"}}``, ``{"event", "data"}``

Requests run side by side, so that a slow one does not hold up the next, and answers may overtake each
other. A page that goes away does not cancel what it asked for: a reload must not break off a save.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.websockets import WebSocket

from viloapp_core.web.errors import InternalError, TooManyRequestsError, UnshowableResultError
from viloapp_core.web.outbox import encode
from viloapp_core.web.pages import Page, Pages
from viloapp_core.web.requests import Request, decode
from viloapp_core.web.security import SUBPROTOCOL
from viloapp_sdk.errors import ViloError

__all__ = ["MAX_UNANSWERED", "Dispatch", "Sessions"]

Dispatch = Callable[[Page, str, dict[str, Any]], Awaitable[Any]]

MAX_UNANSWERED: Final = 64
"""Requests of one page that may be unanswered; a page in order has a handful."""

CLOSE_UNSUPPORTED: Final = 1003
CLOSE_TRY_AGAIN: Final = 1013
"""Source: RFC 6455 section 7.4.1 and the IANA WebSocket close code registry."""

_log = logging.getLogger(__name__)


class Sessions:
    """Serves every page's connection.

    Args:
        pages: who hears of events.
        dispatch: runs one method for one page.
    """

    def __init__(self, pages: Pages, dispatch: Dispatch) -> None:
        self._pages = pages
        self._dispatch = dispatch
        self._running: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Cancel whatever is still being answered."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def serve(self, websocket: WebSocket, left: Callable[[Page], None]) -> None:
        """Speak with one page until it goes; then call ``left``."""
        await websocket.accept(subprotocol=SUBPROTOCOL)
        page = Page()
        sender = asyncio.create_task(_send_all(websocket, page))
        try:
            with self._pages.joined(page):
                await self._receive_all(websocket, page)
        finally:
            left(page)
            page.outbox.close()
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _receive_all(self, websocket: WebSocket, page: Page) -> None:
        unanswered: set[asyncio.Task[None]] = set()
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                await websocket.close(CLOSE_UNSUPPORTED, "only text is understood here")
                return
            task = asyncio.create_task(self._answer(page, text, len(unanswered) >= MAX_UNANSWERED))
            for tasks in (unanswered, self._running):
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    async def _answer(self, page: Page, text: str, too_many: bool) -> None:
        """Run one request; whatever happens, the page gets an answer."""
        request: Request | None = None
        try:
            request = decode(text)
            if too_many:
                raise TooManyRequestsError(MAX_UNANSWERED)
            outcome = {"result": await self._dispatch(page, request.method, request.params)}
        except ViloError as error:
            outcome = {"error": error.to_wire()}
        except Exception as error:
            method = request.method if request else "the message"
            _log.exception("the workspace request %s failed", method)
            outcome = {"error": InternalError(method, type(error).__name__).to_wire()}
        page.outbox.put(_encoded(request.id if request else None, outcome))


def _encoded(request_id: int | None, outcome: dict[str, Any]) -> str:
    """Return the answer's text; of a result that JSON cannot hold, an error that says so."""
    try:
        return encode({"id": request_id, **outcome})
    except (TypeError, ValueError) as error:
        return encode({"id": request_id, "error": UnshowableResultError(str(error)).to_wire()})


async def _send_all(websocket: WebSocket, page: Page) -> None:
    """Send until the page has gone; one that falls too far behind is asked to connect anew."""
    await page.outbox.drain(websocket.send_text)
    if page.outbox.overflowed:
        await websocket.close(CLOSE_TRY_AGAIN, "too far behind")
