"""`viloapp update`: newer versions of what is installed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing
from viloapp_core.cli.steps import Runner

if TYPE_CHECKING:
    from viloapp_core.operations import UpdateOutcome


@click.command("update", cls=options.ViloCommand)
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=plugin_ids)
@click.option("--check", is_flag=True, help="Say what would change; change nothing.")
@options.dry_run
@options.index_url
@options.find_links
@options.offline
@options.trust_publisher
@options.allow_unsigned
@options.trust_config
@options.allow_unsandboxed
@options.yes
@options.json_output
@pass_invocation
def update_command(
    invocation: Invocation,
    /,
    ids: tuple[str, ...],
    check: bool,
    allow_unsandboxed: bool,
    **flags: Any,
) -> None:
    """Update plugins, all of them when none is named, and their libraries.

    Each is looked for at the index and in the folders that it came from, and nowhere else unless --index-url
    or --find-links names that; what is new to it, such as a plugin that it requires, comes from there too.
    They stay within what was asked for when they were installed, and within what other plugins accept. What
    is replaced stays for `viloapp rollback`. A plugin that wants more than it was allowed asks. What somebody
    else signed than the pinned publisher is refused.

    Steps that make settings and data of an older version those of the new one run on a copy, in the plugin's
    sandbox (with your rights where there is none and you say --allow-unsandboxed). When one fails, the
    plugin stays as it was.
    """
    from viloapp_core.cli.consent import prompt
    from viloapp_core.cli.progress import view
    from viloapp_core.operations import InstallOptions, update

    store = invocation.store()
    chosen = InstallOptions(**flags)
    if allow_unsandboxed:  # before a step runs
        confinement.warn_without(invocation.output, allowed=True)
    with changing(invocation, store), view(invocation.output) as shown:
        consent = prompt(invocation.output, shown, store, accept=chosen.yes)
        outcomes = update(
            store,
            ids,
            check=check or chosen.dry_run,
            options=chosen,
            progress=shown,
            consent=consent,
            steps=Runner(store, allow_unsandboxed=allow_unsandboxed),
        )
    if invocation.output.as_json:
        invocation.output.json({"plugins": [asdict(outcome) for outcome in outcomes]})
        return
    for outcome in outcomes:
        tell(invocation, outcome)


def tell(invocation: Invocation, outcome: UpdateOutcome) -> None:
    """Tell what became of one plugin."""
    before = outcome.previous_version
    was = f", was {before}" if before and before != outcome.version else ""
    invocation.output.line(f"{outcome.status} {outcome.plugin_id} {outcome.version}{was}")
    probation = "on probation: it is rolled back by itself if it does not run well at first"
    notes = [*outcome.notes, *([probation] if outcome.status == "updated" and before else [])]
    for line in (*outcome.changes, *notes):
        invocation.output.note(f"  {line}")
