"""`viloapp audit`: what was granted, denied, asked, and done on behalf of plugins."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.output import Output
from viloapp_core.cli.shapes import encode
from viloapp_core.cli.text import one_line
from viloapp_core.foundation.names import normalized

_POLL_S = 0.3
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS = ("time", "event", "plugin", "permission", "call", "outcome", "detail")


def _point_in_time(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Return the time that an option names: how long ago, a date, or RFC 3339."""
    if value is None:
        return None
    if match := re.fullmatch(r"(\d{1,6})([smhd])", value):
        return datetime.now(UTC) - timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time: write 10m, 2h, 3d, or 2026-01-31T12:00:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.command("audit", cls=options.ViloCommand)
@click.argument("plugin", metavar="[ID]", required=False, shell_complete=plugin_ids)
@click.option("-f", "--follow", is_flag=True, help="Go on printing what happens, until Ctrl-C.")
@click.option(
    "--since", callback=_point_in_time, metavar="TIME", help="From then on: 10m, 2h, 3d ago, or a date."
)
@options.json_output
@pass_invocation
def audit_command(invocation: Invocation, plugin: str | None, follow: bool, since: datetime | None) -> None:
    """Print the audit log: grants, denials, questions, and what the host did for plugins.

    Times are UTC. Equal lines within a moment are one, with how many they were. With --json one object with
    all entries; with --follow too, one line for each.
    """
    from viloapp_core.ledger import read_audit

    store, output = invocation.store(), invocation.output
    plugin_id = normalized(plugin) if plugin else None
    start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else ""

    def wanted(entry: dict[str, Any]) -> bool:
        return plugin_id in (None, entry.get("plugin")) and str(entry.get("time", "")) >= start

    entries = [entry for entry in read_audit(store.root) if wanted(entry)]
    if output.as_json and not follow:
        output.json({"entries": entries})
        return
    if entries and not output.as_json:
        output.table(("time", "event", "plugin", "permission", "call", "outcome", "detail"), _cells(entries))
    elif not entries and not follow:
        output.note("nothing was written to the audit log" + (f" about {plugin_id}" if plugin_id else ""))
    if output.as_json:
        _print(output, entries)
    seen = sum(1 for _ in read_audit(store.root))
    while follow:
        time.sleep(_POLL_S)
        everything = list(read_audit(store.root))
        new = everything[seen if seen <= len(everything) else 0 :]
        seen = len(everything)
        _print(output, [entry for entry in new if wanted(entry)])


def _print(output: Output, entries: list[dict[str, Any]]) -> None:
    for entry, cells in zip(entries, _cells(entries), strict=True):
        output.line(encode(entry) if output.as_json else "  ".join(cell for cell in cells if cell))


def _cells(entries: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for entry in entries:
        row = [one_line(str(entry.get(key, ""))) for key in _KEYS]
        if (count := entry.get("count", 1)) != 1:
            row[-1] = f"{row[-1]} (x{count})".strip()
        rows.append(row)
    return rows
