"""`viloapp rollback`: back to a generation that is still in the store."""

from __future__ import annotations

from dataclasses import asdict

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing
from viloapp_core.cli.steps import Runner
from viloapp_core.cli.update import tell


@click.command("rollback", cls=options.ViloCommand)
@click.argument("plugin", metavar="ID", shell_complete=plugin_ids)
@click.option("--to", metavar="VERSION", help="The version to go to.  [default: the one that was replaced]")
@options.json_output
@pass_invocation
def rollback_command(invocation: Invocation, plugin: str, to: str | None) -> None:
    """Switch a plugin back to the version before the last change; needs no network.

    Code and libraries go back together; settings and data too, where the version before cannot read today's.
    What is left stays in the store until `viloapp gc`, so that one can go forward again with --to.
    """
    from viloapp_core.operations import rollback

    store = invocation.store()
    with changing(invocation, store):
        outcome = rollback(store, plugin, to=to, steps=Runner(store))
    if invocation.output.as_json:
        invocation.output.json({"plugins": [asdict(outcome)]})
        return
    tell(invocation, outcome)
