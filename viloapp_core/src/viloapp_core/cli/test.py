"""`viloapp test`: a project's tests, in an environment of their own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import FAILED, CliError, failure
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.logs import Log
from viloapp_core.cli.text import one_line
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.devtools.bench import Bench
    from viloapp_core.operations import InstallOptions


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
    requires, pytest, and a dependency group. The exit code is pytest's. With several interpreters each is
    tried, a line for each says in the end how it went, and the exit code is the worst.

    Without --sandboxed the tests, the plugin and its libraries run with your own rights. With it, pytest
    itself runs in the plugin's sandbox: the project can be read, and nothing of it written.
    """
    from viloapp_core.operations import InstallOptions

    project, given = _project_of(path, arguments)
    options_of = {
        python: InstallOptions(index_url=index_url, find_links=find_links, offline=offline, python=python)
        for python in dict.fromkeys(pythons or (None,))
    }
    codes: dict[str, int] = {}
    for python, chosen in options_of.items():
        try:
            bench = _bench(invocation, project, chosen, group=group, fresh=fresh)
        except ViloError as error:
            if len(options_of) == 1:
                raise
            told = failure(error)
            invocation.output.failure(replace(told, detail=f"Python {python}: {one_line(told.detail)}"))
            codes[f"Python {python}"] = FAILED
            continue
        where = "in its sandbox" if sandboxed else "with your own rights"
        name = f"Python {bench.plugin.python_version}"
        invocation.output.note(f"{bench.plugin.plugin_id} on {name}, {where}")
        codes[name] = _run(invocation, bench, given, sandboxed=sandboxed)
    if len(options_of) > 1:
        for name, code in codes.items():
            invocation.output.line(f"{name}: {'passed' if code == 0 else f'failed (exit code {code})'}")
    click.get_current_context().exit(max(codes.values()))


def _bench(
    invocation: Invocation, project: Path, chosen: InstallOptions, *, group: str | None, fresh: bool
) -> Bench:
    from viloapp_core.cli.progress import view
    from viloapp_core.devtools.bench import prepare

    with view(invocation.output) as shown:
        return prepare(
            project,
            invocation.store().layout.cache / "tests",
            options=chosen,
            group=group,
            fresh=fresh,
            progress=shown,
            environ=invocation.environ,
        )


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
        code = pytest_runs.in_process(bench, arguments, invocation.environ)
        return code if code >= 0 else 128 - code  # as a shell says that a signal ended it
    with Log(bench.plugin.log_dir / "worker.log") as log:
        log.last(0)  # what earlier runs said
        columns = shutil.get_terminal_size().columns
        # The text is the plugin's: it must not move the cursor.
        return pytest_runs.sandboxed(bench, arguments, log.new, invocation.output.line, columns)
