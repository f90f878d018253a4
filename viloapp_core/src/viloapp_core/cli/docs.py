"""`viloapp docs`: a plugin's documentation, from its manifest and its source."""

from __future__ import annotations

from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation


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
@pass_invocation
def docs_command(invocation: Invocation, path: str, output: Path | None, check: bool) -> None:
    """Write the documentation of the plugin in PATH: commands, widgets, settings, permissions, API.

    The source is read and not run. The same source gives the same bytes.
    """
    project = Path(path)
    if not project.is_dir():
        raise CliError("no_project", f"there is no folder {path}", "name the folder of a plugin's source")
    if check and output is None:
        raise click.UsageError("--check compares with what is in --output DIR")
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


def _made(project: Path) -> dict[str, str]:
    try:
        from viloapp_core.devtools.documents import documents

        return documents(project)
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
