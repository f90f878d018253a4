"""`viloapp docs`: a plugin's documentation, from its manifest and its source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line
from viloapp_core.foundation.files import write_atomic

if TYPE_CHECKING:
    from viloapp_core.resolve import Sources


@click.command("docs", cls=options.ViloCommand)
@click.argument("path", metavar="[PATH]", default=".")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write index.md and index.html there, in each language.  [default: print Markdown]",
)
@click.option("--check", is_flag=True, help="Write nothing; fail when what is in DIR is not that.")
@click.option(
    "--breaking-since",
    "before",
    metavar="RELEASE",
    help="Instead: list what breaks users of that release, a folder, .whl, .tar.gz, NAME==VERSION or a "
    "revision of git; fail if anything does.",
)
@options.index_url
@options.find_links
@options.offline
@options.json_output
@pass_invocation
def docs_command(
    invocation: Invocation,
    path: str,
    output: Path | None,
    check: bool,
    before: str | None,
    index_url: str | None,
    find_links: tuple[str, ...],
    offline: bool,
) -> None:
    """Write the documentation of the plugin in PATH: commands, widgets, settings, permissions, API.

    The source is read and not run. The same source gives the same bytes. Beside index.md and index.html there
    is index.LANGUAGE.md and .html for each catalogue that has words of the manifest.
    """
    project = Path(path)
    if not project.is_dir():
        raise CliError("no_project", f"there is no folder {path}", "name the folder of a plugin's source")
    if check and output is None:
        raise click.UsageError("--check compares with what is in --output DIR")
    if before is not None:
        from viloapp_core.resolve import Sources

        links = tuple(link if "://" in link else str(Path(link).absolute()) for link in find_links)
        _compare(invocation, before, project, Sources(index_url, links, offline))
        return
    if invocation.output.as_json or index_url or find_links or offline:
        raise click.UsageError("--json, and where to look for a release, go with --breaking-since")
    made = _made(project.resolve())
    if output is None:
        invocation.output.raw(made["index.md"].rstrip("\n"))
        return
    files = {output / name: text for name, text in made.items()}
    if check:
        stale = [str(file) for file, text in files.items() if _content(file) != text]
        stale += [str(file) for file in _left_over(output, set(made))]
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


def _compare(invocation: Invocation, before: str, project: Path, sources: Sources) -> None:
    """Print what breaks, and end with 1 when anything does."""
    from viloapp_core.devtools.release import release

    environ, cache = invocation.environ, invocation.store().layout.cache
    with (
        _griffe(),
        release(str(project), project, sources, environ, cache) as new,
        release(before, project, sources, environ, cache) as old,
    ):
        from viloapp_core.devtools.breakage import breaking_changes

        found = breaking_changes(old, new)
        sides = {
            name: {"id": one.plugin.plugin_id, "version": str(one.plugin.version)}
            for name, one in (("before", old), ("now", new))
        }
    if invocation.output.as_json:
        invocation.output.json({**sides, "ok": not found, "breaks": [each.to_json() for each in found]})
    for each in () if invocation.output.as_json else found:
        place = f"{each.path}:{each.line}" if each.line else each.path
        when = f" (of {sides['before']['version']})" if each.release == "before" else ""
        invocation.output.line(one_line(f"{place}{when}: {each.kind} {each.name}: {each.message}"))
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


def _left_over(folder: Path, made: set[str]) -> list[Path]:
    """Return documents of languages that the plugin does not have any more."""
    from viloapp_core.devtools.documents import is_document

    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in found if is_document(file.name) and file.name not in made]


def _content(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None


def _write(files: dict[Path, str]) -> None:
    """Replace each file; a link in its place, which a stranger's project may have, is not followed.

    Raises:
        CliError: the folder cannot be made.
        FileError: a file cannot be written.
    """
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, text.encode(), 0o644)
    except OSError as error:
        raise CliError("not_written", f"{error.filename} cannot be written: {error.strerror}") from error
