"""Clients that connect in C: through the local proxy, or through a port that leads out."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.harness import Viloapp
from tests.fixtures.web import CERTIFICATE, UNTRUSTED, serve

PLUGINS = ("talks_natively",)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_libcurl(shared: Viloapp, tls: bool) -> None:
    """Through the proxy that appears when pycurl is imported; TLS is verified by libcurl itself."""
    with serve(tls=tls) as where:
        assert shared.call("natively.pycurl", url=where, ca=CERTIFICATE) == "hello"
        if tls:
            arguments = json.dumps({"url": where, "ca": UNTRUSTED})
            assert "certificate" in shared("call", "natively.pycurl", arguments).refused(1)


def test_libcurl_is_refused(shared: Viloapp) -> None:
    """The body of the refusal, or the plugin's log, names the permission."""
    with serve() as where:
        told = shared.call("natively.pycurl", url=f"{where}/away", ca=CERTIFICATE)
    assert "network.connect.elsewhere.example:80" in told
    assert "network.connect.elsewhere.example:80" in shared("logs", "talks-natively").ok().out


@pytest.fixture
def database() -> Iterator[int]:
    """What speaks as much of PostgreSQL as it takes to refuse a user."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    while data := client.recv(1024):
                        if data[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):  # SSL, GSS: no
                            client.sendall(b"N")
                            continue
                        body = b"SFATAL\0C28000\0Mno such user here\0\0"
                        client.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)
                        break

        threading.Thread(target=refuse, daemon=True).start()
        yield server.getsockname()[1]


def test_libpq(shared: Viloapp, database: int) -> None:
    """Through a forwarded port; without it there is no network."""
    assert "no such user here" in shared.call("natively.psycopg", host="localhost", port=database)
    assert "refused" in shared.call("natively.psycopg", host="localhost", port=database, direct=True)
    arguments = json.dumps({"host": "db.example.com", "port": 5432})
    told = shared("call", "natively.psycopg", arguments).refused(1)
    assert "network.connect.db.example.com" in told
