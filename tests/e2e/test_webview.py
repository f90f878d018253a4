"""Pages of plugins in a real Chromium: what they can, and that they can nothing else."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp, Workspace, eventually
from tests.e2e.test_browser import browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser

KNOWS_ALLOWLISTS = 156
"""The oldest Chromium that was seen to obey `Connection-Allowlist`, without which WebRTC reaches anybody."""
MAY = {"inline": "undefined", "origin": "null"}


class Stranger:
    """A server of somebody else's on this machine, by TCP and UDP, that counts who comes."""

    def __init__(self) -> None:
        self.came: list[str] = []
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                came.append(f"{self.command} {self.path}")
                self.send_response(200)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def params(self) -> dict[str, str]:
        """What the page is told of it."""
        host, port = self._udp.getsockname()
        return {"server": f"http://127.0.0.1:{self._server.server_port}", "udp": f"{host}:{port}"}

    def close(self) -> list[str]:
        """Stop, and return who came."""
        self._server.shutdown()
        self._server.server_close()
        self._udp.setblocking(False)
        try:
            self._udp.recv(2000)
            self.came.append("UDP")
        except BlockingIOError:
            pass
        self._udp.close()
        return self.came


@pytest.fixture(scope="module")
def app(make_app: MakeApp, tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Viloapp:
    """A store with the plugin whose page attacks."""
    app = make_app(tmp_path_factory.mktemp("webview"))
    app("install", "--yes", *UNSIGNED, wheels["attacks_from_its_page"], wheels["hello"], "viloxterm").ok()
    return app


@pytest.fixture
def workspace(app: Viloapp, tmp_path: Path) -> Iterator[Workspace]:
    """The running workspace, with nothing left open by an earlier test."""
    (app.store / "workspace.json").unlink(missing_ok=True)
    with app.workspace(tmp_path / "project") as workspace:
        yield workspace


@pytest.fixture
def page(browser: Browser, workspace: Workspace) -> Iterator[Page]:
    """The workspace's page, connected; what a frame's console says does not fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(workspace.url)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "open")
    yield page
    context.close()


def test_a_page_that_attacks_gets_nothing(
    browser: Browser, page: Page, app: Viloapp, workspace: Workspace
) -> None:
    """Everything it tries is refused by the browser, nobody else hears of it, and the workspace goes on."""
    stranger = Stranger()
    app.call("attacks.open", params={"page": "web/flood.html"})
    expect(page.get_by_text("The page was stopped")).to_be_visible()
    app.call("attacks.open", params={"page": "web/quiet.html", "word": "untouched"})
    quiet = page.locator(".webview").last.frame_locator("iframe").locator("#state")
    expect(quiet).to_have_text("untouched en dark")
    quiet = page.locator(".webview").nth(1).frame_locator("iframe").locator("#state")
    app.call("attacks.open", params=stranger.params)
    told = eventually(lambda: [each for each in app.call("attacks.told") if "inline" in each])[0]
    # The last that it does is to go elsewhere itself.
    frame = page.locator(".webview").nth(2).locator("iframe")
    eventually(lambda: not (inner := frame.element_handle().content_frame()) or "chrome-error" in inner.url)
    assert {name: what for name, what in told.items() if what.startswith("got")} == {}
    assert {name: told[name] for name in MAY} == MAY
    assert stranger.came == []
    assert quiet.inner_text() == "untouched en dark"
    assert page.url == workspace.url.partition("#")[0]
    assert page.context.pages == [page]
    assert page.context.cookies() == []
    app.call("attacks.open", params={"page": "web/peers.html", **stranger.params})
    eventually(lambda: app.call("attacks.told"))
    assert app.call("hello.greet") == "Hello, world!"
    came = stranger.close()
    if int(browser.version.partition(".")[0]) < KNOWS_ALLOWLISTS:
        came = [each for each in came if each != "UDP"]
    assert came == []


def test_a_page_that_seizes_the_keyboard_is_stopped(page: Page, app: Viloapp) -> None:
    """Who types into a terminal types into it; a page that takes the focus again and again is taken off."""
    app.call("viloxterm.new")
    screen = page.locator(".xterm-rows").last
    expect(screen).to_contain_text(re.compile(r"[$#]"))
    app.call("attacks.open", params={"page": "web/seize.html"})
    eventually(lambda: {"seize": "began"} in app.call("attacks.told"))
    page.locator(".dv-tab").first.click()
    expect(page.get_by_text("It kept taking the keyboard")).to_have_count(1)
    page.locator(".xterm-screen").last.click()
    page.keyboard.type("echo $((6*7))\n")
    expect(screen).to_contain_text("42")
    assert app.call("attacks.told") == []


def test_a_page_is_heard_within_bounds(page: Page, app: Viloapp) -> None:
    """Shouting at the page around it is flooding, too; the author is told of a message that is too long."""
    app.call("attacks.open", params={"page": "web/shout.html"})
    expect(page.get_by_text("The page was stopped")).to_be_visible()
    app.call("attacks.open", params={"page": "web/long.html"})
    eventually(lambda: {"refused": "message_too_long"} in app.call("attacks.told"))


def test_the_page_of_a_new_project_is_seen(page: Page, app: Viloapp, tmp_path: Path) -> None:
    """What `create-plugin --template webview` makes greets in its tab, in the workspace's colours."""
    made = ("--template", "webview", "--author", "A", "--description", "B.", "-o", tmp_path)
    app("create-plugin", "fresh", *made).ok()
    app("install", "--yes", "--dev", tmp_path / "fresh").ok()
    app.call("fresh.open")
    fresh = page.frame_locator("iframe >> nth=-1")
    expect(fresh.locator("#greeting")).to_have_text("Hello, world!")
    fresh.locator("#name").fill("you")
    fresh.locator("#greet").click()
    expect(fresh.locator("#greeting")).to_have_text("Hello, you!")
    assert (
        fresh.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(27, 29, 35)"
    )
    app("uninstall", "--yes", "fresh").ok()
    expect(page.locator("iframe")).to_have_count(0)
