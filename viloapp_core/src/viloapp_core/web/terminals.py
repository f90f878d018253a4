"""A terminal's bytes between the host and one page: ``/ws/terminal/<id>``.

Binary frames carry what the terminal prints and what the person types, undecoded. Text frames carry JSON:

- page → host: ``{"type": "resize", "rows", "cols"}``, ``{"type": "ack", "bytes"}``
- host → page: ``{"type": "exit", "code"}``, ``{"type": "refused", "detail", "hint"}`` for input that was
  not taken

The page acknowledges what its parser has taken in; the host stops reading the terminal while too much is
unacknowledged. That, and not any buffer, is what keeps Ctrl-C quick under a flood.
"""

import asyncio
from collections import deque
from typing import Any, Final

from starlette.websockets import WebSocket

from viloapp_core.broker.errors import TerminalInputFullError
from viloapp_core.broker.terminal import Attachment
from viloapp_core.broker.terminals import Terminals
from viloapp_core.web.errors import InvalidRequestError
from viloapp_core.web.requests import Field, Fields, decode_object
from viloapp_core.web.security import SUBPROTOCOL
from viloapp_sdk.errors import ViloError

__all__ = ["TerminalSockets"]

MAX_FRAME_BYTES: Final = 64 * 1024
"""Largest frame sent: big enough to be cheap, small enough that other messages get their turn."""

MAX_INPUT_BYTES: Final = 1024 * 1024
"""Largest frame taken; the page sends a long paste in pieces."""

MAX_SIDE: Final = 2000
"""Rows or columns beyond this are no window's; some programs allocate rows by columns cells."""

CLOSE_GONE: Final = 4404
CLOSE_REFUSED: Final = 4400
"""Private close codes (4000 to 4999, RFC 6455 section 7.4.2) that the page tells apart."""

_MESSAGES: Final = {
    "resize": Fields(Field("type", "string"), Field("rows", "integer"), Field("cols", "integer")),
    "ack": Fields(Field("type", "string"), Field("bytes", "integer")),
}


class _Output:
    """What the page was not sent yet; of the terminal's bytes flow control bounds it."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._notes: deque[dict[str, Any]] = deque(maxlen=8)
        self._exit: dict[str, Any] | None = None
        self._wake = asyncio.Event()

    def add(self, data: bytes) -> None:
        self._bytes += data
        self._wake.set()

    def note(self, message: dict[str, Any]) -> None:
        self._notes.append(message)
        self._wake.set()

    def end(self, code: int | None) -> None:
        self._exit = {"type": "exit", "code": code}
        self._wake.set()

    async def send_all(self, websocket: WebSocket) -> None:
        while True:
            while self._notes:
                await websocket.send_json(self._notes.popleft())
            while self._bytes:
                frame = bytes(self._bytes[:MAX_FRAME_BYTES])
                del self._bytes[:MAX_FRAME_BYTES]
                await websocket.send_bytes(frame)
            if self._exit is not None:
                await websocket.send_json(self._exit)
                await websocket.close(1000, "the program has ended")
                return
            self._wake.clear()
            await self._wake.wait()


class TerminalSockets:
    """Serves the connections of terminals.

    Args:
        terminals: the host's terminals.
    """

    def __init__(self, terminals: Terminals) -> None:
        self._terminals = terminals
        self._outputs: dict[str, set[_Output]] = {}

    def observe(self, event: str, data: Any) -> None:
        """Hear of terminals that ended; suits ``Host.subscribe``."""
        if event == "terminal.exited":
            for output in self._outputs.get(data["terminal"], ()):
                output.end(data.get("code"))

    async def serve(self, websocket: WebSocket) -> None:
        """Connect one page with one terminal until either goes."""
        terminal = websocket.path_params["terminal"]
        await websocket.accept(subprotocol=SUBPROTOCOL)
        output = _Output()
        outputs = self._outputs.setdefault(terminal, set())
        outputs.add(output)
        try:
            attachment = self._terminals.attach(terminal, output.add)
        except ViloError as error:
            self._forget(terminal, output)
            await websocket.close(CLOSE_GONE, _reason(error))
            return
        if attachment.ended is not None:
            output.end(attachment.ended.shell_code)
        sender = asyncio.create_task(output.send_all(websocket))
        try:
            await self._receive_all(websocket, terminal, attachment, output)
        finally:
            self._forget(terminal, output)
            attachment.detach()
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def _forget(self, terminal: str, output: _Output) -> None:
        outputs = self._outputs.get(terminal, set())
        outputs.discard(output)
        if not outputs:
            self._outputs.pop(terminal, None)

    async def _receive_all(
        self, websocket: WebSocket, terminal: str, attachment: Attachment, output: _Output
    ) -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                self._take(message, terminal, attachment)
            except TerminalInputFullError as error:
                output.note({"type": "refused", "detail": error.detail, "hint": error.hint})
            except ViloError as error:
                await websocket.close(CLOSE_REFUSED, _reason(error))
                return

    def _take(self, message: Any, terminal: str, attachment: Attachment) -> None:
        typed = message.get("bytes")
        if typed is not None:
            if len(typed) > MAX_INPUT_BYTES:
                raise InvalidRequestError("terminal", [f"a frame has more than {MAX_INPUT_BYTES} bytes"])
            self._terminals.write(terminal, typed)
            return
        note = decode_object("terminal", message["text"])
        fields = _MESSAGES.get(str(note.get("type")))
        if fields is None:
            raise InvalidRequestError("terminal", [f"type: must be one of {', '.join(_MESSAGES)}"])
        note = fields.check("terminal", note)
        if note["type"] == "ack":
            attachment.ack(max(0, note["bytes"]))
        elif 1 <= note["rows"] <= MAX_SIDE and 1 <= note["cols"] <= MAX_SIDE:
            self._terminals.resize(terminal, note["rows"], note["cols"])


def _reason(error: ViloError) -> str:
    """Return what fits into a close frame: 123 bytes (RFC 6455 section 5.5.1)."""
    return error.detail.encode()[:120].decode("utf-8", "ignore")
