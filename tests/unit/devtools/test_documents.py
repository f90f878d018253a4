"""A plugin's documentation, from a project on the disk."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from viloapp_core.devtools.documents import documents
from viloapp_core.devtools.pages import Block, to_html, to_markdown

PYPROJECT = """
[project]
name = "hello"
version = "1.2"
description = "Greets <b>people</b>"
[project.entry-points."viloapp.plugins"]
hello = "hello.plugin:Hello"
[tool.viloapp]
api_version = "1.0"
permissions = [{ id = "network.connect.api.example.com", reason = "fetch the greeting" }]
keybindings = [{ command = "hello.greet", key = "ctrl+h" }]
[tool.viloapp.configuration]
size = { type = "integer", default = 12, description = "of the text" }
"""
SOURCE = '''
raise SystemExit("this must not run")
from viloapp_sdk import Plugin, Widget, command

class Panel(Widget):
    """Shows a greeting."""
    id = "hello.panel"
    title = "Panel"
    def create(self, params: dict) -> dict:
        """Return what is drawn.

        And more.
        """
        return {}
    def _hidden(self): ...

class Hello(Plugin):
    """The plugin.

    Example:
        call it
    """
    widgets = (Panel,)

    @command("hello.greet", title="Say hello")
    def greet(self, name: str, *, loud: bool = False, odd=None) -> str:
        """Return a greeting.

        With `ticks` and <script>alert(1)</script>.
        """
        self.context.event_bus.emit("hello.greeted", {"name": name})
        self.context.event_bus.emit(f"hello.{name}")
        self.context.host.subscribe_event("weather.changed", print)
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose code fails when it is run."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    package = tmp_path / "src" / "hello"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(SOURCE)
    return tmp_path


def test_everything_is_there_and_nothing_ran(project: Path) -> None:
    """Each section of the specification; what is not annotated is Any, what is missing Unknown."""
    text = documents(project)["index.md"]
    for line in (
        "# hello Plugin Documentation",
        "- Version: 1.2",
        "- License: Unknown",
        "viloapp install hello",
        "### `hello.greet`",
        "Say hello. Key: ctrl+h.",
        "- `name`: str",
        "- `loud`: bool, by default False",
        "- `odd`: Any, by default None",
        "### Panel (hello.panel)",
        "- `create(params: dict) -> dict`: Return what is drawn.",
        "### `size`",
        "- Type: integer",
        "- Default: 12",
        "- Description: of the text",
        "- `network.connect.api.example.com`: connect to api.example.com; fetch the greeting",
        "- `hello.greeted`: emitted",
        "- `weather.changed`: heard",
        "### `hello.plugin.Hello`",
        "    call it",
    ):
        assert line in text.splitlines()
    assert "_hidden" not in text


def test_an_authors_words_are_text(project: Path) -> None:
    """Nothing in them becomes markup or a script, in either form; the same source gives the same bytes."""
    made = documents(project)
    assert made == documents(project)
    assert "<script" not in made["index.md"].replace("&lt;script", "")
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.add(tag)

    Tags().feed(made["index.html"])
    assert not tags & {"script", "b", "img", "a"}


def test_backticks_end_no_code() -> None:
    """A run of them is enclosed by a longer one."""
    blocks = [Block("code_heading", "a`b``c", 2), Block("code", "```\nx")]
    assert to_markdown(blocks) == "## ``` a`b``c ```\n\n````\n```\nx\n````\n"
    assert "<h2><code>a`b``c</code></h2>" in to_html(blocks, "t")
