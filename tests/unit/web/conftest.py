"""The workspace's application on a real host with an empty store, driven as a server would drive it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.artifacts import begin
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.paths import store_root
from viloapp_core.host import Host
from viloapp_core.web.app import Application
from viloapp_sdk.errors import HandlerError

AUTHORITY = "127.0.0.1:4000"
TOKEN = "the-token-of-this-run"

Headers = list[tuple[bytes, bytes]]


def headers(**changes: str | None) -> Headers:
    """Return the headers of a browser that the server itself served; None leaves one out."""
    values: dict[str, str | None] = {"host": AUTHORITY, "origin": f"http://{AUTHORITY}", **changes}
    return [(name.encode(), value.encode()) for name, value in values.items() if value is not None]


class Socket:
    """One WebSocket connection to an ASGI application, from the browser's side."""

    def __init__(
        self, path: str, *, subprotocols: tuple[str, ...] | None = None, sent: Headers | None = None
    ) -> None:
        offered = ("vilo.v1", f"vilo.auth.{TOKEN}") if subprotocols is None else subprotocols
        self.scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers() if sent is None else sent,
            "subprotocols": list(offered),
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 4000),
        }
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def connect(self, application: Application) -> dict[str, Any]:
        """Begin; return the application's first message: the acceptance or the refusal."""
        self._task = asyncio.create_task(application.asgi(self.scope, self._to_app.get, self._send))
        self.say({"type": "websocket.connect"})
        return await self.hear()

    def say(self, message: dict[str, Any]) -> None:
        """Send one ASGI message to the application."""
        self._to_app.put_nowait(message)

    def text(self, value: object) -> None:
        """Send a text frame; anything but a string as JSON."""
        self.say(
            {"type": "websocket.receive", "text": value if isinstance(value, str) else json.dumps(value)}
        )

    def bytes(self, value: bytes) -> None:
        """Send a binary frame."""
        self.say({"type": "websocket.receive", "bytes": value})

    async def hear(self) -> dict[str, Any]:
        """Wait for the application's next message."""
        async with asyncio.timeout(20):
            return await self._from_app.get()

    async def answer(self) -> Any:
        """Wait for the next text frame and read its JSON."""
        return json.loads((await self.hear())["text"])

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method; return ``{"result": …}`` or ``{"error": …}``, leaving events aside."""
        self.text({"id": 7, "method": method, "params": params})
        while True:
            message = await self.answer()
            if message.get("id") == 7:
                return message

    async def leave(self) -> None:
        """Close the connection and wait until the application has noticed."""
        self.say({"type": "websocket.disconnect", "code": 1001})
        assert self._task is not None
        await self._task

    async def _send(self, message: Any) -> None:
        self._from_app.put_nowait(dict(message))


async def fetch(
    application: Application, path: str, sent: Headers, method: str = "GET"
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Make one HTTP request; return status, headers and body."""
    heard: list[Any] = []
    said = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if not said:
            await asyncio.Event().wait()  # the browser stays until it has its answer
        return said.pop()

    async def send(message: Any) -> None:
        heard.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": sent,
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 4000),
    }
    await application.asgi(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in heard[1:])
    return heard[0]["status"], dict(heard[0]["headers"]), body


async def planted(host: Host) -> None:
    """Put a plugin in the store, and measurements of it in the host."""
    entry, generation, artifact = begin(host.store, "hello", "1.0")
    (generation / "venv" / "bin").mkdir(parents=True)
    (generation / "venv" / "bin" / "python").symlink_to("/bin/true")
    receipt = {
        "entry_point": "hello:Hello",
        "manifest": {"schema": 1, "api_version": "1.0"},
        "source": "wheel",
        "permissions": [],
        "python_version": "3.11.7",
        "base_prefix": "/usr",
        "base_executable": "/bin/true",
    }
    host.store.commit_install(entry, artifact, receipt, SystemClock())
    await host.refresh()
    metrics = host.measuring.of("hello")
    for ns in (1_000, 50_000, 5_000_000):
        metrics.latencies.record(ns / 1e9)
    metrics.failed(HandlerError('it said "no"\n# EOF\n'))
    metrics.moved(1, "starting", "", 0.0)
    metrics.moved(1, "running", "", 0.0)
    metrics.sampled(0.0, 2.0, "pss", 0.5)
    metrics.reached("cpu_percent", "CPU limit exceeded: 30.0% > 25%")


Scene = Callable[[Host, Application], Awaitable[None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace folder."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def play(folder: Path, tmp_path: Path) -> Callable[[Scene], None]:
    """A function that runs a scene against a host that has started, and its application."""
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("<!doctype html><title>page</title>")

    async def run(scene: Scene) -> None:
        async with Host(store_root(), workspace=folder, control=False) as host:
            application = Application(host, static, {AUTHORITY, "localhost:4000"}, TOKEN)
            try:
                async with asyncio.timeout(60):
                    await scene(host, application)
            finally:
                await application.aclose()

    return lambda scene: asyncio.run(run(scene))
