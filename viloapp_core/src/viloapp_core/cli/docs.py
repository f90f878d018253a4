"""`viloapp docs`: a plugin's documentation, from its manifest and its source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line


@click.command("docs", cls=options.ViloCommand)
@click.argument("path", metavar="[PATH]", default=".")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write index.md and index.html there.  [default: print Markdown]",
)
@click.option("--check", is_flag=True, help="Write nothing; fail when what is in DIR is not that.")
@click.option(
    "--breaking-since",
    "before",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead: list what breaks users of the release whose source lies there; fail if anything does.",
)
@pass_invocation
def docs_command(
    invocation: Invocation, path: str, output: Path | None, check: bool, before: Path | None
) -> None:
    """Write the documentation of the plugin in PATH: commands, widgets, settings, permissions, API.

    The source is read and not run. The same source gives the same bytes.
    """
    project = Path(path)
    if not project.is_dir():
        raise CliError("no_project", f"there is no folder {path}", "name the folder of a plugin's source")
    if check and output is None:
        raise click.UsageError("--check compares with what is in --output DIR")
    if before is not None:
        _compare(invocation, before.resolve(), project.resolve())
        return
    made = _made(project.resolve())
    if output is None:
        invocation.output.raw(made["index.md"].rstrip("\n"))
        return
    files = {output / name: text for name, text in made.items()}
    if check:
        stale = [str(file) for file, text in files.items() if _content(file) != text]
        if stale:
            raise CliError(
                "stale_docs",
                f"{', '.join(stale)}: not what the source says",
                f"viloapp docs {path} -o {output}",
            )
        invocation.output.note("the documentation is what the source says")
        return
    _write(files)
    for file in files:
        invocation.output.line(str(file))


def _compare(invocation: Invocation, old: Path, new: Path) -> None:
    """Print what breaks, and end with 1 when anything does."""
    with _griffe():
        from viloapp_core.devtools.breakage import breaking_changes

        found = breaking_changes(old, new)
    for line in found:
        invocation.output.line(one_line(line))
    if found:
        click.get_current_context().exit(1)
    invocation.output.note("nothing that people or other plugins use was taken away")


def _made(project: Path) -> dict[str, str]:
    with _griffe():
        from viloapp_core.devtools.documents import documents

        return documents(project)


@contextmanager
def _griffe() -> Iterator[None]:
    """Say how to get griffe where it is missing.

    Raises:
        CliError: it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "griffe":
            raise
        why = "the documentation needs griffe, which is not installed"
        raise CliError("no_griffe", why, "pip install 'viloapp-core[author]'") from error


def _content(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None


def _write(files: dict[Path, str]) -> None:
    """Raises: CliError: the folder cannot be written."""
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise CliError("not_written", f"{error.filename} cannot be written: {error.strerror}") from error
