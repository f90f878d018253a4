"""`viloapp create-plugin`: a complete project to begin with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation

_KINDS = ("basic", "widget", "service", "command", "webview")


@click.command("create-plugin", cls=options.ViloCommand)
@click.argument("name", required=False)
@click.option(
    "--template",
    "kind",
    metavar="KIND",
    type=click.Choice(_KINDS),
    default="basic",
    help=f"What it starts from: {', '.join(_KINDS)}.  [default: basic]",
)
@click.option("--author", metavar="NAME", help="Who writes it; `Name <address>` says both.")
@click.option("--description", metavar="TEXT", help="What it does, in one sentence.")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The folder that gets the project's; made where there is none.  [default: .]",
)
@click.option("--update", is_flag=True, help="Merge this template into the project in NAME, or here.")
@click.option(
    "--from-legacy",
    "legacy",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Wrap the plugin of the old form in this folder, with its plugin.json; NAME is then optional.",
)
@options.json_output
@pass_invocation
def create_plugin_command(
    invocation: Invocation,
    name: str | None,
    kind: str,
    author: str | None,
    description: str | None,
    output: Path,
    update: bool,
    legacy: Path | None,
) -> None:
    """Make the project of a plugin in a new folder NAME: source, tests, checks, release, all that it needs.

    On a terminal it asks for what is missing. The project passes its own checks as it is. With --from-legacy
    it is one of a plugin that was written for the application before this one: the code comes over unchanged,
    with a module that adapts it.
    """
    if legacy is not None:
        if update:
            raise click.UsageError("--update and --from-legacy exclude each other.")
        _wrap(invocation, legacy, output, name or "")
        return
    if update:
        _update(invocation, Path(name or "."))
        return
    from viloapp_core.devtools.project_name import project_name
    from viloapp_core.devtools.scaffold import Project, create_project, split_author

    asking = bool(sys.stdin and sys.stdin.isatty() and invocation.output.on_terminal())
    if name is None and not asking:
        raise click.UsageError("Missing argument 'NAME'.")
    given = project_name(name if name is not None else click.prompt("Name", err=True))
    if os.path.lexists(output / given.name):  # before anything is asked
        raise CliError("exists", f"{output / given.name} exists already", "take another name, or add -o DIR")
    suggested = f"{given.name}, a plugin for ViloApp."
    if author is None:
        user = _user()
        author = str(click.prompt("Author", default=user, err=True)) if asking else user
    if description is None:
        description = str(click.prompt("Description", default=suggested, err=True)) if asking else suggested
    person, address = split_author(author)
    project = Project(given, kind, person, address, description)
    folder = create_project(project, output, invocation.environ)
    if invocation.output.as_json:
        invocation.output.json({"plugin": given.name, "template": kind, "path": str(folder.absolute())})
        return
    invocation.output.line(str(folder))
    for line in ("next:", f"  cd {folder}", *_NEXT):
        invocation.output.note(line)


_NEXT = (
    "  viloapp dev --plugin .          # a workspace with it, reloaded when you save",
    "  viloapp install --dev . --yes   # from this folder, as it is",
    "  viloapp test                    # its tests",
    "  viloapp validate                # manifest, source and metadata agree",
    "  viloapp package                 # wheel and source distribution",
)


def _wrap(invocation: Invocation, legacy: Path, parent: Path, name: str) -> None:
    from viloapp_core.devtools.wrapping import wrap

    made = wrap(legacy, parent, name=name)
    if invocation.output.as_json:
        invocation.output.json(
            {
                "plugin": made.plugin_id,
                "path": str(made.folder.absolute()),
                "old_id": made.old_id,
                "notes": list(made.notes),
            }
        )
        return
    invocation.output.line(str(made.folder))
    for note in made.notes:
        invocation.output.note(note)
    invocation.output.note(f"try it: viloapp install --dev {made.folder}")


def _update(invocation: Invocation, folder: Path) -> None:
    from viloapp_core.devtools.scaffold import update_project

    update_project(folder, invocation.environ)
    if invocation.output.as_json:
        invocation.output.json({"path": str(folder.absolute())})
        return
    invocation.output.note(f"{folder} is updated; `git diff` shows it, conflicts are marked in the files")


def _user() -> str:
    """Return the name of who runs this: Git's, else the login's."""
    import getpass
    import shutil
    import subprocess

    if git := shutil.which("git"):
        argv = [git, "config", "--get", "user.name"]
        asked = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if name := asked.stdout.strip():
            return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "The author"
