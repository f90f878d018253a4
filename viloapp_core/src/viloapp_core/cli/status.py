"""`viloapp status`: what runs, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options, resources
from viloapp_core.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from viloapp_core.store import Store


@click.command("status", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def status_command(invocation: Invocation) -> None:
    """Show whether ViloApp runs on this store, and the state of each plugin."""
    store = invocation.store()
    client = invocation.running_host(store)
    if client is None:
        found: dict[str, Any] = {"running": False, "pid": None, "address": None, "plugins": _stopped(store)}
    else:
        with client:
            found = {"running": True, **client.request("status", {})}
        # The token opens the workspace, and a status is what people paste into a report; `run` prints it.
        found["address"] = (found["address"] or "").partition("#")[0] or None
    if invocation.output.as_json:
        invocation.output.json(found)
        return
    invocation.output.line(_host(found, str(store.root)))
    header = (
        "plugin",
        "version",
        "state",
        "pid",
        "signature",
        "sandbox",
        "memory",
        "limits reached",
        "detail",
    )
    invocation.output.table(header, [_row(plugin) for plugin in found["plugins"]])


def _stopped(store: Store) -> list[dict[str, Any]]:
    """Return the rows that a host gives, of plugins that no host runs."""
    from viloapp_core.operations import listing

    idle = {"state": "stopped", "pid": None, "sandbox": confinement.backend(), "detail": ""}
    return [
        {**plugin, **idle, **resources.idle(store, plugin["id"])}
        for plugin in listing(store)
        if plugin["managed"]
    ]


def _host(found: Mapping[str, Any], root: str) -> str:
    if not found["running"]:
        return f"ViloApp does not run on {root}"
    address = found.get("address")
    return f"ViloApp runs (process {found.get('pid')}) on {root}" + (f", at {address}" if address else "")


def _row(plugin: Mapping[str, Any]) -> list[str]:
    state = plugin["state"] if plugin["enabled"] else "held back" if plugin.get("held") else "disabled"
    detail = plugin["detail"] or plugin["reason"]
    memory, reached = resources.summary(plugin)
    cells = (
        plugin["id"],
        plugin["version"],
        state,
        plugin["pid"],
        plugin["signature"],
        plugin["sandbox"],
        memory,
        reached,
        detail,
    )
    return ["" if cell is None else str(cell) for cell in cells]
