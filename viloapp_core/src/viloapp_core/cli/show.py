"""`viloapp list` and `viloapp info`: what is installed, read without running any of it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, listing_memory, options, resources
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.list_table import listing_lines
from viloapp_core.cli.live import held_back
from viloapp_core.cli.shapes import encode

if TYPE_CHECKING:
    from viloapp_core.store import Store

_THOROUGH = 100
"""In a store of so many, each listing sees whether every plugin's interpreter is there."""


@click.command("list", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def list_command(invocation: Invocation) -> None:
    """List the installed plugins.

    Of more than a hundred plugins, a listing of which nothing has changed is not held against their files
    again: `viloapp doctor` and each start do that.
    """
    from viloapp_core.operations import listing

    store = invocation.store()
    then = listing_memory.circumstances(str(store.root))
    plugins = listing(store)
    held = held_back(invocation, store)
    for plugin in plugins:
        plugin["held"] = plugin["id"] in held
        plugin["reason"] = plugin["reason"] or held.get(plugin["id"], "")
    sandbox = confinement.backend() if any(plugin["managed"] for plugin in plugins) else ""
    for plugin in plugins:
        plugin["sandbox"] = sandbox if plugin["managed"] else ""
    table = "\n".join(listing_lines(plugins))
    if sandbox and then is not None and _as_the_index_has_them(plugins, store):
        _remember(store, plugins, listing_memory.Memory(then, sandbox, [], [], f"{table}\n"))
    if invocation.output.as_json:
        invocation.output.json({"plugins": plugins})
    elif plugins:
        invocation.output.raw(table)
    else:
        invocation.output.note("no plugins are installed; viloapp install NAME adds one from the index")


def _as_the_index_has_them(plugins: Sequence[Mapping[str, Any]], store: Store) -> bool:
    """Tell whether none is damaged, blocked or held back."""
    told = {plugin["id"]: plugin["reason"] for plugin in plugins if plugin["managed"]}
    return told == {plugin_id: row["reason"] for plugin_id, row in store.plugins().rows.items()}


def _remember(store: Store, plugins: Sequence[Mapping[str, Any]], memory: listing_memory.Memory) -> None:
    """Write down what the next listing need not find out; where that cannot be written, it finds out."""
    from viloapp_core.foundation.errors import FoundationError
    from viloapp_core.foundation.files import write_atomic

    installed = store.plugins().values()
    thorough = len(installed) <= _THOROUGH
    memory.needed = sorted({str(each.python if thorough else each.base_executable) for each in installed})
    memory.unmanaged = [(plugin["id"], plugin["version"]) for plugin in plugins if not plugin["managed"]]
    kept = listing_memory.recall(str(store.root))
    if kept is not None and kept.encoded() == memory.encoded():
        return
    file = store.root / listing_memory.FILE
    with contextlib.suppress(FoundationError, OSError):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(file, memory.encoded())


@click.command("info", cls=options.ViloCommand)
@click.argument("plugin", metavar="ID_OR_WHEEL", shell_complete=plugin_ids)
@options.json_output
@pass_invocation
def info_command(invocation: Invocation, plugin: str) -> None:
    """Show everything known of an installed plugin, or of a wheel; none of its code is run."""
    from viloapp_core.operations import describe

    store = invocation.store()
    described = describe(store, plugin)
    if described["installed"]:
        described["reason"] = described["reason"] or held_back(invocation, store).get(described["id"], "")
        described |= _resources(invocation, store, described["plugin_id"])
        described["last_crash"] = _last_crash(described["log"])
    if invocation.output.as_json:
        invocation.output.json(described)
        return
    for line in lines(described):
        invocation.output.line(line)


def _resources(invocation: Invocation, store: Store, plugin_id: str) -> dict[str, Any]:
    """Return what a plugin may use, and what it uses and how often it met a limit if a host runs.

    All that the host measured of it is under ``metrics``.
    """
    fields = {**resources.idle(store, plugin_id), "metrics": {}}
    if client := invocation.running_host(store):
        with client:
            rows = client.request("status", {})["plugins"]
        row: dict[str, Any] = next((row for row in rows if row["id"] == plugin_id), {})
        fields |= {name: row[name] for name in fields if name in row}
        fields["metrics"] = {
            name: row[name] for name in resources.unmeasured(plugin_id) if name != "plugin_id" and name in row
        }
    return fields


def _last_crash(log: str) -> dict[str, Any] | None:
    from pathlib import Path

    from viloapp_core.cli.crash_reports import brief
    from viloapp_core.store.crash_reports import CrashReports

    latest = CrashReports(Path(log)).latest()
    return brief(latest) if latest else None


def lines(value: Mapping[str, Any], indent: str = "") -> list[str]:
    """Lay a description out for a person: a line per value, lists and objects below their name."""
    shown = []
    for key, item in value.items():
        if item in (None, "", [], {}, ()):
            continue
        if isinstance(item, Mapping):
            shown += [f"{indent}{key}:", *lines(item, indent + "  ")]
        elif isinstance(item, (list, tuple)):
            shown += [f"{indent}{key}:", *(f"{indent}  - {_brief(each)}" for each in item)]
        else:
            shown.append(f"{indent}{key}: {_brief(item)}")
    return shown


def _brief(item: Any) -> str:
    """Return an item of a list on one line, an object by its id and what a person calls it."""
    if isinstance(item, Mapping) and "id" in item:
        told = item.get("title") or item.get("reason") or ""
        return f"{item['id']}" + (f"  {told}" if told else "")
    return item if isinstance(item, str) else encode(item)
