"""The network clients that people use, in a plugin, over the installed command."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.harness import Viloapp
from tests.fixtures.web import CERTIFICATE, DOWNLOAD_BYTES, UNTRUSTED, serve, serve_websockets

PLUGINS = ("talks_http",)
CLIENTS = ("urllib", "requests", "httpx", "httpx_async", "aiohttp", "uvloop")


@pytest.fixture(scope="module", params=["http", "https"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server without and one with TLS."""
    with serve(tls=request.param == "https") as where:
        yield where


@pytest.mark.parametrize("client", CLIENTS)
def test_granted_server(shared: Viloapp, address: str, client: str) -> None:
    """Each client gets its answer, plain and over TLS."""
    assert shared.call(f"talks.{client}", url=address, ca=CERTIFICATE) == "hello"


@pytest.mark.parametrize("client", CLIENTS)
def test_certificates_are_the_plugins_own_business(shared: Viloapp, client: str) -> None:
    """TLS ends in the plugin: it refuses a server that it does not trust."""
    with serve(tls=True) as where:
        arguments = json.dumps({"url": where, "ca": UNTRUSTED})
        told = shared("call", f"talks.{client}", arguments).refused(1)
    assert "certificate" in told.lower() or "SSL" in told


@pytest.mark.parametrize("client", CLIENTS)
def test_redirection_to_what_nobody_granted(shared: Viloapp, client: str) -> None:
    """The refusal names the permission and the command that grants it, whatever the library makes of it."""
    with serve() as where:
        arguments = json.dumps({"url": f"{where}/away", "ca": CERTIFICATE})
        told = shared("call", f"talks.{client}", arguments).refused(1)
    assert "network.connect.elsewhere.example:80" in told
    assert "viloapp permissions grant talks-http" in told


def test_large_transfers(shared: Viloapp, address: str) -> None:
    """Twenty megabytes each way."""
    url = f"{address}/large"
    assert shared.call("talks.download", url=url, ca=CERTIFICATE) == DOWNLOAD_BYTES
    sent = shared.call("talks.upload", url=address, ca=CERTIFICATE, size=DOWNLOAD_BYTES)
    assert sent == str(DOWNLOAD_BYTES)


@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_websockets(shared: Viloapp, tls: bool) -> None:
    """With threads and with asyncio."""
    with serve_websockets(tls=tls) as where:
        for command in ("talks.websockets", "talks.websockets_sync"):
            assert shared.call(command, url=where, ca=CERTIFICATE) == "you said ping"
