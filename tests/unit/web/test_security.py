"""Who gets past the guard, and what every answer carries."""

from collections.abc import Callable

import pytest

from tests.unit.web.conftest import AUTHORITY, TOKEN, Scene, Socket, fetch, headers
from viloapp_core.host import Host
from viloapp_core.web.app import Application

Play = Callable[[Scene], None]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "evil.example:4000"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1:4001"},
        {"host": "127.0.0.1:4000.evil.example"},
        {"host": None},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:4000"},
        {"origin": "http://127.0.0.1:4001"},
        {"origin": "http://127.0.0.1:4000/"},
    ],
)
def test_foreign_host_or_origin_is_refused(play: Play, changes: dict[str, str | None]) -> None:
    """A name rebound to loopback, and a page of any other origin, reach neither files nor sockets."""

    async def scene(host: Host, application: Application) -> None:
        status, _, body = await fetch(application, "/", headers(**changes))
        assert (status, body) == (403, b"")
        for path in ("/ws", "/ws/terminal/x"):
            assert (await Socket(path, sent=headers(**changes)).connect(application))["type"] == (
                "websocket.close"
            )

    play(scene)


def test_two_host_headers_are_refused(play: Play) -> None:
    """Which of two a router would believe is nobody's guess."""

    async def scene(host: Host, application: Application) -> None:
        twice = [*headers(), (b"host", AUTHORITY.encode())]
        assert (await fetch(application, "/", twice))[0] == 403

    play(scene)


def test_page_is_served_to_a_navigation(play: Play) -> None:
    """A browser sends no Origin when a person opens the address."""

    async def scene(host: Host, application: Application) -> None:
        status, sent, body = await fetch(application, "/", headers(origin=None))
        assert status == 200
        assert b"<title>page" in body
        assert sent[b"cache-control"] == b"no-cache"

    play(scene)


@pytest.mark.parametrize("path", ["/", "/session", "/none", "/index.html"])
def test_every_answer_forbids_foreign_script_and_frames(play: Play, path: str) -> None:
    """Whatever is answered, refusals and missing files included, carries the policy; none sets a cookie."""

    async def scene(host: Host, application: Application) -> None:
        for sent in (headers(), headers(origin=None)):
            _, answered, _ = await fetch(application, path, sent)
            rules = answered[b"content-security-policy"].decode().split("; ")
            assert "script-src 'self'" in rules
            assert "default-src 'none'" in rules
            assert "frame-ancestors 'none'" in rules
            assert f"connect-src 'self' ws://{AUTHORITY} ws://localhost:4000" in rules
            assert answered[b"x-content-type-options"] == b"nosniff"
            assert answered[b"referrer-policy"] == b"no-referrer"
            assert b"set-cookie" not in answered
            assert b"access-control-allow-origin" not in answered

    play(scene)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_is_changed_over_plain_http(play: Play, method: str) -> None:
    """Only reading is possible without the WebSocket."""

    async def scene(host: Host, application: Application) -> None:
        status, sent, _ = await fetch(application, "/", headers(), method)
        assert status == 405
        assert sent[b"allow"] == b"GET, HEAD"

    play(scene)


@pytest.mark.parametrize(
    "offered",
    [
        (),
        ("vilo.v1",),
        ("vilo.v1", "vilo.auth."),
        ("vilo.v1", "vilo.auth.wrong"),
        ("vilo.v1", f"vilo.auth.{TOKEN}x"),
        ("vilo.v1", f"vilo.auth.{TOKEN[:-1]}"),
        ("vilo.v1", f"vilo.auth.{TOKEN}", "vilo.auth.wrong"),
        ("vilo.v1", "vilo.auth.schlüssel"),
        (TOKEN,),
    ],
)
def test_socket_without_the_token_is_refused(play: Play, offered: tuple[str, ...]) -> None:
    """No handshake is accepted, on any path, before the token is seen."""

    async def scene(host: Host, application: Application) -> None:
        for path in ("/ws", "/ws/terminal/x", "/none"):
            message = await Socket(path, subprotocols=offered).connect(application)
            assert message["type"] == "websocket.close"

    play(scene)


def test_socket_without_origin_is_refused(play: Play) -> None:
    """Every browser sends it; what does not is no page of ours."""

    async def scene(host: Host, application: Application) -> None:
        message = await Socket("/ws", sent=headers(origin=None)).connect(application)
        assert message["type"] == "websocket.close"

    play(scene)


def test_accepted_socket_does_not_echo_the_token(play: Play) -> None:
    """The answer names the protocol; the secret goes one way only."""

    async def scene(host: Host, application: Application) -> None:
        socket = Socket("/ws")
        accepted = await socket.connect(application)
        assert accepted["type"] == "websocket.accept"
        assert accepted["subprotocol"] == "vilo.v1"
        assert TOKEN not in str(accepted)
        await socket.leave()

    play(scene)


def test_session_tells_a_page_whether_its_token_is_good(play: Play) -> None:
    """A refused WebSocket does not say why; this does."""

    async def scene(host: Host, application: Application) -> None:
        good = headers(authorization=f"Bearer {TOKEN}")
        assert (await fetch(application, "/session", good))[0] == 204
        for bad in (None, "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN} "):
            assert (await fetch(application, "/session", headers(authorization=bad)))[0] == 401

    play(scene)


@pytest.mark.parametrize(
    "path", ["/../app.py", "/..%2fapp.py", "/%2e%2e/security.py", "//etc/passwd", "/\0", "/index.html/x"]
)
def test_files_outside_the_page_are_not_served(play: Play, path: str) -> None:
    """The file server stays in its folder."""

    async def scene(host: Host, application: Application) -> None:
        assert (await fetch(application, path, headers()))[0] in (403, 404)

    play(scene)
