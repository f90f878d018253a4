"""`viloapp enable` and `viloapp disable`."""

from __future__ import annotations

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing

_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=plugin_ids)


@click.command("enable", cls=options.ViloCommand)
@_ids
@options.json_output
@pass_invocation
def enable_command(invocation: Invocation, ids: tuple[str, ...]) -> None:
    """Let plugins run again; a running workspace offers them at once, in safe mode too."""
    from viloapp_core.cli.live import release
    from viloapp_core.operations import enable

    store = invocation.store()
    with changing(invocation, store):
        done = [plugin.plugin_id for plugin in enable(store, ids)]
    release(invocation, store, done)
    _tell(invocation, done, enabled=True)


@click.command("disable", cls=options.ViloCommand)
@_ids
@click.option("--reason", default="disabled by the user", show_default=True, help="Shown in listings.")
@options.json_output
@pass_invocation
def disable_command(invocation: Invocation, ids: tuple[str, ...], reason: str) -> None:
    """Keep plugins from running; a running workspace stops them at once."""
    from viloapp_core.operations import disable

    store = invocation.store()
    with changing(invocation, store):
        done = disable(store, ids, reason)
    _tell(invocation, [plugin.plugin_id for plugin in done], enabled=False)


def _tell(invocation: Invocation, ids: list[str], *, enabled: bool) -> None:
    if invocation.output.as_json:
        invocation.output.json({"plugins": ids, "enabled": enabled})
        return
    for plugin_id in ids:
        invocation.output.line(f"{'enabled' if enabled else 'disabled'} {plugin_id}")
