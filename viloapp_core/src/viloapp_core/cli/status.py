"""`viloapp status`: what runs, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.invocation import Invocation, pass_invocation


@click.command("status", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def status_command(invocation: Invocation) -> None:
    """Show whether ViloApp runs on this store, and the state of each plugin."""
    store = invocation.store()
    client = invocation.running_host(store)
    if client is None:
        from viloapp_core.operations import listing

        found: dict[str, Any] = {"running": False, "plugins": listing(store)}
    else:
        found = {"running": True, **client.request("status", {})}
    if invocation.output.as_json:
        invocation.output.json(found)
        return
    invocation.output.note(_host(found, str(store.root)))
    header = ("plugin", "version", "state", "pid", "sandbox", "detail")
    invocation.output.table(header, [_row(plugin, found["running"]) for plugin in found["plugins"]])


def _host(found: Mapping[str, Any], root: str) -> str:
    if not found["running"]:
        return f"ViloApp does not run on {root}"
    address = found.get("address")
    return f"ViloApp runs (process {found.get('pid')}) on {root}" + (f", at {address}" if address else "")


def _row(plugin: Mapping[str, Any], running: bool) -> list[str]:
    state = plugin.get("state", "") if running else ("" if plugin.get("enabled", True) else "disabled")
    detail = plugin.get("detail") or plugin.get("reason") or ""
    cells = (plugin.get("id"), plugin.get("version"), state, plugin.get("pid"), plugin.get("sandbox"), detail)
    return ["" if cell is None else str(cell) for cell in cells]
