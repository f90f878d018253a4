"""The options that several commands share, each declared once."""

from __future__ import annotations

from typing import Any

import click

from viloapp_core.cli.invocation import Invocation


def _louder(ctx: click.Context, _parameter: click.Parameter, count: int) -> None:
    if count and (invocation := ctx.find_object(Invocation)):
        invocation.output.verbosity = max(invocation.output.verbosity, 0) + count


def _quieter(ctx: click.Context, _parameter: click.Parameter, quiet: bool) -> None:
    if quiet and (invocation := ctx.find_object(Invocation)):
        invocation.output.verbosity = -1


def _as_json(ctx: click.Context, _parameter: click.Parameter, as_json: bool) -> None:
    if as_json and (invocation := ctx.find_object(Invocation)):
        invocation.output.as_json = True


def verbosity() -> list[click.Parameter]:
    """Return ``-q`` and ``-v``, which every command takes, before its name or after."""
    return [
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_quieter,
            help="Print no progress and no notes.",
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            callback=_louder,
            help="Say more; twice: everything, tracebacks too.",
        ),
    ]


class ViloCommand(click.Command):
    """A command that also takes ``-q`` and ``-v``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(verbosity())


json_output = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_as_json,
    help="Print JSON, with a field `schema`.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
yes = click.option("-y", "--yes", is_flag=True, help="Answer yes to every question.")
allow_unsandboxed = click.option(
    "--allow-unsandboxed",
    is_flag=True,
    help="Run plugins even where this machine offers no sandbox.",
)
index_url = click.option(
    "-i", "--index-url", metavar="URL", help="The one index to resolve from.  [default: PyPI]"
)
find_links = click.option(
    "-f",
    "--find-links",
    multiple=True,
    metavar="FOLDER_OR_URL",
    help="Also take wheels from here; repeatable.",
)
offline = click.option(
    "--offline",
    "--no-index",
    "offline",
    is_flag=True,
    help="Ask no index: take wheels fetched before, and those of --find-links.",
)
