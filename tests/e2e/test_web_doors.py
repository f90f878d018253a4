"""The server's doors, tried from outside a browser: only the page that carries the token gets in."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.e2e.harness import Viloapp, Workspace

PLUGINS = ("hello",)


@pytest.fixture(scope="module")
def workspace(shared: Viloapp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One running workspace for all of these."""
    with shared.workspace(tmp_path_factory.mktemp("folder")) as workspace:
        yield workspace


def _authority(workspace: Workspace) -> str:
    return urlsplit(workspace.url).netloc


def _token(workspace: Workspace) -> str:
    return workspace.url.partition("token=")[2]


def _status(
    workspace: Workspace, path: str = "/", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(_authority(workspace), timeout=30)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}


def _socket(workspace: Workspace, *, origin: str | None, token: str) -> int:
    """Try to open the page's WebSocket; return the HTTP status of the answer."""
    try:
        with connect(
            f"ws://{_authority(workspace)}/ws",
            origin=None if origin is None else Origin(origin),
            subprotocols=[Subprotocol("vilo.v1"), Subprotocol(f"vilo.auth.{token}")],
        ) as socket:
            socket.send(json.dumps({"id": 1, "method": "hello", "params": {}}))
            assert "folder" in json.loads(socket.recv(30))["result"]
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_the_page_with_its_token_gets_in(workspace: Workspace) -> None:
    """The control: with everything right the same attempt succeeds."""
    assert _socket(workspace, origin=f"http://{_authority(workspace)}", token=_token(workspace)) == 101


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None, "http://127.0.0.1:1"])
def test_pages_of_others_do_not(workspace: Workspace, origin: str | None) -> None:
    """Not even with the token: the origin has to be the server's own."""
    assert _socket(workspace, origin=origin, token=_token(workspace)) == 403


@pytest.mark.parametrize("token", ["x" * 43, "a"])
def test_wrong_token_does_not(workspace: Workspace, token: str) -> None:
    """Nor the right origin without the token."""
    assert _socket(workspace, origin=f"http://{_authority(workspace)}", token=token) == 403


def test_rebound_name_is_refused(workspace: Workspace) -> None:
    """A name that somebody points at 127.0.0.1 is no name of this server."""
    assert _status(workspace, Host="evil.example")[0] == 403
    assert _status(workspace, Host=_authority(workspace))[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_changes_over_plain_http(workspace: Workspace, method: str) -> None:
    """A form or a no-cors request of another page has nothing to act on."""
    assert _status(workspace, method=method)[0] in (403, 405)


def test_page_comes_with_its_policy_and_no_cookie(workspace: Workspace) -> None:
    """Scripts come from this server alone, nobody frames the page, and nothing is kept in cookies."""
    _, headers = _status(workspace)
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../server.py", "//etc/passwd"]
)
def test_no_path_leads_out_of_the_pages_files(workspace: Workspace, path: str) -> None:
    """Whatever the path, a file outside the bundle is not served."""
    assert _status(workspace, path)[0] in (400, 403, 404)


def test_explorer_stays_in_the_folder(workspace: Workspace, tmp_path: Path) -> None:
    """The page's list of files shows the workspace folder and nothing above it."""
    authority = _authority(workspace)
    with connect(
        f"ws://{authority}/ws",
        origin=Origin(f"http://{authority}"),
        subprotocols=[Subprotocol("vilo.v1"), Subprotocol(f"vilo.auth.{_token(workspace)}")],
    ) as socket:
        for path in ("..", "/etc", "../../"):
            socket.send(json.dumps({"id": 7, "method": "files.list", "params": {"path": path}}))
            while (answer := json.loads(socket.recv(30))).get("id") != 7:
                pass
            assert "error" in answer
