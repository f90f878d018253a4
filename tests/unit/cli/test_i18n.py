"""`viloapp i18n`: an author's way with texts, from the code to a language that nobody speaks."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.cli.main import main
from viloapp_core.devtools.project_name import project_name
from viloapp_core.devtools.scaffold import Project, create_project
from viloapp_sdk.i18n import PluginI18n
from viloapp_sdk.manifest.pseudo import pseudo
from viloapp_sdk.testing.project import entry_point_of, host_of_project

CODE = '''"""A plugin with texts."""

from viloapp_sdk import Plugin, command


class HelloPlugin(Plugin):
    """Greets."""

    @command("hello.greet", title="Say hello")
    def greet(self, name: str = "world") -> str:
        """Return a greeting."""
        t = self.context.i18n.t
        return t("greeting", name=name) + t("files", n=3) + t(f"state.{name}")
'''
ENGLISH = {
    "greeting": "Hello, {name}!",
    "files": "{n, plural, one {# file} other {# files}}",
    "state.you": "you",
    "old": "Nobody asks for this",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project as `create-plugin` makes one."""
    project = Project(project_name("hello"), "basic", "Somebody", "", "Greets.")
    return create_project(project, tmp_path_factory.mktemp("made"), {"PATH": ""})


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """Return a project whose code asks for three texts, with an English catalogue and no other."""
    folder = tmp_path / "hello"
    shutil.copytree(made, folder)
    (folder / "src/hello/plugin.py").write_text(CODE)
    shutil.rmtree(folder / "src/hello/locales")
    (folder / "src/hello/locales").mkdir()
    catalogue(folder, "en", ENGLISH)
    return folder


def catalogue(project: Path, language: str, texts: dict[str, Any]) -> Path:
    """Write a catalogue as an author might."""
    path = project / f"src/hello/locales/{language}.json"
    path.write_text(json.dumps(texts, indent=1, ensure_ascii=False), "utf-8")
    return path


def texts_of(project: Path, language: str) -> dict[str, str]:
    """Return what a catalogue has."""
    found: dict[str, str] = json.loads((project / f"src/hello/locales/{language}.json").read_text("utf-8"))
    return found


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what runs a command on the project: code and what it printed, decoded with --json."""

    def call(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main(["i18n", arguments[0], str(project), *arguments[1:]])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and out else out + err

    return call


def test_extract_lists_what_there_is(run: Any, project: Path) -> None:
    """Keys with their places, the manifest's words with themselves, and what cannot be told."""
    code, shown = run("extract")
    assert code == 0
    assert "greeting  src/hello/plugin.py:13" in shown
    assert "manifest.command.hello.greet.title  Say hello" in shown
    (project / "src/hello/more.py").write_text("def f(i18n, key):\n    return i18n.t(key)\n")
    code, report = run("extract", "--json")
    assert [row["key"] for row in report["texts"]] == ["files", "greeting", "state.*"]
    assert report["texts"][1]["values"] == ["name"]
    assert report["unknown"] == ["src/hello/more.py:2"]
    assert "src/hello/more.py:2: the key cannot be told" in run("extract")[1]


def test_update_keeps_every_translation(run: Any, project: Path) -> None:
    """New keys are empty, nothing is filled in, what is stale is said, and a second run changes nothing."""
    path = catalogue(project, "de", {"z.old": "alt", "greeting": "Hallo, {name}!"})
    before = path.read_bytes()
    code, shown = run("update", "--dry-run")
    assert (code, path.read_bytes()) == (0, before)
    assert "de.json: would be written" in shown
    assert "  ? z.old" in shown
    assert run("update")[0] == 0
    texts = texts_of(project, "de")
    assert list(texts) == sorted(texts)
    assert (texts["greeting"], texts["z.old"], texts["files"]) == ("Hallo, {name}!", "alt", "")
    assert texts["manifest.command.hello.greet.title"] == ""
    written = path.read_bytes()
    assert run("update", "--json")[1]["catalogues"][0]["written"] is False
    assert path.read_bytes() == written
    # What is not translated is English at a person's screen.
    german = PluginI18n(project / "src/hello")
    german.set_locale("de")
    assert (german.t("greeting", name="du"), german.t("files", n=1)) == ("Hallo, du!", "1 file")


def test_update_removes_what_is_stale_where_it_is_asked_to(run: Any, project: Path) -> None:
    """In all languages, those of the default language among them; a pattern keeps its keys."""
    catalogue(project, "de", {"old": "alt", "manifest.command.gone.title": "weg", "state.you": "du"})
    assert run("update", "--remove-stale")[0] == 0
    assert set(texts_of(project, "en")) == {"greeting", "files", "state.you"}
    german = texts_of(project, "de")
    assert not {"old", "manifest.command.gone.title"} & set(german)
    assert german["state.you"] == "du"


