"""A plugin's documentation, from a project on the disk."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from viloapp_core.cli.main import main
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


GERMAN = {
    "manifest.summary": "Grüßt <i>Leute</i>",
    "manifest.command.hello.greet.title": "Grüßen",
    "manifest.command.hello.greet.description": "Gibt einen Gruß zurück.",
    "manifest.widget.hello.panel.title": "Tafel",
    "manifest.setting.size.description": "der Schrift",
    "manifest.setting.tone.enum.warm": "herzlich",
    "manifest.permission.network.connect.api.example.com.reason": "den Gruß holen",
    "hello.text": "kein Wort des Manifests",
}


def _with_catalogues(project: Path) -> None:
    locales = project / "src/hello/locales"
    locales.mkdir()
    (locales / "de.json").write_text(json.dumps(GERMAN), "utf-8")
    (locales / "ar.json").write_text(json.dumps({"manifest.command.hello.greet.title": "تحية"}), "utf-8")
    (locales / "fr.json").write_text(json.dumps({"hello.text": "rien du manifeste"}), "utf-8")
    (locales / "en.json").write_text(json.dumps({"hello.text": "no word of the manifest"}), "utf-8")
    path = project / "pyproject.toml"
    path.write_text(path.read_text() + 'tone = { type = "string", enum = ["warm", "cool"] }\n')


def test_each_language_of_the_catalogues_has_its_pages(project: Path) -> None:
    """In its words, else the manifest's; pages of all languages lead to one another."""
    _with_catalogues(project)
    [locales] = project.rglob("locales")
    for pseudo in ("en-XA", "ar-XB"):  # for looking at a plugin, not for reading
        (locales / f"{pseudo}.json").write_text((locales / "de.json").read_text())
    made = documents(project)
    languages = ("", ".ar", ".de")
    assert set(made) == {f"index{each}.{suffix}" for each in languages for suffix in ("md", "html")}
    lines = made["index.de.md"].splitlines()
    for line in (
        "[en](index.md) · [ar](index.ar.md)",
        "Grüßt &lt;i>Leute&lt;/i>",
        "Grüßen. Key: ctrl+h.",
        "Gibt einen Gruß zurück.",
        "### Tafel (hello.panel)",
        "- Description: der Schrift",
        '- One of: "warm" (herzlich), "cool"',
        "- `network.connect.api.example.com`: connect to api.example.com; den Gruß holen",
    ):
        assert line in lines
    assert "Shows a greeting." in lines  # the catalogue does not say it
    assert "Say hello. Key: ctrl+h." in made["index.md"].splitlines()
    assert "Grüß" not in made["index.md"] + made["index.ar.md"]
    assert '<html lang="ar" dir="rtl">' in made["index.ar.html"]
    assert '<html lang="de">' in made["index.de.html"]
    assert '<a href="index.html">en</a> · <a href="index.ar.html">ar</a>' in made["index.de.html"]
    assert "<i>" not in made["index.de.html"]


def test_pages_of_a_language_that_is_gone_are_drift(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` names them; what else lies in the folder is nobody's business."""
    _with_catalogues(project)
    out = tmp_path / "documents"
    words = ["docs", str(project), "-o", str(out)]
    assert main(words) == 0
    (out / "notes.md").touch()
    assert main([*words, "--check"]) == 0
    (project / "src/hello/locales/ar.json").unlink()
    assert main([*words, "--check"]) == 1
    said = capsys.readouterr().err
    assert "index.ar.md" in said
    assert "index.de.md" in said  # it leads to the page that is gone
    assert "notes.md" not in said


def test_backticks_end_no_code() -> None:
    """A run of them is enclosed by a longer one."""
    blocks = [Block("code_heading", "a`b``c", 2), Block("code", "```\nx")]
    assert to_markdown(blocks) == "## ``` a`b``c ```\n\n````\n```\nx\n````\n"
    assert "<h2><code>a`b``c</code></h2>" in to_html(blocks, "t")
