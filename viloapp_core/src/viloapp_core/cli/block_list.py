"""`viloapp trust block-list`: lists of what must not be installed or started."""

from __future__ import annotations

from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation


@click.group("block-list", cls=options.ViloGroup)
def block_list_command() -> None:
    """Lists of plugins that must not be installed or started, each signed by a publisher that you name."""


@block_list_command.command("list", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def block_list_list(invocation: Invocation) -> None:
    """List the block lists, and whether they have expired; an expired one still blocks."""
    from viloapp_core.foundation.clock import SystemClock
    from viloapp_core.trust import TrustStore

    keeper = TrustStore(invocation.store().root)
    book, blocks = keeper.read(), keeper.blocks(SystemClock().now())
    rows = [
        {
            "name": listed.name,
            "entries": len(listed.entries),
            "issued": book.block_lists[listed.name].issued,
            "expires": listed.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "publisher": str(book.block_lists[listed.name].publisher),
            "source": book.block_lists[listed.name].source,
        }
        for listed in blocks.lists
    ]
    if invocation.output.as_json:
        invocation.output.json({"block_lists": rows, "warnings": list(blocks.warnings)})
        return
    header = ("name", "entries", "issued", "expires", "publisher", "source")
    invocation.output.table(header, [[str(row[key]) for key in header] for row in rows])
    for warning in blocks.warnings:
        invocation.output.warning(warning)


@block_list_command.command("add", cls=options.ViloCommand)
@click.argument("source", metavar="URL|FILE")
@click.option(
    "--publisher",
    metavar="IDENTITY",
    required=True,
    callback=options.identity,
    help="Who has to have signed it.",
)
@options.trust_config
@pass_invocation
def block_list_add(invocation: Invocation, source: str, publisher: str, trust_config: Path | None) -> None:
    """Take a block list, whose signature is at URL|FILE with .sigstore.json after it."""
    from viloapp_core.foundation.clock import SystemClock
    from viloapp_core.operations.block_listing import add_block_list
    from viloapp_core.trust import TrustStore, parse_publisher

    listed = add_block_list(
        TrustStore(invocation.store().root),
        source,
        parse_publisher(publisher),
        config=trust_config,
        environ=invocation.environ,
        clock=SystemClock(),
    )
    invocation.output.line(f"{listed.name}: {len(listed.entries)} entries, issued {listed.issued:%Y-%m-%d}")


@block_list_command.command("refresh", cls=options.ViloCommand)
@options.trust_config
@pass_invocation
def block_list_refresh(invocation: Invocation, trust_config: Path | None) -> None:
    """Fetch every block list again; one that cannot be had stays in force as it is."""
    from viloapp_core.foundation.clock import SystemClock
    from viloapp_core.operations.block_listing import refresh_block_lists
    from viloapp_core.operations.errors import raise_all
    from viloapp_core.trust import TrustStore

    taken, problems = refresh_block_lists(
        TrustStore(invocation.store().root),
        config=trust_config,
        environ=invocation.environ,
        clock=SystemClock(),
    )
    for listed in taken:
        invocation.output.line(
            f"{listed.name}: {len(listed.entries)} entries, issued {listed.issued:%Y-%m-%d}"
        )
    raise_all(problems)


@block_list_command.command("remove", cls=options.ViloCommand)
@click.argument("name", metavar="NAME")
@pass_invocation
def block_list_remove(invocation: Invocation, name: str) -> None:
    """Let a block list count no more."""
    from viloapp_core.trust import TrustStore, drop_list

    if not drop_list(TrustStore(invocation.store().root), name):
        raise CliError("no_such_list", f"there is no block list {name}", "viloapp trust block-list list")
    invocation.output.line(f"{name} counts no more")
