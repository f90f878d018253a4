"""`viloapp lock`: write down exactly what is installed, for other machines."""

from __future__ import annotations

from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.invocation import Invocation, pass_invocation

DEFAULT = "viloapp.lock"


@click.command("lock", cls=options.ViloCommand)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=DEFAULT,
    show_default=True,
    help="Where to; - is standard output.",
)
@options.json_output
@pass_invocation
def lock_command(invocation: Invocation, output: str) -> None:
    """Write a lock of all plugins: versions, hashes of every wheel, permissions, what is enabled.

    On another machine `viloapp sync FILE` makes the plugins equal to it.
    """
    from viloapp_core.foundation.files import write_atomic
    from viloapp_core.operations import lock_workspace

    store = invocation.store()
    data = lock_workspace(store)
    count = len(store.plugins())
    if output == "-":
        invocation.output.raw(data.decode().rstrip("\n"))
        return
    path = Path(output).absolute()
    write_atomic(path, data, 0o644)
    if invocation.output.as_json:
        invocation.output.json({"path": str(path), "plugins": sorted(store.plugins())})
        return
    invocation.output.line(f"wrote {output}: {count} {'plugin' if count == 1 else 'plugins'}")
