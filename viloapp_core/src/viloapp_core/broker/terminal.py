"""One living terminal: its output to every page that watches, its input, its flow control.

All of it runs on the loop that opened it, and none of it waits.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from viloapp_core.broker.errors import TerminalInputFullError
from viloapp_core.broker.scrollback import Scrollback
from viloapp_core.process import ExitStatus, PtyChild
from viloapp_core.process import pty as ptys

__all__ = ["Attachment", "LiveTerminal", "Terminal"]

SCROLLBACK_BYTES = 256 * 1024
HIGH_BYTES = 256 * 1024
"""More than this sent to a page and not acknowledged pauses the program."""
LOW_BYTES = 64 * 1024
"""Less than this lets it go on. A page acknowledges in steps below this (32 KiB), or both would wait."""
TURN_BYTES = 32 * 1024
"""Most that is read in one turn of the loop, so that a flood does not delay calls."""
PIECE_BYTES = 4 * 1024
"""The same while an answer is waited for, no longer than `SOON_S`: what a terminal hands out at once."""
SOON_S = 0.001
NOW_S = 0.0001
"""As long as it was not waited for longer than this, nothing is read: most answers take less."""
PUT_OFF_S = 0.001
"""So long at most nothing is read, where one answer after the other is waited for."""
INPUT_BYTES = 1024 * 1024
"""Most input that waits for a program that does not read."""

# The kernel holds far less than this when a program ends; it bounds a job left behind that goes on printing.
_DRAIN_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of a terminal at one moment.

    Args:
        id: unguessable; who knows it may attach.
        title: for the tab.
        pid: the shell's process id.
        owner: id of the plugin that opened it.
        cwd: where the shell is now, as far as the system tells; where it started otherwise.
        rows: height in characters.
        cols: width in characters.
        ended: how the program ended, None while it runs.
    """

    id: str
    title: str
    pid: int
    owner: str
    cwd: Path
    rows: int
    cols: int
    ended: ExitStatus | None = None


class Attachment:
    """One page that watches a terminal. Made by `viloapp_core.broker.terminals.Terminals.attach`."""

    def __init__(self, live: "LiveTerminal", sink: Callable[[bytes], None]) -> None:
        self._live = live
        self._sink = sink
        self.unacknowledged = 0

    @property
    def ended(self) -> ExitStatus | None:
        """How the program ended, None while it runs: one that had ended before sends no event any more."""
        return self._live.ended

    def ack(self, count: int) -> None:
        """Count ``count`` bytes as taken in by the page's parser."""
        self.unacknowledged = max(0, self.unacknowledged - count)
        self._live.adjust_flow()

    def detach(self) -> None:
        """Let go; the program goes on. May be called twice."""
        self._live.forget(self)

    def send(self, data: bytes) -> None:
        """Hand output to the page; a page whose sink fails is let go."""
        if not data:
            return
        self.unacknowledged += len(data)
        try:
            self._sink(data)
        except Exception as error:
            self.detach()
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a page could not take a terminal's output", "exception": error}
            )


