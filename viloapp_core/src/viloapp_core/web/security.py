"""Who may talk to the server: decided on every connection, before any routing.

In this order, each step refusing:

1. ``Host`` is exactly one of the server's own addresses, so that a name rebound to 127.0.0.1 is refused.
2. ``Origin``, where the browser sends one, is exactly one of the server's own; a WebSocket must send it.
3. Only GET and HEAD: nothing here changes anything over plain HTTP.
4. A WebSocket, and ``/session``, must carry the token. It travels in the URL's fragment, which browsers
   never send, then as the subprotocol ``vilo.auth.<token>``. There is no cookie: cookies ignore ports, so
   that any other server on this machine would receive it.
5. ``/view/…``, the files of plugins' pages, is for frames that have no origin: they say ``Origin: null``. The
   path itself is the secret, and the answers bring a policy of their own; see `webviews`.
6. ``/metrics`` must carry the token of its own, which is good for nothing else; see `openmetrics`.

The page's own files hold no secret and need no token.

Source: findings of the front-end study; WHATWG Fetch (Origin), RFC 6455 section 10.2, CSP Level 3.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SUBPROTOCOL", "VIEWS", "Guard", "TOKEN_PREFIX", "policy"]

SUBPROTOCOL = "vilo.v1"
TOKEN_PREFIX = "vilo.auth."
VIEWS = "/view/"
"""Where the files of plugins' pages are."""
_WANTED = {
    "/metrics": b"This needs the header `Authorization: Bearer TOKEN`; see `viloapp status --metrics-url`.\n",
    "/session": b"This needs the token of the address that `viloapp` printed: open the page at that.\n",
}
"""What is answered who lacks the token of a path."""


def policy(authorities: Iterable[str]) -> str:
    """Return the Content-Security-Policy of the page.

    Styles may be inline because xterm.js has no other way to set its own; scripts may not.

    Args:
        authorities: ``host:port`` of the server; named for WebSockets since not every browser counts
            ``ws:`` as ``'self'``.
    """
    sockets = " ".join(f"ws://{authority}" for authority in sorted(authorities))
    views = " ".join(f"http://{authority}{VIEWS}" for authority in sorted(authorities))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self' {sockets}; frame-src {views}; worker-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Guard:
    """Pure ASGI middleware that refuses what the module's steps refuse and adds the page's headers.

    Args:
        app: what a permitted connection reaches.
        authorities: every ``host:port`` under which the server is known.
        token: the secret of this run of the server.
        readers: path → the secret that opens that path alone; an empty one opens nothing.
    """

    def __init__(
        self, app: ASGIApp, authorities: Collection[str], token: str, readers: Mapping[str, str] | None = None
    ) -> None:
        self._app = app
        self._authorities = frozenset(authorities)
        self._origins = frozenset(f"http://{authority}" for authority in authorities)
        self._token = token
        self._bearers = {"/session": token, **(readers or {})}
        self._headers = _security_headers(self._authorities)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the connection through or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status = self._refusal(scope)
        if status == 0:
            await self._app(scope, receive, send if _is_view(scope) else self._with_headers(send))
        elif scope["type"] == "websocket":
            # Before the handshake is accepted: the server turns it into a plain 403.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await _answer(self._with_headers(send), status, scope)

    def _refusal(self, scope: Scope) -> int:
        """Return the HTTP status to refuse with, or 0 when the connection is welcome."""
        socket = scope["type"] == "websocket"
        if not socket and scope["type"] != "http":
            return 400
        hosts, origins = _header(scope, b"host"), _header(scope, b"origin")
        if len(hosts) != 1 or hosts[0] not in self._authorities:
            return 403
        foreign = len(origins) > 1 or any(origin not in self._origins for origin in origins)
        if foreign and not (origins == ["null"] and _is_view(scope)):
            return 403
        if socket:
            return 0 if origins and _carries(self._token, scope.get("subprotocols", ())) else 403
        if scope["method"] not in ("GET", "HEAD"):
            return 405
        secret = self._bearers.get(scope["path"])
        if secret is not None and not _carries(secret, _bearer(scope)):
            return 401
        return 0

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
            await send(message)

        return sending


def _is_view(scope: Scope) -> bool:
    return scope["type"] == "http" and str(scope["path"]).startswith(VIEWS)


def _carries(token: str, offered: Iterable[str]) -> bool:
    tokens = [value.removeprefix(TOKEN_PREFIX) for value in offered if value.startswith(TOKEN_PREFIX)]
    return bool(token) and len(tokens) == 1 and hmac.compare_digest(tokens[0].encode(), token.encode())


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _bearer(scope: Scope) -> list[str]:
    """Return the token of the ``Authorization`` header in the form that a subprotocol would have."""
    values = _header(scope, b"authorization")
    return [TOKEN_PREFIX + value.removeprefix("Bearer ") for value in values if value.startswith("Bearer ")]


def _security_headers(authorities: Collection[str]) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-security-policy", policy(authorities).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    ]


async def _answer(send: Send, status: int, scope: Scope) -> None:
    says = _WANTED.get(scope["path"], b"") if status == 401 else b""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(says))]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    if status == 401:  # Source: RFC 9110, 11.6.1
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else says})