def test_update_begins_a_language_and_leaves_a_variety_what_it_inherits(run: Any, project: Path) -> None:
    """`--add` makes the file; of `pt-BR` only what `pt` lacks is missing."""
    assert run("update", "--add", "pt", "--add", "de_at")[0] == 0
    assert set(texts_of(project, "de-AT").values()) == {""}
    catalogue(project, "pt", {key: "x" for key in texts_of(project, "pt")} | {"greeting": ""})
    catalogue(project, "pt-BR", {})
    assert run("update")[0] == 0
    assert texts_of(project, "pt-BR") == {"greeting": ""}
    assert run("update", "--add", "../x")[0] == 2


def test_a_language_in_the_place_of_the_folder_is_told_how(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`update fr` begins nothing; one line names the command that does. Else it is a folder."""
    monkeypatch.chdir(project)
    assert main(["i18n", "update", "pt_br"]) == 2
    shown = capsys.readouterr().err
    assert "there is no folder pt_br; every language is brought up to date, and " in shown
    assert "viloapp i18n update --add pt-BR begins this one" in shown
    assert main(["i18n", "update", "no/such"]) == 2
    assert "'no/such' does not exist" in capsys.readouterr().err
    assert main(["i18n", "update", "--add", "pt_br"]) == 0


def test_update_lists_what_only_the_author_can_write(run: Any, project: Path) -> None:
    """A text that the code asks for and English lacks: nothing is put in its place."""
    catalogue(project, "en", {"files": "{n}", "state.you": "you"})
    code, report = run("update", "--json")
    assert (code, report["lacking"]) == (0, {"greeting": "src/hello/plugin.py:13"})
    assert "greeting" not in texts_of(project, "en")


def test_update_keeps_a_translation_whose_english_text_is_not_written_yet(run: Any, project: Path) -> None:
    """The code asks for it, or may: what is missing is the text in English."""
    catalogue(project, "en", {"files": "{n}"})
    catalogue(project, "de", {"greeting": "Hallo, {name}!", "state.you": "du", "old": "alt"})
    code, shown = run("update", "--remove-stale")
    assert (code, "greeting" in shown) == (0, True)
    assert {"greeting", "state.you"} <= set(texts_of(project, "de"))
    assert "old" not in texts_of(project, "de")
    catalogue(project, "de", {"old": "alt"})
    (project / "src/hello/more.py").write_text("def f(i18n, key):\n    return i18n.t(key)\n")
    assert run("update", "--remove-stale")[0] == 0
    assert texts_of(project, "de")["old"] == "alt"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (b'def f(i18n):\n    return i18n.t("old"\n', "src/hello/more.py:2: "),
        (b'"\xff"', "src/hello/more.py: "),
        (b"-" * 9000 + b"x", "src/hello/more.py: "),
    ],
    ids=["no Python", "no UTF-8", "too deep"],
)
def test_nothing_is_stale_while_a_source_cannot_be_read(
    run: Any, project: Path, source: bytes, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its keys are unknown: `--remove-stale` refuses and changes nothing, and every command names it."""
    german = catalogue(project, "de", {"old": "alt"})
    english = project / "src/hello/locales/en.json"
    (project / "src/hello/more.py").write_bytes(source)
    before = (german.read_bytes(), english.read_bytes())
    code, shown = run("update", "--remove-stale", "--add", "fr")
    assert (code, place in shown) == (1, True)
    assert (german.read_bytes(), english.read_bytes()) == before
    assert not english.with_name("fr.json").exists()
    assert (run("update", "--remove-stale", "--dry-run")[0], run("extract")[0]) == (1, 0)
    assert place in run("extract")[1]
    code, shown = run("check")
    assert (code, place in shown, "no code asks" in shown) == (1, True, False)
    assert main(["validate", str(project)]) == 1
    assert capsys.readouterr().out.count("src/hello/more.py") == 1
    code, shown = run("update")
    assert (code, place in shown, "? old" in shown) == (0, True, False)
    assert texts_of(project, "de")["old"] == "alt"
    for command in ("extract", "update"):
        assert [row["path"] for row in run(command, "--json")[1]["unreadable"]] == ["src/hello/more.py"]


@pytest.mark.parametrize("content", ["{", '{"a": "b", "a": "c"}', '{"a": 1}', "[]"])
def test_update_loses_nothing_of_a_broken_catalogue(run: Any, project: Path, content: str) -> None:
    """It changes no file then."""
    path = project / "src/hello/locales/de.json"
    path.write_text(content)
    before = (project / "src/hello/locales/en.json").read_bytes()
    code, shown = run("update", "--remove-stale")
    assert (code, path.read_text()) == (1, content)
    assert "src/hello/locales/de.json:1:" in shown
    assert (project / "src/hello/locales/en.json").read_bytes() == before


def test_check_says_everything_with_its_place(run: Any, project: Path, tmp_path: Path) -> None:
    """And so do `validate` and the SARIF report."""
    catalogue(project, "en", ENGLISH | {"greeting": "Hello, {name} {surname}!", "manifest.x": "y"})
    catalogue(project, "pl", {"files": "{n, plural, one {#} other {#}}", "more": "x"})
    code, report = run("check", "--json", "--sarif", str(tmp_path / "out.sarif"))
    assert (code, report["ok"]) == (1, False)
    rows = {(row["path"].rpartition("/")[2], row["line"], row["message"]) for row in report["findings"]}
    for expected in (
        ("plugin.py", 13, "greeting: no value for surname"),
        ("en.json", 5, "old: no code asks for it"),
        ("en.json", 6, "manifest.x: the manifest has the words of the default language; leave it out"),
        ("pl.json", 2, "files: {n, plural, …} lacks few, many, which pl has"),
        ("pl.json", 2, 'files: {n, plural} in pl needs "viloapp-sdk[i18n]" among the dependencies'),
        ("pl.json", 3, "more: is not in en.json"),
        ("pl.json", 0, "greeting: is missing in pl.json"),
        ("pl.json", 0, "manifest.command.hello.greet.title: is missing in pl.json"),
    ):
        assert expected in rows, rows
    sarif = json.loads((tmp_path / "out.sarif").read_text())
    assert len(sarif["runs"][0]["results"]) == len(report["findings"])


def test_validate_has_the_same_findings(run: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of `check`, word for word."""
    catalogue(project, "de", {"greeting": "Hallo {"})
    report = run("check", "--json")[1]
    main(["validate", str(project), "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [row for row in found if row["kind"] == "catalogue"] == report["findings"] != []


def test_formats_need_the_extra_and_with_it_nothing_is_said(run: Any, project: Path) -> None:
    """Either form of it: the SDK's extra, or Babel itself."""
    catalogue(project, "en", {"greeting": "{name}", "files": "{n, number}", "state.you": "x"})
    code, shown = run("check")
    assert (code, '{n, number} needs "viloapp-sdk[i18n]"' in shown) == (1, True)
    toml = project / "pyproject.toml"
    text = toml.read_text()
    for extra in ('"viloapp-sdk[i18n]>=1,<2"', '"viloapp-sdk>=1", "Babel>=2.14"'):
        toml.write_text(text.replace('dependencies = ["viloapp-sdk>=1,<2"]', f"dependencies = [{extra}]"))
        assert run("check") == (0, "1 catalogue has nothing wrong\n")


@pytest.mark.parametrize("command", ["package", "manifest"])
def test_what_is_broken_is_not_built(
    project: Path, command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`package`, and `manifest write` and `check` for other build backends, name file and line."""
    catalogue(project, "de", {"greeting": "Hallo {name"})
    out = tmp_path / "out"
    out.mkdir()
    if command == "package":
        assert main(["package", str(project), "-o", str(out)]) == 1
    else:
        assert main(["manifest", "write", str(project)]) == main(["manifest", "check", str(project)]) == 1
    assert "src/hello/locales/de.json:2: greeting: {name is not closed" in capsys.readouterr().err
    assert not list(out.iterdir())
    assert not (project / "src/hello/plugin.json").exists()


def test_pseudo_languages_are_loaded_live(run: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running plugin shows them, placeholders and choices work, and they are no findings."""
    catalogue(project, "en", {key: text for key, text in ENGLISH.items() if key != "old"})
    assert run("pseudo")[0] == 0
    monkeypatch.syspath_prepend(project / "src")
    for name in ("hello", "hello.plugin"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    host = host_of_project(project)
    host.load(entry_point_of(project))
    try:
        host.set_locale("en-XA")
        assert host.call("hello.greet", name="you").startswith("[Ĥéļļö, you! one][3 ƒîļéš one two")
        host.set_locale("ar-XB")
        shown = host.call("hello.greet", name="you")
        # Which digits Arabic has by default changed between releases of CLDR.
        digits = {"3", "\u0663"} & set(shown)
        assert ("you" in shown, len(digits), "Hello" in shown) == (True, 1, False)
    finally:
        host.close()
        for name in ("hello", "hello.plugin"):
            sys.modules.pop(name, None)
    assert texts_of(project, "en-XA")["manifest.command.hello.greet.title"].startswith("[Šåý")
    assert run("check") == (0, "3 catalogues have nothing wrong\n")
    assert run("pseudo", "--remove")[0] == 0
    assert not (project / "src/hello/locales/en-XA.json").exists()


def test_pseudo_texts() -> None:
    """Longer by a third, placeholders and formats as they were; plain text keeps its braces."""
    text = "{n, plural, one {# file of {name}} other {# files}} at {d, time, short}"
    assert "{n, plural, one {# ƒîļé öƒ {name}} other {# ƒîļéš}} åţ {d, time, short}" in pseudo("en-XA", text)
    assert len(pseudo("en-XA", "x" * 30)) >= 40
    assert pseudo("en-XA", "a {b}", plain=True).startswith("[å {ƀ}")
    assert pseudo("ar-XB", "") == pseudo("en-XA", "") == ""
