"""One GET at a time, bounded in size and time, that stays at the origin it was sent to.

What pip downloads it downloads itself; this is for what pip does not know, such as the provenance of a file.
"""

from __future__ import annotations

import base64
import netrc
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from viloapp_core.foundation.errors import CommandError, HttpError

_CHUNK = 64 * 1024
_OPERATION_S = 20.0
"""How long one operation on the socket may take; as pip is told."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    url: str
    """Where it came from in the end, without credentials."""
    body: bytes


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port: what has to be equal for two addresses to be one server.

    Raises:
        ValueError: it is no address.
    """
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or {"http": 80, "https": 443}.get(parts.scheme),
    )


def get(
    url: str,
    *,
    accept: str,
    max_bytes: int,
    timeout_s: float,
    environ: Mapping[str, str],
    cancel: threading.Event | None = None,
) -> Answer:
    """Return what an address answers.

    Redirections are followed within its origin only. Credentials are those of the address, else of the
    person's netrc; proxies and certificates are those of the environment, as pip has them.

    Args:
        url: of http or https.
        accept: media types, for the header.
        max_bytes: more is refused.
        timeout_s: for all of it, in seconds.
        environ: the user's environment.
        cancel: gives up when set.

    Raises:
        HttpError: there is no such answer; `status` is the server's, 0 when none was heard.
        CommandError: it was cancelled.
    """
    bare, header = _credentials(url, environ)
    if urlsplit(bare).scheme not in ("http", "https"):
        raise HttpError(f"{bare} is not an address of http or https")
    headers = {"Accept": accept, "User-Agent": "viloapp", **header}
    request = urllib.request.Request(bare, headers=headers)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(_proxies(bare, environ)),
        urllib.request.HTTPSHandler(context=_context(environ)),
        _SameOrigin(),
    )
    deadline = time.monotonic() + timeout_s
    try:
        with opener.open(request, timeout=min(_OPERATION_S, timeout_s)) as answer:
            body = _read(answer, bare, max_bytes, deadline, cancel)
            return Answer(answer.url, body)
    except urllib.error.HTTPError as error:
        with error:
            raise HttpError(f"{bare} answers {error.code} {error.reason}", error.code) from error
    except (OSError, HTTPException, ValueError) as error:
        raise HttpError(f"{bare} cannot be read: {getattr(error, 'reason', error)}") from error


def _read(
    answer: HTTPResponse, url: str, max_bytes: int, deadline: float, cancel: threading.Event | None
) -> bytes:
    body = bytearray()
    # What there is, not a whole chunk: who sends a byte at a time does not get past the deadline.
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise HttpError(f"{url} answers more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise HttpError(f"{url} takes too long")
        if cancel is not None and cancel.is_set():
            raise CommandError("command_cancelled", f"the request of {url} was cancelled")
    return bytes(body)


class _SameOrigin(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where the request went anyway: elsewhere its credentials are not due."""

    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if origin(newurl) != origin(req.full_url):
            return None  # then the answer is the redirection, an HTTPError
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _credentials(url: str, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the address without what one logs in with, and the header that says it instead."""
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    name, _, password = map(unquote, login.partition(":"))
    if not login:
        name, password = _from_netrc(parts.hostname or "", environ)
    token = base64.b64encode(f"{name}:{password}".encode()).decode()
    header = {"Authorization": f"Basic {token}"} if name or password else {}
    return urlunsplit(parts._replace(netloc=place, fragment="")), header


def _from_netrc(host: str, environ: Mapping[str, str]) -> tuple[str, str]:
    path = environ.get("NETRC") or (str(Path(environ["HOME"], ".netrc")) if environ.get("HOME") else "")
    try:
        found = netrc.netrc(path).authenticators(host) if path and host else None
    except (OSError, netrc.NetrcParseError, ValueError):
        return "", ""
    return (found[0], found[2] or "") if found else ("", "")


def _proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies that the environment names for an address."""

    def named(what: str) -> str:
        return environ.get(f"{what}_proxy") or environ.get(f"{what}_proxy".upper()) or ""

    if urllib.request.proxy_bypass_environment(urlsplit(url).netloc, {"no": named("no")}):  # type: ignore[attr-defined]  # undocumented, and what urllib itself uses
        return {}
    return {scheme: proxy for scheme in ("http", "https") if (proxy := named(scheme) or named("all"))}


def _context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that trusts the machine's authorities, or those that pip was told to trust."""
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if bundle := environ.get(name):
            return ssl.create_default_context(cafile=bundle)
    return ssl.create_default_context()
