"""`viloapp package`: a plugin as files, to be given to others."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation


@click.command("package", cls=options.ViloCommand)
@click.argument("what", metavar="[DIR|WHEEL|REQUIREMENT|ID]", default=".", shell_complete=plugin_ids)
@click.option(
    "--bundle", is_flag=True, help="With all that it imports, as a .viloplugin that installs offline."
)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to.  [default: the folder above DIR; of anything else, the current one]",
)
@options.index_url
@options.find_links
@options.offline
@click.option(
    "--python", metavar="PYTHON", help="The interpreter it is for: a path, or a version such as 3.12."
)
@options.json_output
@pass_invocation
def package_command(
    invocation: Invocation,
    /,
    what: str,
    bundle: bool,
    output: Path | None,
    index_url: str | None,
    find_links: tuple[str, ...],
    offline: bool,
    python: str | None,
) -> None:
    """Make the files of a plugin: wheel and source distribution, or with --bundle one with all that it needs.

    DIR is a plugin's folder; the current one by default. A bundle can also be made of a WHEEL, of what a
    REQUIREMENT resolves to, or of an installed plugin by its ID, exactly as it is installed. The same input
    gives the same bytes; times in it are those of SOURCE_DATE_EPOCH. Nothing is made of a folder when secrets
    would be in it, files that have no place in a distribution, or more than an index takes.
    """
    from viloapp_core.cli.progress import view
    from viloapp_core.operations import InstallOptions, package

    chosen = InstallOptions(index_url=index_url, find_links=find_links, offline=offline, python=python)
    store = invocation.store()
    with view(invocation.output) as shown:
        made = package(
            store,
            what,
            output or default_output(what),
            bundle=bundle,
            options=chosen,
            progress=shown,
            environ=invocation.environ,
        )
    if invocation.output.as_json:
        invocation.output.json(asdict(made))
        return
    for path in (made.path, made.sdist) if made.sdist else (made.path,):
        invocation.output.line(str(path))
    invocation.output.note(f"  sha256 {made.sha256}")
    for note in made.notes:
        invocation.output.note(f"  {note}")


def default_output(what: str) -> Path:
    """Return the folder above a plugin's; the current one for what is no folder."""
    folder = Path(what).expanduser()
    return folder.resolve().parent if folder.is_dir() else Path(".")
