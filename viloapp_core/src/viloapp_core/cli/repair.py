"""`viloapp repair`: make again what broke."""

from __future__ import annotations

from dataclasses import asdict

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.errors import DONE, FAILED
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing


@click.command("repair", cls=options.ViloCommand)
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=plugin_ids)
@click.option(
    "--check", is_flag=True, help="Say what is broken and change nothing; exit code 1 if anything is."
)
@options.json_output
@pass_invocation
def repair_command(invocation: Invocation, ids: tuple[str, ...], check: bool) -> int:
    """Find plugins that are broken, by a Python upgrade for example, and make their virtualenvs again.

    Every file is compared with what was installed. Nothing is fetched: the store has the wheels.
    """
    from viloapp_core.operations import repair

    store = invocation.store()
    with changing(invocation, store):
        outcomes = repair(store, ids, check_only=check)
    if invocation.output.as_json:
        invocation.output.json({"plugins": [asdict(outcome) for outcome in outcomes]})
    else:
        for outcome in outcomes:
            invocation.output.line(f"{outcome.status} {outcome.plugin_id or 'the store'}")
            for problem in outcome.problems:
                invocation.output.note(f"  {problem}")
        if not outcomes:
            invocation.output.line("nothing is broken")
    return FAILED if check and outcomes else DONE
