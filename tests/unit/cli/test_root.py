"""Which command is meant, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from viloapp_core.cli.root import COMMANDS, root, with_default_command
from viloapp_core.store import InstalledPlugin

from .conftest import Ran


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["run"]),
        (["-v"], ["-v", "run"]),
        (["-qv", "--quiet", "."], ["-qv", "--quiet", "run", "."]),
        (["--no-browser"], ["run", "--no-browser"]),
        (["--port", "8000"], ["run", "--port", "8000"]),
        (["a/b"], ["run", "a/b"]),
        (["list"], ["list"]),
        (["-v", "list"], ["-v", "list"]),
        (["lst"], ["lst"]),
        (["--help"], ["--help"]),
        (["-v", "--version"], ["-v", "--version"]),
    ],
)
def test_run_is_put_in_where_no_command_is_named(given: list[str], meant: list[str]) -> None:
    """`viloapp`, its options alone and a folder mean `run`; a misspelt command does not."""
    assert with_default_command(given) == meant


def test_a_folder_named_like_a_command_is_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a project with a folder `config`, `viloapp config` are still the settings; any other name is one."""
    monkeypatch.chdir(tmp_path)
    for name in ("config", "notes"):
        (tmp_path / name).mkdir()
    assert with_default_command(["config"]) == ["config"]
    assert with_default_command(["notes"]) == ["run", "notes"]


def test_each_command_is_where_the_table_says() -> None:
    """The lazy table names only what is there, and each has a summary."""
    with click.Context(root) as ctx:
        for name in (name for names in COMMANDS.values() for name in names):
            command = root.get_command(ctx, name)
            assert command is not None
            assert command.name == name
            assert command.get_short_help_str()


def test_a_misspelt_command_is_one_line_with_the_nearest(viloapp: Callable[..., Ran]) -> None:
    """Wrong usage is exit code 2."""
    ran = viloapp("instal", "x")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: no such command 'instal'; did you mean 'install'?\nhint: see `viloapp --help`\n"
    )


def test_help_lists_every_command_under_its_heading(viloapp: Callable[..., Ran]) -> None:
    """`viloapp --help` shows them all and runs nothing."""
    ran = viloapp("--help")
    assert ran.code == 0
    for heading, names in COMMANDS.items():
        assert f"{heading}:\n" in ran.out
        assert all(f"  {name} " in ran.out for name in names)


def test_the_reference_is_what_the_commands_say() -> None:
    """docs/reference/cli.md was written from these commands: python -m viloapp_core.cli.reference."""
    from viloapp_core.cli.reference import render

    committed = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
    assert committed.read_text(encoding="utf-8") == render()


def _loaded_by(*args: str) -> set[str]:
    """Return the modules that are loaded when `viloapp ARGS` ends."""
    code = (
        "import sys\nfrom viloapp_core.cli.main import main\n"
        f"code = main({list(args)!r})\n"
        "print('MODULES', *sorted(sys.modules), file=sys.stderr)\nsys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(ran.stderr.rpartition("MODULES ")[2].split())


def test_list_imports_nothing_that_it_does_not_need(installed: Callable[..., InstalledPlugin]) -> None:
    """A listing reads one file: no web server, no installer, no event loop, no reader of metadata."""
    installed()
    loaded = _loaded_by("list")
    assert "viloapp_core.store" in loaded
    heavy = {
        "starlette",
        "uvicorn",
        "rich",
        "virtualenv",
        "installer",
        "pip",
        "importlib_metadata",
        "packaging",
    }
    heavy |= {"asyncio", "email", "importlib.metadata", "viloapp_core.resolve", "viloapp_core.host"}
    assert not loaded & heavy


def test_no_command_imports_another(installed: Callable[..., InstalledPlugin]) -> None:
    """The modules of the commands are loaded one by one."""
    ours = {name for name in _loaded_by("list") if name.startswith("viloapp_core.cli.")}
    assert not ours & {
        f"viloapp_core.cli.{module}" for module in ("run", "install", "config", "doctor", "call")
    }
