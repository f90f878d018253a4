"""What the specification says of the author's commands when nothing is said: names, defaults, exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from viloapp_core.cli.dev import dev_command
from viloapp_core.cli.package import default_output
from viloapp_core.devtools.scaffold import KINDS
from viloapp_core.devtools.watching import QUIET_S, matters

from .conftest import Ran


def _default(command: click.Command, name: str) -> object:
    return next(each for each in command.params if each.name == name).default


def test_dev_listens_where_the_specification_says() -> None:
    """This machine alone, port 5000, the plugin in the current folder."""
    assert _default(dev_command, "bind") == "localhost"
    assert _default(dev_command, "port") == 5000
    assert _default(dev_command, "path") == "."


def test_dev_reacts_to_code_and_data_after_half_a_second() -> None:
    """``.py`` and ``.json``, anywhere in the project."""
    assert QUIET_S == 0.5
    names = {"a.py", "a.json", "a.txt", "a.html"}
    assert {name for name in names if matters(Path("/p"), Path("/p/src", name))} == {"a.py", "a.json"}


def test_the_basic_template_is_the_default(
    viloapp: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has resources and tests, and what to do next is told."""
    monkeypatch.chdir(tmp_path)
    assert KINDS[0] == "basic"
    ran = viloapp("create-plugin", "hello")
    assert "viloapp dev --plugin ." in ran.err
    assert (tmp_path / "hello/src/hello/resources").is_dir()
    assert "\ntemplate: basic\n" in (tmp_path / "hello/.copier-answers.yml").read_text("utf-8")


def test_packages_lie_above_the_project(tmp_path: Path) -> None:
    """In the plugin's parent folder, unless another is named."""
    assert default_output(str(tmp_path)) == tmp_path.parent


@pytest.mark.parametrize(
    "words", [["dev", "--plugin", "nowhere"], ["test", "nowhere"], ["package", "./nowhere"]]
)
def test_a_missing_folder(viloapp: Callable[..., Ran], words: list[str]) -> None:
    """One line that names it, and exit code 1."""
    ran = viloapp(*words)
    assert ran.code == 1
    errors = [line for line in ran.err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "nowhere" in errors[0]
