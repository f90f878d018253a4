"""A project folder to a manifest: what the author wrote and what the source says, joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from viloapp_sdk.manifest import ManifestError, from_project, validate

HEAD = '[project]\nname = "hello"\n[project.entry-points."viloapp.plugins"]\nhello = "hello.plugin:Hello"\n'
TOOL = '[tool.viloapp]\napi_version = "1.0"\n'
SOURCE = "from viloapp_sdk import command\n@command('hello.greet')\ndef f(): ...\n"


def project(folder: Path, pyproject: str, files: dict[str, str]) -> Path:
    """Write a project and return its folder."""
    for name, text in (files | {"pyproject.toml": pyproject}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def issues(folder: Path) -> dict[str, str]:
    """Return what is wrong with a project."""
    with pytest.raises(ManifestError) as caught:
        from_project(folder)
    return {issue.path: issue.message for issue in caught.value.issues}


def test_a_src_layout_is_read(tmp_path: Path) -> None:
    """The manifest is in order, and has no keys that say nothing."""
    found = from_project(
        project(tmp_path, HEAD + TOOL + "permissions = []\n", {"src/hello/plugin.py": SOURCE})
    )
    assert list(found) == ["schema", "api_version", "commands"]
    assert validate(found) == []


def test_of_a_flat_layout_only_the_plugin_is_read(tmp_path: Path) -> None:
    """Tests and tools beside the package declare nothing."""
    files = {
        "hello/plugin.py": SOURCE,
        "tests/test_x.py": SOURCE.replace("greet", "other"),
        "setup.py": SOURCE,
    }
    assert [entry["id"] for entry in from_project(project(tmp_path, HEAD + TOOL, files))["commands"]] == [
        "hello.greet"
    ]


def test_a_single_module_is_read(tmp_path: Path) -> None:
    """A plugin may be one file."""
    head = HEAD.replace("hello.plugin:Hello", "hello:Hello")
    assert from_project(project(tmp_path, head + TOOL, {"hello.py": SOURCE}))["commands"]


def test_where_setuptools_looks_is_where_is_looked(tmp_path: Path) -> None:
    """`packages.find.where` names the folder."""
    find = '[tool.setuptools.packages.find]\nwhere = ["lib"]\n'
    assert from_project(project(tmp_path, HEAD + TOOL + find, {"lib/hello/plugin.py": SOURCE}))["commands"]


def test_commands_and_widgets_are_not_written_by_hand(tmp_path: Path) -> None:
    """Declared once, in the source; a second declaration could only differ."""
    found = issues(project(tmp_path, HEAD + TOOL + "commands = []\nwidgets = 3\n", {}))
    assert set(found) == {"commands", "widgets"}
    assert "read from the source" in found["commands"]


def test_everything_is_reported_at_once(tmp_path: Path) -> None:
    """Entry point, table and source together."""
    text = TOOL.replace("1.0", "one") + "limit = {}\nrelease = 2020-01-01\n"
    found = issues(project(tmp_path, text, {"src/hello/plugin.py": SOURCE.replace("'hello.greet'", "ID")}))
    assert set(found) == {
        'project.entry-points."viloapp.plugins"',
        "api_version",
        "limit",
        "release",
        "src/hello/plugin.py:2",
    }


def test_two_entry_points_are_refused(tmp_path: Path) -> None:
    """One distribution is one plugin."""
    found = issues(project(tmp_path, HEAD + 'other = "hello:Other"\n' + TOOL, {}))
    assert "more than one" in found['project.entry-points."viloapp.plugins"']


def test_entry_points_that_a_build_computes_are_left_to_it(tmp_path: Path) -> None:
    """`dynamic` entry points are checked when the wheel is read."""
    assert from_project(project(tmp_path, '[project]\ndynamic = ["entry-points"]\n' + TOOL, {}))


@pytest.mark.parametrize(
    ("pyproject", "path"),
    [("", "tool.viloapp"), ("[tool]\nviloapp = 3\n", "tool.viloapp"), ("x = [", "pyproject.toml")],
)
def test_what_is_no_plugin_project_is_refused(tmp_path: Path, pyproject: str, path: str) -> None:
    """Each with the path of what is missing or broken."""
    assert path in issues(project(tmp_path, pyproject, {}))


def test_a_missing_project_is_refused(tmp_path: Path) -> None:
    """The file that is not there is named."""
    assert "pyproject.toml" in issues(tmp_path)
