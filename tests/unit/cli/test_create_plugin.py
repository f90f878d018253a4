"""`viloapp create-plugin` as a person and a script use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import OnTerminal, Ran


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_questions(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """A name is enough; the next steps are told."""
    ran = viloapp("create-plugin", "hello")
    assert (ran.code, ran.out) == (0, "hello\n")
    assert "  cd hello\n  viloapp dev --plugin . " in ran.err
    assert (tmp_path / "hello" / "pyproject.toml").is_file()


def test_json(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """For tools: where it is."""
    ran = viloapp("create-plugin", "Hello_2", "--template", "command", "--author", "A <a@b.org>", "--json")
    assert ran.json == {
        "schema": 1,
        "plugin": "hello-2",
        "template": "command",
        "path": str(tmp_path / "hello-2"),
    }


def test_what_is_refused(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """An existing target and a bad name are one line and exit 1; an unknown template is wrong usage."""
    (tmp_path / "hello").mkdir()
    ran = viloapp("create-plugin", "hello")
    assert (ran.code, ran.err.count("error:")) == (1, 1)
    assert "hello exists already" in ran.err
    assert viloapp("create-plugin", "../hello").code == 1
    assert viloapp("create-plugin", "class").code == 1
    assert viloapp("create-plugin", "other", "--template", "nothing").code == 2
    assert viloapp("create-plugin").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["hello"]


def test_the_folder_of_projects_is_made(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """As that of `package -o` is, with those above it; not where nothing comes into it."""
    ran = viloapp("create-plugin", "hello", "-o", "new/plugins", "--author", "\x07")
    assert (ran.code, ran.err.count("error:")) == (1, 1)
    assert list(tmp_path.iterdir()) == []
    ran = viloapp("create-plugin", "hello", "-o", "new/plugins")
    assert (ran.code, ran.out) == (0, "new/plugins/hello\n")
    assert (tmp_path / "new/plugins/hello/pyproject.toml").is_file()
    assert [path.name for path in (tmp_path / "new/plugins").iterdir()] == ["hello"]


def test_a_folder_of_projects_that_cannot_be_made(
    viloapp: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line with the next step, and nothing is left of it; a project that fails takes it along."""
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        ran = viloapp("create-plugin", "hello", "-o", folder)
        assert (ran.code, ran.err.count("error:"), ran.err.count("hint: name another")) == (1, 1, 1)
    monkeypatch.setattr("viloapp_core.devtools.scaffold._render", _full_disk)
    assert viloapp("create-plugin", "hello", "-o", "new/plugins").code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_on_a_terminal_it_asks(on_terminal: Callable[..., OnTerminal], tmp_path: Path) -> None:
    """For name, author and description, each with what is taken when nothing is typed."""
    command = on_terminal("create-plugin")
    command.until("Name:")
    command.type("hello\n")
    command.until("Author")
    command.type("Somebody\n")
    command.until("[hello, a plugin for ViloApp.]")
    command.type("\n")
    assert command.end() == 0, command.shown
    text = (tmp_path / "hello" / "pyproject.toml").read_text("utf-8")
    assert 'name = "Somebody"' in text
    assert 'description = "hello, a plugin for ViloApp."' in text


def test_ctrl_c_at_a_question_leaves_nothing(on_terminal: Callable[..., OnTerminal], tmp_path: Path) -> None:
    """Nothing is made before the last answer."""
    command = on_terminal("create-plugin", "hello")
    command.until("Author")
    command.type("\x03")
    assert command.end() == 130
    assert list(tmp_path.iterdir()) == []
