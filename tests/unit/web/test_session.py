"""One page's connection: answers, errors, events."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.unit.web.conftest import Scene, Socket, planted
from viloapp_core.host import Host
from viloapp_core.store.crash_reports import CrashReports
from viloapp_core.web.app import Application
from viloapp_core.web.errors import WebError
from viloapp_core.web.pages import Page, Pages
from viloapp_core.web.session import MAX_UNANSWERED, Sessions

Play = Callable[[Scene], None]


def test_hello_has_all_that_the_page_begins_with(play: Play, folder: Path) -> None:
    """The page draws itself from this one answer."""

    async def scene(host: Host, application: Application) -> None:
        socket = Socket("/ws")
        await socket.connect(application)
        hello = (await socket.call("hello"))["result"]
        assert hello["folder"] == str(folder)
        assert hello["theme"] == "dark"
        assert hello["themes"] == ["dark", "light", "high-contrast"]
        assert hello["colors"] == hello["palettes"]["dark"]
        assert (hello["commands"], hello["widgets"], hello["plugins"]) == ([], [], [])
        assert (hello["layout"], hello["instances"]) == (None, [])
        await socket.leave()

    play(scene)


def test_activity_has_measurements_samples_and_crashes(play: Play) -> None:
    """What the page draws of each plugin, running or not."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        kept = CrashReports(host.store.plugin("hello").log_dir)
        kept.add({"error": "killed by SIGSEGV"}, datetime(2026, 1, 1, tzinfo=UTC))
        socket = Socket("/ws")
        await socket.connect(application)
        measured = (await socket.call("metrics.list"))["result"]
        (row,) = measured["plugins"]
        assert (measured["every_s"], row["id"], row["command_count"]) == (5, "hello", 3)
        assert row["history"] == [[0.0, 2.0, row["cpu_percent"], 3]]
        (crash,) = (await socket.call("crashes.list", plugin="hello"))["result"]
        assert (crash["error"], crash["name"]) == ("killed by SIGSEGV", "20260101T000000.000000Z")
        await socket.leave()

    play(scene)


def test_faulty_requests_are_answered_and_the_next_one_works(play: Play) -> None:
    """Each gets the code that fits; none ends the connection."""

    async def scene(host: Host, application: Application) -> None:
        socket = Socket("/ws")
        await socket.connect(application)
        socket.text("no json")
        answer = await socket.answer()
        assert (answer["id"], answer["error"]["code"]) == (None, "invalid_request")
        expected: dict[str, tuple[dict[str, Any], str]] = {
            "no.such": ({}, "unknown_method"),
            "command.run": ({"id": "no.such"}, "unknown_command"),
            "widget.open": ({"widget": "no.such"}, "unknown_widget"),
            "widget.command": ({"instance": "x", "command": "y"}, "unknown_widget"),
            "files.list": ({"path": ".."}, "outside_workspace"),
            "plugins.install": ({}, "invalid_request"),
            "plugins.enable": ({"ids": ["nothing"]}, "not_installed"),
            "crashes.list": ({"plugin": "../.."}, "not_installed"),
            "theme.set": ({"theme": 3}, "invalid_request"),
        }
        gone = {"widget": "gone.panel", "plugin": "gone"}
        error = (await socket.call("widget.open", **gone))["error"]
        assert error["detail"] == "gone.panel is a widget of gone, which is not installed"
        assert "viloapp install gone" in error["hint"]
        assert (
            "no widget" in (await socket.call("widget.open", **gone | {"plugin": "../x"}))["error"]["detail"]
        )
        for method, (params, code) in expected.items():
            error = (await socket.call(method, **params))["error"]
            assert (method, error["code"]) == (method, code)
            assert error["detail"]
        assert "result" in await socket.call("catalog")
        await socket.leave()

    play(scene)


def test_theme_is_set_for_every_page_and_kept(play: Play) -> None:
    """The other page hears of it; the setting is written."""

    async def scene(host: Host, application: Application) -> None:
        one, other = Socket("/ws"), Socket("/ws")
        await one.connect(application)
        await other.connect(application)
        answer = await one.call("theme.set", theme="light")
        assert answer["result"]["colors"] == answer["result"]["palettes"]["light"]
        while (message := await other.answer())["event"] != "theme.changed":
            pass
        assert message["data"] == {"theme": "light"}
        assert host.settings.get("core.theme") == "light"
        assert (await one.call("theme.set", theme="none"))["error"]["code"] == "unknown_theme"
        await one.leave()
        await other.leave()

    play(scene)


