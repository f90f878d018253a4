"""`viloapp test`: a project's tests, in an environment of their own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.logs import Log

if TYPE_CHECKING:
    from viloapp_core.devtools.bench import Bench


@click.command("test", cls=options.ViloCommand)
@click.argument("path", metavar="[PATH]", default=".")
@click.argument("arguments", metavar="[-- PYTEST_ARGUMENTS]", nargs=-1)
@click.option("--sandboxed", is_flag=True, help="Run them in the plugin's sandbox, with what it declares.")
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="PYTHON",
    help="An interpreter to test with: a path, or a version such as 3.12; repeatable.",
)
@click.option(
    "--group",
    metavar="NAME",
    help="The dependency group to install.  [default: the first there is of test, tests, dev]",
)
@click.option("--fresh", is_flag=True, help="Make the environment anew.")
@options.index_url
@options.find_links
@options.offline
@pass_invocation
def test_command(
    invocation: Invocation,
    path: str,
    arguments: tuple[str, ...],
    sandboxed: bool,
    pythons: tuple[str, ...],
    group: str | None,
    fresh: bool,
    index_url: str | None,
    find_links: tuple[str, ...],
    offline: bool,
) -> None:
    """Run the tests of the project in PATH with pytest, in the plugin's own environment.

    The environment is kept, and made anew when pyproject.toml changes: the plugin from its source, what it
    requires, pytest, and a dependency group. The exit code is pytest's; with several interpreters the first
    that is not 0.

    Without --sandboxed the tests, the plugin and its libraries run with your own rights. With it, pytest
    itself runs in the plugin's sandbox: the project can be read, and nothing of it written.
    """
    from viloapp_core.cli.progress import view
    from viloapp_core.devtools.bench import prepare
    from viloapp_core.operations import InstallOptions

    project, given = _project_of(path, arguments)
    codes = []
    for python in pythons or (None,):
        chosen = InstallOptions(index_url=index_url, find_links=find_links, offline=offline, python=python)
        with view(invocation.output) as shown:
            bench = prepare(
                project,
                invocation.store().layout.cache / "tests",
                options=chosen,
                group=group,
                fresh=fresh,
                progress=shown,
                environ=invocation.environ,
            )
        where = "in its sandbox" if sandboxed else "with your own rights"
        invocation.output.note(f"{bench.plugin.plugin_id} on Python {bench.plugin.python_version}, {where}")
        codes.append(_run(invocation, bench, given, sandboxed=sandboxed))
    click.get_current_context().exit(next(filter(None, codes), 0))


def _project_of(path: str, arguments: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """Return the project's folder and pytest's arguments; `viloapp test -- -k x` names no folder.

    Raises:
        CliError: there is no such folder.
    """
    if path.startswith("-"):
        path, arguments = ".", (path, *arguments)
    folder = Path(path)
    if not folder.is_dir():
        raise CliError("no_project", f"there is no folder {path}", "name the folder of a plugin's source")
    return folder.resolve(), arguments


def _run(invocation: Invocation, bench: Bench, arguments: tuple[str, ...], *, sandboxed: bool) -> int:
    from viloapp_core.devtools import pytest_runs

    if not sandboxed:
        return pytest_runs.in_process(bench, arguments, invocation.environ)
    with Log(bench.plugin.log_dir / "worker.log") as log:
        log.last(0)  # what earlier runs said
        columns = shutil.get_terminal_size().columns
        # The text is the plugin's: it must not move the cursor.
        return pytest_runs.sandboxed(bench, arguments, log.new, invocation.output.line, columns)
