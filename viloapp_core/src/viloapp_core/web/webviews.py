"""The files of plugins' own pages, served to frames that can do nothing else.

A widget of the kind ``webview`` is an HTML file of its plugin's package. The page of the workspace shows it
in ``<iframe sandbox="allow-scripts">``, so that it has no origin: no cookies, no storage, no way to the page
around it. What is here adds, in this order, each step refusing:

1. The path holds a secret of that frame's own, told to the page over its WebSocket, good for as long as the
   widget is open. The frame knows it, and it opens nothing but its plugin's folder ``web``.
2. The request is for a part of a frame: not for a tab of its own, a worker or a service worker.
3. The name decides the type (`webpage.content_type`), one of a few, with ``nosniff``; a path has no hidden
   and no ``..`` part, and no link is followed. Nothing of the plugin runs here.
4. The answer's policy is ``default-src 'none'``: scripts, styles, pictures and fonts come from that path,
   requests and connections go nowhere, and ``sandbox`` holds wherever the address is opened.

Source: WHATWG HTML (sandboxing), CSP Level 3, Fetch Metadata; docs/reference/webview.md.
"""

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from viloapp_core.manifest.package_files import find_package, read_below
from viloapp_core.web.errors import PageMissingError
from viloapp_core.web.security import VIEWS
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest import webpage

if TYPE_CHECKING:
    from viloapp_core.host import Host

__all__ = ["MAX_FILE_BYTES", "WebViews", "policy"]

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Largest file that is served."""
MAX_FRAMES: Final = 16
"""How many frames may show one widget at a time, one in each open page; the oldest lose their files."""

_PARTS: Final = frozenset(("iframe", "script", "style", "image", "font"))
"""Source: Fetch Metadata, ``Sec-Fetch-Dest``."""


def policy(base: str, page: str) -> str:
    """Return the Content-Security-Policy of a frame.

    ``'self'`` would mean the whole server, so the frame's own path is named.

    Args:
        base: ``http://HOST:PORT/view/SECRET/``.
        page: the origin of the workspace's page, which alone may show it.
    """
    return (
        f"default-src 'none'; script-src {base}; style-src {base} 'unsafe-inline'; "
        f"img-src {base} data: blob:; font-src {base} data:; connect-src 'none'; frame-src 'none'; "
        "child-src 'none'; worker-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {page}; sandbox allow-scripts"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    secret: str
    instance: str
    plugin_id: str


class WebViews:
    """Which frames there are, and what each may load.

    Args:
        host: whose plugins' pages they are.
        ours: the folder of the files that every frame may load beside its plugin's.
    """

    def __init__(self, host: "Host", ours: Path) -> None:
        self._host = host
        self._ours = ours
        self._frames: list[_Frame] = []

    def open(self, instance_id: str) -> dict[str, Any]:
        """Return ``{"path", "locale"}``: where a new frame finds the page of an open widget.

        Raises:
            UnknownWidgetError: it is not open.
            PageMissingError: its page is not in the plugin's package.
        """
        instance = self._host.workspace.get(instance_id)
        page = webpage.page_of(instance.widget_id, instance.data)
        package = self._package(instance.plugin_id)
        if package is None or not (package / webpage.FOLDER / page).is_file():
            raise PageMissingError(instance.plugin_id, f"{webpage.FOLDER}/{page}")
        frame = _Frame(secrets.token_urlsafe(32), instance_id, instance.plugin_id)
        same = [each for each in self._frames if each.instance == instance_id]
        for old in same[: max(0, len(same) + 1 - MAX_FRAMES)]:
            self._frames.remove(old)
        self._frames.append(frame)
        locale = self._host.settings.get("core.locale")
        return {"path": f"{VIEWS}{frame.secret}/{page}", "locale": locale}

    def observe(self, event: str, data: Mapping[str, Any]) -> None:
        """Forget the frames of a widget that was closed."""
        if event == "widget.removed":
            self._frames = [each for each in self._frames if each.instance != data.get("instance")]

    async def serve(self, request: Request) -> Response:
        """Answer a frame."""
        origin = f"http://{request.headers['host']}"  # one of the server's own: the guard has seen to it
        secret, path = request.path_params.get("token", ""), request.path_params.get("path", "")
        base = f"{origin}{VIEWS}{secret}/"
        frame = self._frame(secret)
        kind = webpage.content_type(path)
        if frame is None or not kind or not _is_part(request, kind):
            return _refused()
        content = await asyncio.to_thread(self._read, frame, path)
        if content is None:
            return _refused()
        return Response(content, headers={**_headers(policy(base, origin)), "content-type": kind})

    def _frame(self, secret: str) -> _Frame | None:
        offered = secret.encode("utf-8", "surrogateescape")
        return next(
            (each for each in self._frames if hmac.compare_digest(each.secret.encode(), offered)), None
        )

    def _read(self, frame: _Frame, path: str) -> bytes | None:
        if path in webpage.OURS:
            return read_below(self._ours, path, MAX_FILE_BYTES)
        package = self._package(frame.plugin_id)
        if package is None:
            return None
        return read_below(package / webpage.FOLDER, path, MAX_FILE_BYTES)

    def _package(self, plugin_id: str) -> Path | None:
        try:
            plugin = self._host.store.plugin(plugin_id)
        except ViloError:
            return None
        if not plugin.enabled:
            return None
        return find_package(plugin.entry_point, plugin.generation, plugin.dev_source)


def _is_part(request: Request, kind: str) -> bool:
    """Tell whether a request is for a part of a frame; a browser that says nothing of it is believed."""
    wanted = request.headers.get("sec-fetch-dest")
    if request.headers.get("service-worker") is not None or (wanted is not None and wanted not in _PARTS):
        return False
    return wanted != "iframe" or kind.startswith("text/html")


def _headers(csp: str) -> dict[str, str]:
    return {
        "content-security-policy": csp,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        # What no directive of that covers: WebRTC, looking up names, connecting ahead. Chromium obeys it, of
        # other browsers none known; docs/reference/webview.md says what that means.
        "connection-allowlist": "(response-origin)",
        "x-dns-prefetch-control": "off",
        "cache-control": "no-store",
        # A frame without an origin is of another site even to its own files; the secret is in the path.
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), display-capture=(), usb=(), "
        "serial=(), hid=(), midi=(), payment=(), clipboard-read=(), clipboard-write=(), fullscreen=()",
    }


def _refused() -> Response:
    """Say that there is nothing, whatever the reason."""
    return Response(status_code=404, headers=_headers("default-src 'none'; frame-ancestors 'none'; sandbox"))
