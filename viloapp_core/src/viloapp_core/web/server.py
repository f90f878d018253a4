"""The server: listens on loopback, makes the token of this run, and stops when told.

It never touches signals: whoever runs the event loop decides what Ctrl-C means.
"""

import asyncio
import importlib.resources
import ipaddress
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from viloapp_core.web.app import Application
from viloapp_core.web.errors import AddressError, BundleMissingError

if TYPE_CHECKING:
    from viloapp_core.host import Host

__all__ = ["serve"]

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Largest message of a page; the same bound as a frame between host and worker."""

GRACE_S: Final = 2
"""How long open connections may take to end once the server stops."""


def listen(bind: str, port: int) -> socket.socket:
    """Return a socket that listens on a loopback address.

    Args:
        bind: an IPv4 or IPv6 loopback address.
        port: 0 lets the system choose.

    Raises:
        AddressError: the address is not loopback, or is taken.
    """
    try:
        address = ipaddress.ip_address(bind)
    except ValueError as error:
        raise AddressError(f"{bind!r} is not an IP address", "use 127.0.0.1") from error
    if not address.is_loopback:
        # Whoever reaches this server has the person's shell; a network is no place for it.
        raise AddressError(f"{bind} is not a loopback address", "use 127.0.0.1, and SSH to forward the port")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bind, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or error
        raise AddressError(f"cannot listen on {bind}:{port}: {reason}", "choose another --port") from error
    return listener


def bundle() -> Path:
    """Return the folder of the built page.

    Raises:
        BundleMissingError: it was not built.
    """
    folder = Path(str(importlib.resources.files("viloapp_core.web"))) / "static"
    if not (folder / "index.html").is_file():
        raise BundleMissingError(str(folder))
    return folder


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which says when it is up."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call back."""
        await super().startup(sockets)
        self._on_started()


async def serve(
    host: "Host",
    *,
    bind: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Serve the workspace until ``stop`` is set.

    Args:
        host: a host that has started.
        bind: a loopback address.
        port: 0 lets the system choose.
        on_ready: gets the address to open, token included, once connections are accepted.
        stop: ends the server.

    Raises:
        AddressError: the address is not loopback, or is taken.
        BundleMissingError: the page was not built.
    """
    static = bundle()
    with listen(bind, port) as listener:
        number = listener.getsockname()[1]
        name = f"[{bind}]" if ":" in bind else bind
        token = secrets.token_urlsafe(32)
        application = Application(host, static, {f"{name}:{number}", f"localhost:{number}"}, token)
        url = f"http://{name}:{number}/#token={token}"
        server = _Server(_config(application), lambda: on_ready(url))
        stopper = asyncio.create_task(_stop_when(stop, server, application))
        try:
            await server.serve(sockets=[listener])
        finally:
            stopper.cancel()
            await application.aclose()


async def _stop_when(stop: asyncio.Event, server: uvicorn.Server, application: Application) -> None:
    await stop.wait()
    await application.keep_layout()
    server.should_exit = True


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application.asgi,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        # Compression costs six times the throughput of text and gains nothing on loopback.
        ws_per_message_deflate=False,
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
