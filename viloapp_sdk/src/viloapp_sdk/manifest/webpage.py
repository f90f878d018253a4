"""Which files of a plugin's package a widget of the kind ``webview`` may show; pure.

    >>> page_of("hello.page", {"page": "web/index.html"})
    'index.html'
    >>> content_type("img/logo.svg")
    'image/svg+xml'

The host asks this before it serves a file, and so does the test kit before a widget opens.
"""

import re

from viloapp_sdk.errors import InvalidArgumentsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["FOLDER", "KIND", "OURS", "content_type", "page_of"]

KIND = "webview"
FOLDER = "web"
"""The folder of the package that is served; nothing outside of it is."""
OURS = ("viloapp.js", "viloapp.css")
"""Names directly in that folder under which the host serves files of its own."""

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "ico": "image/x-icon",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
}
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
_PATH = re.compile(rf"{_NAME}(?:/{_NAME}){{0,7}}")


def content_type(path: str) -> str:
    """Return what a file below `FOLDER` is served as; empty when it is not served.

    The name alone decides, never the content, and a path has no empty, hidden or ``..`` part.

    Args:
        path: relative to `FOLDER`, with ``/``.
    """
    if not _PATH.fullmatch(path):
        return ""
    return _TYPES.get(path.rpartition(".")[2].lower(), "")


def page_of(widget_id: str, data: "Mapping[str, Any]") -> str:
    """Return the page that a webview's data name, relative to `FOLDER`.

    Args:
        widget_id: whose data they are, for the message.
        data: what ``create`` returned, ``{"page": "web/…", "data": …}``.

    Raises:
        InvalidArgumentsError: they name none that could be served.
    """
    page = data.get("page")
    path = page.removeprefix(f"{FOLDER}/") if isinstance(page, str) and page.startswith(f"{FOLDER}/") else ""
    if not content_type(path).startswith("text/html"):
        named = "name no page" if page is None else f"name the page {str(page)[:80]!r}"
        raise InvalidArgumentsError(
            f"{widget_id}: its data {named}, and it is of the kind {KIND}",
            f'return {{"page": "{FOLDER}/index.html"}}, an HTML file in the folder {FOLDER!r} of the package',
        )
    return path
