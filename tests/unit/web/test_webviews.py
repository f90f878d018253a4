"""What a frame of a plugin's own page is served, and what it is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.artifacts import begin
from tests.unit.web.conftest import AUTHORITY, Headers, Scene, Socket, fetch, headers
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.host import Host
from viloapp_core.manifest.package_files import read_below
from viloapp_core.services import Instance
from viloapp_core.web import webviews
from viloapp_core.web.app import Application

Play = Callable[[Scene], None]


async def planted(host: Host) -> Path:
    """Put a plugin with pages in the store; return its folder ``web``."""
    entry, generation, artifact = begin(host.store, "hello", "1.0")
    (generation / "venv/bin").mkdir(parents=True)
    (generation / "venv/bin/python").symlink_to("/bin/true")
    web = generation / "venv/lib/python3.11/site-packages/hello/web"
    (web / "deep").mkdir(parents=True)
    (web.parent / "plugin.py").write_text("secret = 1")
    (web.parent / "outside.js").write_text("secret")
    files = ("index.html", "page.js", "deep/a.svg", "page.php", "plugin.py", ".hidden.js", "viloapp.js")
    for name in files:
        (web / name).write_text(f"its own {name}")
    (web / "link.js").symlink_to(web.parent / "outside.js")
    (web / "folder").symlink_to(web / "deep")
    os.mkfifo(web / "pipe.js")
    receipt = {
        "entry_point": "hello.plugin:Hello",
        "manifest": {"schema": 1, "api_version": "1.0"},
        "source": "wheel",
        "permissions": [],
        "python_version": "3.11.7",
        "base_prefix": "/usr",
        "base_executable": "/bin/true",
    }
    host.store.commit_install(entry, artifact, receipt, SystemClock())
    await host.refresh()
    return web


def opened(host: Host, id: str = "one", **data: Any) -> None:
    """Have a widget open in the workspace, as its worker would have made it."""
    shown = {"page": "web/index.html", **data}
    host.workspace.add(Instance(id, "hello.page", "hello", "webview", "Page", data=shown))


def of_a_frame(**changes: str | None) -> Headers:
    """Return what a browser sends for a module of a frame that has no origin."""
    return headers(origin="null", **changes)


async def base_of(application: Application, instance: str = "one") -> str:
    """Ask as the page does; return the path of a new frame, without the page's name."""
    socket = Socket("/ws")
    await socket.connect(application)
    answer = await socket.call("widget.page", instance=instance)
    await socket.leave()
    path: str = answer["result"]["path"]
    assert path.endswith("/index.html")
    return path.removesuffix("index.html")


def test_a_frame_gets_its_page_and_nothing_else_may(play: Play) -> None:
    """The answer names the frame's own path and nothing else, and is of the type that the name says."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        base = await base_of(application)
        status, sent, body = await fetch(application, f"{base}index.html", headers(origin=None))
        assert (status, body) == (200, b"its own index.html")
        policy = sent[b"content-security-policy"].decode()
        assert f"script-src http://{AUTHORITY}{base};" in policy
        assert "default-src 'none'" in policy
        assert "connect-src 'none'" in policy
        assert policy.endswith("sandbox allow-scripts")
        assert f"frame-ancestors http://{AUTHORITY};" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert sent[b"x-content-type-options"] == b"nosniff"
        assert sent[b"content-type"] == b"text/html; charset=utf-8"
        assert b"x-frame-options" not in sent
        for name, kind in (("page.js", b"text/javascript; charset=utf-8"), ("deep/a.svg", b"image/svg+xml")):
            status, sent, body = await fetch(application, base + name, of_a_frame())
            assert (status, sent[b"content-type"], body) == (200, kind, f"its own {name}".encode())

    play(scene)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "../plugin.py",
            "../outside.js",
            "..%2foutside.js",
            "deep/../../outside.js",
            "/etc/passwd",
            "//x.js",
        ),
        *("page.php", "plugin.py", ".hidden.js", "link.js", "folder/a.svg", "pipe.js", "deep", "deep/", ""),
        *(
            "missing.js",
            "page.js/",
            "a\0.js",
            "x" * 5000 + ".js",
            "a/b/c/d/e/f/g/h/i.js",
            "ů.js",
        ),
    ],
)
def test_nothing_else_is_served(play: Play, path: str) -> None:
    """No path out, no link, no pipe, nothing hidden, no type that is not listed."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        base = await base_of(application)
        status, sent, body = await fetch(application, base + path, of_a_frame())
        assert (status, body) == (404, b"")
        assert b"sandbox" in sent[b"content-security-policy"]

    play(scene)