def test_binary_frame_ends_the_connection(play: Play) -> None:
    """Only text is spoken here."""

    async def scene(host: Host, application: Application) -> None:
        socket = Socket("/ws")
        await socket.connect(application)
        socket.bytes(b"\x00")
        assert (await socket.hear())["code"] == 1003

    play(scene)


async def _with_sessions(dispatch: Any, scene: Callable[[Socket, Pages], Any]) -> None:
    """Play a scene against a connection whose methods are ``dispatch``."""
    pages = Pages()
    sessions = Sessions(pages, dispatch)

    class _Application:
        async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
            from starlette.websockets import WebSocket

            await sessions.serve(WebSocket(scope, receive, send), lambda page: None)

    socket = Socket("/ws")
    await socket.connect(_Application())  # type: ignore[arg-type]  # as far as a socket looks at one
    async with asyncio.timeout(20):
        await scene(socket, pages)
    await sessions.aclose()


def test_slow_request_does_not_hold_up_the_next() -> None:
    """Answers come when they are ready, not in the order of asking."""
    free = asyncio.Event()

    async def dispatch(page: Page, method: str, params: dict[str, Any]) -> str:
        if method == "slow":
            await free.wait()
        return method

    async def scene(socket: Socket, pages: Pages) -> None:
        socket.text({"id": 1, "method": "slow"})
        socket.text({"id": 2, "method": "quick"})
        assert await socket.answer() == {"id": 2, "result": "quick"}
        free.set()
        assert await socket.answer() == {"id": 1, "result": "slow"}
        await socket.leave()

    asyncio.run(_with_sessions(dispatch, scene))


def test_too_many_unanswered_requests_are_refused() -> None:
    """One page cannot pile up work without bound; those within it are still answered."""
    free = asyncio.Event()

    async def dispatch(page: Page, method: str, params: dict[str, Any]) -> None:
        await free.wait()

    async def scene(socket: Socket, pages: Pages) -> None:
        for number in range(MAX_UNANSWERED + 1):
            socket.text({"id": number, "method": "wait"})
        refused = await socket.answer()
        assert (refused["id"], refused["error"]["code"]) == (MAX_UNANSWERED, "too_many_requests")
        free.set()
        assert {(await socket.answer())["id"] for _ in range(MAX_UNANSWERED)} == set(range(MAX_UNANSWERED))
        await socket.leave()

    asyncio.run(_with_sessions(dispatch, scene))


def test_page_that_goes_does_not_break_off_what_it_asked_for() -> None:
    """A reload in the middle of a save must not lose it."""
    begun, free, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def dispatch(page: Page, method: str, params: dict[str, Any]) -> None:
        begun.set()
        await free.wait()
        done.set()

    async def scene(socket: Socket, pages: Pages) -> None:
        socket.text({"id": 1, "method": "save"})
        await begun.wait()
        await socket.leave()
        free.set()
        await done.wait()

    asyncio.run(_with_sessions(dispatch, scene))


def test_failures_say_what_they_may_and_no_more() -> None:
    """Known errors with their hint; unknown ones without their text, which may hold anything."""

    async def dispatch(page: Page, method: str, params: dict[str, Any]) -> Any:
        if method == "known":
            raise WebError("a_code", "a detail", "a hint")
        if method == "unshowable":
            return float("nan")
        raise RuntimeError("a secret")

    async def scene(socket: Socket, pages: Pages) -> None:
        known = (await socket.call("known"))["error"]
        assert known == {"code": "a_code", "detail": "a detail", "hint": "a hint"}
        assert (await socket.call("unshowable"))["error"]["code"] == "unshowable_result"
        unknown = (await socket.call("unknown"))["error"]
        assert unknown["code"] == "internal"
        assert "secret" not in str(unknown)
        await socket.leave()

    asyncio.run(_with_sessions(dispatch, scene))


def test_event_that_cannot_be_shown_is_left_out() -> None:
    """A plugin's nonsense reaches no page, and the next event does."""

    async def scene(socket: Socket, pages: Pages) -> None:
        pages.tell("broken", {"value": float("nan")})
        pages.tell("fine", {"value": 1})
        assert await socket.answer() == {"event": "fine", "data": {"value": 1}}
        await socket.leave()
        pages.tell("fine", {"value": 2})  # nobody is there any more

    async def dispatch(page: Page, method: str, params: dict[str, Any]) -> None:
        raise AssertionError(method)

    asyncio.run(_with_sessions(dispatch, scene))
