"""The options that several commands share, each declared once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from viloapp_core.cli.invocation import Invocation

_LONGEST_S = 1_000_000.0
"""Eleven days: more than any of these waits is for, and less than what any timer of the system refuses."""


class Seconds(click.FloatRange):
    """A number of seconds that a timer can be set to.

    What a plain range lets through: NaN, which is in no range and outside of none, and infinity.

    Args:
        least: the shortest.
        above_least: ``least`` itself is too short.
        most: the longest.
    """

    def __init__(self, least: float, *, above_least: bool = False, most: float = _LONGEST_S) -> None:
        super().__init__(min=least, max=most, min_open=above_least)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or say why it is none that can be waited for."""
        found = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return found


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


class ViloGroup(click.Group):
    """A group whose help has a whole sentence for each subcommand."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands; click would cut their sentences short."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit=200)) for name, each in found if each])


json_output = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_as_json,
    help="Print JSON, with a field `schema`.",
)
sarif_file = click.option(
    "--sarif",
    "sarif_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the findings as SARIF 2.1.0 too, for code scanning.",
)
project = click.argument(
    "path", metavar="[PATH]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
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


def _ids(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return plugin ids as the store has them, however they were written."""
    if not values:
        return ()
    from packaging.utils import canonicalize_name

    return tuple(canonicalize_name(value) for value in values)


def identity(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Return what names one publisher or several; what names none is a mistake in the command line."""
    if value:
        from viloapp_core.trust import PublisherTextError, parse_publisher

        problems = []
        for text in (value,) if isinstance(value, str) else value:
            try:
                parse_publisher(text)
            except PublisherTextError as error:
                problems.append(error)
        if problems:
            raise click.BadParameter("; ".join([*(each.detail for each in problems), problems[0].hint]))
    return value


trust_publisher = click.option(
    "--trust-publisher",
    "trust_publishers",
    multiple=True,
    callback=identity,
    metavar="IDENTITY",
    help="The right publisher of what is used for the first time; repeatable.",
)
trust_lock = click.option(
    "--trust-lock",
    is_flag=True,
    help="FILE names the right publishers of what is used for the first time.",
)
allow_unsigned = click.option(
    "--allow-unsigned",
    multiple=True,
    metavar="ID",
    callback=_ids,
    help="This plugin may be unsigned; every listing will say so; repeatable.",
)
allow_downgrade = click.option(
    "--allow-downgrade",
    multiple=True,
    metavar="ID",
    callback=_ids,
    help="This plugin may become older than it was; repeatable.",
)
trust_config = click.option(
    "--trust-config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An organisation's own Sigstore, for this command.",
)
