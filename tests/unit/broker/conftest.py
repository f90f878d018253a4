"""A stage on which terminals really run, and a page that watches them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.broker.terminals import Attachment, Terminal, Terminals
from viloapp_core.process import Spawner

ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/", "SHELL": "/bin/sh", "PS1": "$ ", "LINES": "1"}


class Page:
    """Watches a terminal; acknowledges what it gets unless told not to."""

    def __init__(self, terminals: Terminals, terminal_id: str, *, acknowledges: bool = True) -> None:
        self.seen = bytearray()
        self._acknowledges = acknowledges
        self._more = asyncio.Event()
        self.attachment: Attachment | None = None
        self.attachment = terminals.attach(terminal_id, self._take)
        if acknowledges:
            self.attachment.ack(len(self.seen))

    def _take(self, data: bytes) -> None:
        self.seen += data
        self._more.set()
        if self._acknowledges and self.attachment is not None:
            self.attachment.ack(len(data))

    async def until(self, text: bytes) -> None:
        """Wait until the terminal has printed ``text``, and forget everything up to there."""
        async with asyncio.timeout(10):
            while text not in self.seen:
                # No more than is needed to find a text between two pieces.
                self._more.clear()
                await self._more.wait()
        del self.seen[: self.seen.index(text) + len(text)]


class Stage:
    """The terminals of a test and the events that they sent."""

    def __init__(
        self, terminals: Terminals, events: "asyncio.Queue[tuple[str, dict[str, Any]]]", spawner: Spawner
    ) -> None:
        self.terminals = terminals
        self.spawner = spawner
        self.events = events

    async def open(self, *argv: str, owner: str = "viloxterm", cwd: Path = Path("/")) -> Terminal:
        """Open a terminal of 30 by 100; the shell when nothing is named."""
        return await self.terminals.open(owner=owner, argv=argv, cwd=cwd, env={}, rows=30, cols=100)

    def watch(self, terminal: Terminal, *, acknowledges: bool = True) -> Page:
        """Attach a page."""
        return Page(self.terminals, terminal.id, acknowledges=acknowledges)

    async def event(self) -> tuple[str, dict[str, Any]]:
        """Return the next event."""
        return await asyncio.wait_for(self.events.get(), 10)


Scene = Callable[[Stage], Awaitable[None]]


@pytest.fixture
def play() -> Callable[[Scene], None]:
    """Run a scene; whatever it opens is closed afterwards."""

    async def run(scene: Scene) -> None:
        events: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        spawner = Spawner()
        terminals = Terminals(
            spawner, on_event=lambda name, data: events.put_nowait((name, data)), environ=ENVIRON
        )
        try:
            await scene(Stage(terminals, events, spawner))
        finally:
            await terminals.aclose()
            spawner.close()

    return lambda scene: asyncio.run(run(scene))