def test_the_hosts_own_file_is_not_the_plugins(play: Play, tmp_path: Path) -> None:
    """Whatever a plugin has of that name: the page's connection is the host's."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        base = await base_of(application)
        assert (await fetch(application, f"{base}viloapp.js", of_a_frame()))[
            0
        ] == 404  # it was not built here
        (tmp_path / "static/frame").mkdir()
        (tmp_path / "static/frame/viloapp.js").write_text("the host's")
        assert (await fetch(application, f"{base}viloapp.js", of_a_frame()))[2] == b"the host's"

    play(scene)


def test_the_path_is_the_secret(play: Play) -> None:
    """Another is none; a closed widget's is none any more, and neither is a disabled plugin's."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        opened(host, "two")
        base, other = await base_of(application), await base_of(application, "two")
        assert base != other
        for wrong in ("/view/x/page.js", "/view/", "/view/page.js", f"{base[:-2]}/page.js", "/view//page.js"):
            assert (await fetch(application, wrong, of_a_frame()))[0] == 404
        await host.close_widget("one")
        assert (await fetch(application, f"{base}page.js", of_a_frame()))[0] == 404
        assert (await fetch(application, f"{other}page.js", of_a_frame()))[0] == 200
        host.store.set_enabled(["hello"], False)
        assert (await fetch(application, f"{other}page.js", of_a_frame()))[0] == 404

    play(scene)


@pytest.mark.parametrize(
    "changes",
    [
        {"sec-fetch-dest": "document"},
        {"sec-fetch-dest": "worker"},
        {"sec-fetch-dest": "serviceworker"},
        {"sec-fetch-dest": "object"},
        {"sec-fetch-dest": "empty"},
        {"sec-fetch-dest": "iframe"},
        {"service-worker": "script"},
    ],
)
def test_a_script_is_only_a_part_of_a_frame(play: Play, changes: dict[str, str | None]) -> None:
    """Not a tab of its own, not a worker, not a frame by itself."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        base = await base_of(application)
        assert (await fetch(application, f"{base}page.js", of_a_frame(**changes)))[0] == 404

    play(scene)


def test_a_frame_reaches_nothing_but_its_path(play: Play) -> None:
    """Who has no origin gets nothing of the page, opens no socket, and says who it is but once."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        base = await base_of(application)
        for path in ("/", "/index.html", "/session", "/metrics", "/view", "/viewx/page.js"):
            assert (await fetch(application, path, of_a_frame()))[0] == 403
        assert (await fetch(application, f"{base}page.js", headers(origin="http://evil.example")))[0] == 403
        twice = [*of_a_frame(), (b"origin", b"null")]
        assert (await fetch(application, f"{base}page.js", twice))[0] == 403
        assert (await fetch(application, f"{base}page.js", of_a_frame(), "POST"))[0] == 405
        assert (await fetch(application, f"{base}page.js", of_a_frame(host="evil.example")))[0] == 403
        for path in ("/ws", f"{base}page.js", "/view/x"):
            assert (await Socket(path, sent=of_a_frame()).connect(application))["type"] == "websocket.close"

    play(scene)


@pytest.mark.parametrize(
    "page", ["web/missing.html", "web/page.js", "plugin.py", "web/../plugin.html", 1, None]
)
def test_a_page_that_is_not_there_is_said(play: Play, page: object) -> None:
    """With its name, to the page of the workspace, and there is no frame."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host, page=page)
        socket = Socket("/ws")
        await socket.connect(application)
        answer = await socket.call("widget.page", instance="one")
        assert answer["error"]["code"] in ("page_missing", "invalid_arguments")
        assert answer["error"]["hint"]
        assert (await socket.call("widget.page", instance="none"))["error"]["code"] == "unknown_widget"
        await socket.leave()

    play(scene)


def test_the_frames_of_a_widget_are_bounded(play: Play) -> None:
    """A page that asks again and again keeps the newest."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        opened(host)
        bases = [await base_of(application) for _ in range(webviews.MAX_FRAMES + 1)]
        found = [(await fetch(application, f"{base}page.js", of_a_frame()))[0] for base in bases]
        assert found == [404] + [200] * webviews.MAX_FRAMES

    play(scene)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """The bound holds for what is there now."""
    (tmp_path / "a.js").write_bytes(b"x" * 11)
    assert read_below(tmp_path, "a.js", 10) is None
    assert read_below(tmp_path, "a.js", 11) == b"x" * 11
