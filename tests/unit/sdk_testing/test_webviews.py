"""The kit's host is as strict with pages as the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from viloapp_sdk import Plugin, Widget
from viloapp_sdk.errors import InvalidArgumentsError
from viloapp_sdk.manifest.webpage import content_type, page_of
from viloapp_sdk.testing import FakeHost


class Paged(Widget):
    """Shows the page that it is told to."""

    id = "paged.page"
    kind = "webview"

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return it."""
        return dict(params)

    def handle_command(self, command: str, args: dict[str, Any]) -> Any:
        """Change what is shown."""
        self.update(args)


class Pages(Plugin):
    """Has the widget."""

    widgets = (Paged,)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """A host whose plugin's package is a folder of the test's."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web/index.html").write_text("<!doctype html>")
    host = FakeHost("paged", folder=tmp_path / "host")
    host.load(Pages)
    monkeypatch.setattr(type(host.context), "resource_path", tmp_path)
    return host


def test_a_page_of_the_package_opens(host: FakeHost) -> None:
    """And its data can be changed without naming it again."""
    widget = host.open_widget("paged.page", {"page": "web/index.html", "data": 1})
    host.widget_command(widget.id, "update", {"data": 2})
    assert widget.data == {"page": "web/index.html", "data": 2}


@pytest.mark.parametrize(
    "page", ["web/missing.html", "index.html", "web/../index.html", "web/page.js", None, 1]
)
def test_another_is_refused(host: FakeHost, page: object) -> None:
    """When the widget opens, and when it is changed."""
    with pytest.raises(InvalidArgumentsError):
        host.open_widget("paged.page", {"page": page})
    widget = host.open_widget("paged.page", {"page": "web/index.html"})
    with pytest.raises(InvalidArgumentsError):
        host.widget_command(widget.id, "update", {"page": page})


@pytest.mark.parametrize(
    "path", ["a.php", ".a.js", "a//b.js", "../a.js", "a/../b.js", "/a.js", "a.js/", "a", ""]
)
def test_a_path_that_is_not_served_has_no_type(path: str) -> None:
    """Whatever it would be."""
    assert content_type(path) == ""
    with pytest.raises(InvalidArgumentsError):
        page_of("paged.page", {"page": f"web/{path}"})


def test_the_name_decides_the_type() -> None:
    """In small or capital letters."""
    assert content_type("deep/A.SVG") == "image/svg+xml"
    assert content_type("a.min.js") == "text/javascript; charset=utf-8"
