"""`viloapp uninstall`: take plugins out of the store."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("uninstall", cls=options.ViloCommand)
@click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=plugin_ids)
@click.option(
    "--purge", is_flag=True, help="Delete what the plugins stored, and their settings, too; asks first."
)
@options.yes
@options.dry_run
@options.json_output
@pass_invocation
def uninstall_command(
    invocation: Invocation, ids: tuple[str, ...], purge: bool, yes: bool, dry_run: bool
) -> None:
    """Remove plugins. What they stored and how they are set stays, for when they come back.

    With --purge that goes too. Wheels that no other plugin has stay until `viloapp gc`.
    """
    from viloapp_core.operations import uninstall

    store = invocation.store()
    if purge and not (yes or dry_run):
        uninstall(store, ids, purge=purge, dry_run=True)  # refuses what is not installed before it asks
        _confirm_purge(invocation, ids)
    with changing(invocation, store):
        removed = uninstall(store, ids, purge=purge, dry_run=dry_run)
    if invocation.output.as_json:
        invocation.output.json({"plugins": [asdict(outcome) for outcome in removed]})
        return
    for outcome in removed:
        invocation.output.line(f"{outcome.status} {outcome.plugin_id} {outcome.version}".rstrip())
        invocation.output.note(f"  goes: {', '.join(outcome.goes)}")
        if outcome.data_kept:
            invocation.output.note(f"  what it stored stays in {outcome.data_kept}; --purge deletes it")
        for note in outcome.notes:
            invocation.output.note(f"  {note}")


def _confirm_purge(invocation: Invocation, ids: Sequence[str]) -> None:
    """Ask before anything is deleted that nothing brings back.

    Raises:
        CliError: nobody is there to answer, or the answer is no.
    """
    if not (sys.stdin and sys.stdin.isatty() and invocation.output.on_terminal()):
        raise CliError(
            "needs_consent",
            "--purge deletes what the plugins stored, and their settings",
            "add --yes when that is what you want",
        )
    if not click.confirm(
        f"Delete the settings and everything that {', '.join(ids)} stored?", default=False, err=True
    ):
        raise CliError("refused", "nothing was changed")
