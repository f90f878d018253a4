"""The application that the server runs: who is connected to what."""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from viloapp_core.host import Asker
from viloapp_core.web import openmetrics, views
from viloapp_core.web.installs import Installs
from viloapp_core.web.layouts import Layouts
from viloapp_core.web.methods import Methods
from viloapp_core.web.pages import Page, Pages
from viloapp_core.web.plugins import Plugins
from viloapp_core.web.security import VIEWS, Guard
from viloapp_core.web.session import Sessions
from viloapp_core.web.terminals import TerminalSockets
from viloapp_core.web.webviews import WebViews
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host import Host

__all__ = ["Application"]

_log = logging.getLogger(__name__)


class Application:
    """The workspace of one host as an ASGI application (`asgi`), with the guard outermost.

    Args:
        host: a host that has started.
        static: the folder of the built page.
        authorities: every ``host:port`` under which the server is known.
        token: the secret of this run.
    """

    def __init__(self, host: "Host", static: Path, authorities: Collection[str], token: str) -> None:
        self._host = host
        self._pages = Pages()
        self._layouts = Layouts(host.store.root / "workspace.json", host.workspace_folder, host.widget_state)
        plugins = Plugins(host)
        self._installs = Installs(plugins.install, self._pages.tell, host.refresh)
        self._views = WebViews(host, static / "frame")
        methods = Methods(host, self._layouts, plugins, self._installs, self._views)
        self._sessions = Sessions(self._pages, methods.run)
        self._terminals = TerminalSockets(host.terminals)
        self._unsubscribe = host.subscribe(self._observe)
        self._detach = host.permissions.prompts.attach(
            Asker(
                ask=lambda question: self._pages.tell("permission.asked", question),
                withdraw=lambda id: self._pages.tell("permission.settled", {"id": id}),
                present=lambda: self._pages.any,
            )
        )
        self.asgi = Guard(
            Starlette(routes=self._routes(static)),
            authorities,
            token,
            {openmetrics.PATH: _metrics_token(host.store.root)},
        )

    async def keep_layout(self) -> None:
        """Save the states of the open widgets once more, while they can still be asked."""
        kept = self._layouts.load()
        if kept is None:
            return
        try:
            await self._layouts.save(kept["layout"], views.open_instances(self._host))
        except ViloError as error:
            _log.warning("the arrangement was not saved: %s", error.detail)

    async def aclose(self) -> None:
        """Let go of the host and end what is under way."""
        self._unsubscribe()
        self._detach()
        await self._installs.aclose()
        await self._sessions.aclose()

    def _observe(self, event: str, data: dict[str, Any]) -> None:
        self._pages.tell(event, data)
        self._terminals.observe(event, data)
        self._views.observe(event, data)

    def _routes(self, static: Path) -> list[BaseRoute]:
        return [
            WebSocketRoute("/ws", self._session),
            WebSocketRoute("/ws/terminal/{terminal}", self._terminals.serve),
            Route("/session", _session_is_valid),
            Route(openmetrics.PATH, self._metrics),
            Route(VIEWS + "{token}/{path:path}", self._views.serve),
            Route(VIEWS + "{rest:path}", self._views.serve),
            Mount("/", _Page(directory=static, html=True)),
        ]

    async def _session(self, websocket: WebSocket) -> None:
        await self._sessions.serve(websocket, self._left)

    async def _metrics(self, request: Request) -> Response:
        """Answer a scraper; the guard has checked its token."""
        return Response(
            openmetrics.exposition(self._host),
            headers={"content-type": openmetrics.CONTENT_TYPE, "cache-control": "no-store"},
        )

    def _left(self, page: Page) -> None:
        self._installs.left(page)


def _metrics_token(store: Path) -> str:
    """Return the token of ``/metrics``; empty, which opens nothing, when the store cannot be written."""
    try:
        return openmetrics.token_of(store)
    except ViloError as error:
        _log.warning("nobody can ask for metrics: %s", error.detail)
        return ""


async def _session_is_valid(request: Request) -> Response:
    """Answer a page that cannot connect whether its token is the reason; the guard has checked it."""
    return Response(status_code=204, headers={"cache-control": "no-store"})


class _Page(StaticFiles):
    """The page's own files; revalidated at each load, since an update changes them under one name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"cache-control", b"no-cache")]
            await send(message)

        if scope["type"] == "http":
            await super().__call__(scope, receive, sending)
        else:
            # An unknown WebSocket path: StaticFiles knows HTTP alone.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
