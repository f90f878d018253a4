"""Projects that the template makes, and how a newer template reaches them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import tomllib

from viloapp_core import manifest
from viloapp_core.devtools import scaffold, template_source
from viloapp_core.devtools.errors import ScaffoldError, TargetExistsError
from viloapp_core.devtools.project_name import project_name
from viloapp_core.devtools.scaffold import KINDS, Project, create_project, split_author, update_project

# What has to be escaped somewhere: in TOML, in YAML, in Jinja, in Markdown.
_HARD = """Says "x" \\ {{ 1 }} {% x %} 'y' # ünï: 😀"""
_PROJECT = Project(project_name("my-one"), "basic", 'A. "Nym" \\', "a@example.org", _HARD)


@pytest.mark.parametrize("kind", KINDS)
def test_each_template_is_a_plugin(kind: str, tmp_path: Path) -> None:
    """With a manifest, what its text says unchanged, all files of a project and nothing left to fill in."""
    folder = create_project(replace(_PROJECT, kind=kind), tmp_path, os.environ)
    plugin = manifest.read_source(folder)
    assert (plugin.plugin_id, str(plugin.version), plugin.license) == ("my-one", "0.1.0", "MIT")
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert (project["description"], project["authors"][0]["name"]) == (_HARD, 'A. "Nym" \\')
    ids = [entry["id"] for entry in (*plugin.manifest.commands, *plugin.manifest.widgets)]
    assert ids
    assert all(each.startswith("my-one.") for each in ids)
    for name in (
        "README.md",
        "LICENSE",
        "noxfile.py",
        ".github/workflows/release.yml",
        "tests/test_plugin.py",
    ):
        assert (folder / name).is_file(), name
    assert (folder / "src/my_one/resources").is_dir()
    assert (folder / "src/my_one/locales/en.json").is_file()
    assert (folder / "src/my_one/web").is_dir() == (kind == "webview")
    sources = [path.read_text("utf-8") for path in folder.rglob("*.py")]
    assert not any("{{" in text or "{%" in text for text in sources)
    assert os.listdir(tmp_path) == ["my-one"]


def test_the_release_keeps_no_secret_and_attests(tmp_path: Path) -> None:
    """A tag alone publishes, with an identity of the job and attestations; jobs get what they need."""
    folder = create_project(_PROJECT, tmp_path, os.environ)
    text = (folder / ".github/workflows/release.yml").read_text("utf-8")
    assert "\npermissions: {}\n" in text
    assert 'tags: ["v*"]' in text
    assert text.count("id-token: write") == 1
    assert "attestations: true" in text
    assert "secrets." not in text + (folder / ".github/workflows/ci.yml").read_text("utf-8")


def test_what_is_there_stays(tmp_path: Path) -> None:
    """A folder, a file, a link into nothing: each is left as it is."""
    (tmp_path / "my-one").symlink_to("nowhere")
    with pytest.raises(TargetExistsError, match="exists already"):
        create_project(_PROJECT, tmp_path, os.environ)
    assert os.readlink(tmp_path / "my-one") == "nowhere"
    (tmp_path / "my-one").unlink()
    (tmp_path / "my-one").mkdir()
    with pytest.raises(TargetExistsError):
        create_project(_PROJECT, tmp_path, os.environ)
    assert list(tmp_path.rglob("*")) == [tmp_path / "my-one"]


def test_who_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the files are there already: neither the project nor a part of it."""

    def stop(made: Path, folder: Path) -> None:
        assert (made / "pyproject.toml").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(scaffold, "_move", stop)
    with pytest.raises(KeyboardInterrupt):
        create_project(_PROJECT, tmp_path, os.environ)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "two\nlines", "x" * 201, "\u202ereversed"])
def test_text_is_one_printable_line(text: str, tmp_path: Path) -> None:
    """Anything else could break out of where it is put."""
    with pytest.raises(ScaffoldError, match="description"):
        create_project(replace(_PROJECT, description=text), tmp_path, os.environ)


def test_an_author_with_an_address() -> None:
    """Is told apart; what looks odd is a name."""
    assert split_author("A. Name <a@example.org>") == ("A. Name", "a@example.org")
    assert split_author('A <a"@example.org>') == ('A <a"@example.org>', "")


def test_without_git_it_is_made_too(tmp_path: Path) -> None:
    """Only updating needs Git."""
    folder = create_project(_PROJECT, tmp_path, {"PATH": ""})
    assert (folder / "pyproject.toml").is_file()
    with pytest.raises(ScaffoldError, match="git is not installed"):
        update_project(folder, {"PATH": ""})


def test_the_versions_of_the_template_are_the_same_everywhere(tmp_path: Path) -> None:
    """Equal templates are equal commits, whatever Git is told by its user."""
    (Path(os.environ["HOME"]) / ".gitconfig").write_text("[core]\nautocrlf = true\n[user]\nname = X\n")
    heads = set()
    for name in ("one", "two"):
        assert template_source.publish_template(tmp_path / name, os.environ) is not None
        heads.add(_git(tmp_path / name, "rev-parse", "main"))
    assert len(heads) == 1


def test_a_newer_template_is_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the author changed stays, what the template changed comes."""
    folder = create_project(_PROJECT, tmp_path, os.environ)
    readme = folder / "README.md"
    readme.write_text(readme.read_text("utf-8").replace("# my-one\n", "# My one\n"), "utf-8")
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "first")
    newer = tmp_path / "newer"
    shutil.copytree(template_source.TEMPLATE, newer)
    ignored = newer / "project" / ".gitignore"
    ignored.write_text(ignored.read_text("utf-8") + "*.log\n", "utf-8")

    def publish(target: Path, environ: dict[str, str]) -> str | None:
        return template_source.publish_template(target, environ, template=newer, release="99.0")

    monkeypatch.setattr(scaffold, "publish_template", publish)
    update_project(folder, os.environ)
    assert "*.log" in (folder / ".gitignore").read_text("utf-8")
    assert readme.read_text("utf-8").startswith("# My one\n")
    assert "_commit: v99.0" in (folder / ".copier-answers.yml").read_text("utf-8")


def test_what_cannot_be_updated_says_why(tmp_path: Path) -> None:
    """What create-plugin did not make, and what is in no repository."""
    with pytest.raises(ScaffoldError, match=r"no \.copier-answers"):
        update_project(tmp_path, os.environ)
    with pytest.raises(ScaffoldError, match="git"):
        update_project(create_project(_PROJECT, tmp_path, os.environ), os.environ)


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    argv = ["git", *identity, *arguments]
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