class LiveTerminal:
    """The host's side of one terminal, from its start until nobody needs its last words any more.

    Args:
        about: what is known of it.
        pty: its program, and our end.
        waited_s: see `viloapp_core.broker.terminals.Terminals`.
    """

    def __init__(self, about: Terminal, pty: PtyChild, waited_s: Callable[[], float]) -> None:
        self.about = about
        self.child = pty.child
        self.ended: ExitStatus | None = None
        self.rows, self.cols = about.rows, about.cols
        self._master = pty.master_fd
        self._scrollback = Scrollback(SCROLLBACK_BYTES)
        self._attachments: set[Attachment] = set()
        self._input = bytearray()
        self._reading = False
        self._waited_s = waited_s
        self._put_off_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self.adjust_flow()

    def attach(self, sink: Callable[[bytes], None]) -> Attachment:
        """Send what was printed so far to ``sink``, and then all that follows."""
        attachment = Attachment(self, sink)
        self._attachments.add(attachment)
        attachment.send(self._scrollback.replay())
        self.adjust_flow()
        return attachment

    def forget(self, attachment: Attachment) -> None:
        """Stop sending to a page."""
        self._attachments.discard(attachment)
        self.adjust_flow()

    def write(self, data: bytes) -> None:
        """Type ``data``; what the program does not take now waits, within bounds.

        Raises:
            TerminalInputFullError: too much waits already; nothing of ``data`` was taken.
        """
        if self._master < 0:
            return
        if len(self._input) + len(data) > INPUT_BYTES:
            raise TerminalInputFullError(self.about.title, INPUT_BYTES)
        waiting = bool(self._input)
        self._input += data
        if not waiting:
            self._flush()
            if self._input:
                self._loop.add_writer(self._master, self._flush)

    def resize(self, rows: int, cols: int) -> None:
        """Change the size in characters; the foreground program is told."""
        if self._master >= 0:
            self.rows, self.cols = rows, cols
            ptys.resize(self._master, rows, cols)

    def adjust_flow(self) -> None:
        """Pause reading above the high mark of any page, go on below the low mark of all."""
        if self._master < 0:
            return
        most = max((attachment.unacknowledged for attachment in self._attachments), default=0)
        if self._reading and most > HIGH_BYTES:
            self._loop.remove_reader(self._master)
            self._reading = False
        elif not self._reading and most < LOW_BYTES:
            self._loop.add_reader(self._master, self._read)
            self._reading = True

    async def watch(self) -> ExitStatus:
        """Wait for the end of the program, pass its last words on, and give the terminal back."""
        status = await self.child.wait()
        drained = 0
        while drained < _DRAIN_BYTES and (data := self._take()):
            drained += len(data)
            self._send(data)
        self.release()
        self.ended = status
        return status

    def release(self) -> None:
        """Close the master end. May be called twice."""
        if self._master >= 0:
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            os.close(self._master)
            self._master = -1
            self._input.clear()

    def _read(self) -> None:
        waited_s = self._waited_s()
        if waited_s < NOW_S and self._put_off():
            return  # the loop comes back at once, as it does for who stays awake
        self._put_off_at = None
        # What has waited its time is read as if nothing was waited for.
        if data := self._take(PIECE_BYTES if NOW_S <= waited_s < SOON_S else TURN_BYTES):
            self._send(data)
        elif data is None:
            # Nobody holds the other end; what became of the program is `watch`'s to tell.
            self._loop.remove_reader(self._master)

    def _put_off(self) -> bool:
        """Leave what can be read for later, unless that was done for long enough; return whether it is."""
        now = monotonic()  # a loop's own clock may be coarser
        if self._put_off_at is None:
            self._put_off_at = now
        return now - self._put_off_at < PUT_OFF_S

    def _take(self, most: int = TURN_BYTES) -> bytes | None:
        """Return what can be read now, at most so many bytes; None at the end."""
        chunks: list[bytes] = []
        size = 0
        while size < most:
            try:
                # A terminal hands out 4 KiB at a time, whatever is asked for.
                data = os.read(self._master, most - size)
            except BlockingIOError:
                break
            except OSError:
                # EIO: the last descriptor of the other end was closed.
                return b"".join(chunks) or None
            if not data:
                return b"".join(chunks) or None
            chunks.append(data)
            size += len(data)
        return b"".join(chunks)

    def _send(self, data: bytes) -> None:
        self._scrollback.add(data)
        for attachment in tuple(self._attachments):
            attachment.send(data)
        self.adjust_flow()

    def _flush(self) -> None:
        try:
            written = os.write(self._master, self._input[:TURN_BYTES])
        except BlockingIOError:
            return
        except OSError:
            # The program is gone; nobody will read this.
            written = len(self._input)
        del self._input[:written]
        if not self._input:
            self._loop.remove_writer(self._master)
