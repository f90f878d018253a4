"""`viloapp gc`: give back the disk that nobody needs."""

from __future__ import annotations

from dataclasses import asdict

import click

from viloapp_core.cli import options
from viloapp_core.cli.invocation import Invocation, pass_invocation


@click.command("gc", cls=options.ViloCommand)
@options.dry_run
@options.json_output
@pass_invocation
def gc_command(invocation: Invocation, dry_run: bool) -> None:
    """Remove old generations of plugins, and wheels that are in none.

    The generation in use, the one to roll back to, and what a running plugin uses stay.
    """
    from viloapp_core.store.garbage import collect

    collected = collect(invocation.store(), dry_run=dry_run)
    if invocation.output.as_json:
        invocation.output.json(asdict(collected))
        return
    would = "would remove" if dry_run else "removed"
    count, wheels, archives = len(collected.generations), collected.wheels, collected.archives
    invocation.output.line(
        f"{would} {count} generations, {wheels} wheels and {archives} archives: {collected.freed_bytes} bytes"
    )
    for name in collected.generations:
        invocation.output.note(f"  {name}")
    for name in collected.held:
        invocation.output.note(f"  {name} stays: it is running")
    if collected.busy:
        invocation.output.note("  wheels and archives stay: another change is under way; run it again")
