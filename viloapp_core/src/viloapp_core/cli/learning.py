"""`viloapp permissions learn`: run a plugin and write down the least that it needs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.call import parse_arguments
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host import Host
    from viloapp_core.host.learning import Learned
    from viloapp_core.permissions import Permission
    from viloapp_core.store import InstalledPlugin

_ROUNDS = 8
"""How often a command is run again with what it was just denied."""


@click.command("learn", cls=options.ViloCommand, context_settings={"ignore_unknown_options": True})
@click.argument("plugin", metavar="ID", shell_complete=plugin_ids)
@click.argument("command", metavar="[COMMAND]", required=False)
@click.argument("arguments", metavar="[JSON]", default="{}")
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Instead of one COMMAND: serve `viloapp call` from elsewhere for this long.",
)
@click.option(
    "--allow", is_flag=True, help="Allow what it asks for while learning, and run the COMMAND again with it."
)
@options.json_output
@pass_invocation
def learn_command(
    invocation: Invocation,
    plugin: str,
    command: str | None,
    arguments: str,
    seconds: float | None,
    allow: bool,
) -> None:
    """Run a COMMAND of a plugin and print the least permissions block that it needs.

    It collects what the host was asked for and what the plugin's Python code reached for, denied or not.
    Nothing is granted for good. With --allow what is missing is allowed while this runs: only for plugins
    that you trust. `viloapp permissions learn hello -- hello.greet '{"name": "Ann"}'`
    """
    if (command is None) == (seconds is None):
        raise click.UsageError("name a COMMAND, or --for SECONDS", click.get_current_context())
    store = invocation.store()
    from viloapp_core.cli.permissions import installed

    chosen = installed(store, plugin)
    given = parse_arguments(arguments)
    learned = asyncio.run(_learn(invocation, chosen, store.root, command, given, seconds, allow))
    _tell(invocation, chosen, learned)


async def _learn(
    invocation: Invocation,
    plugin: InstalledPlugin,
    root: Path,
    command: str | None,
    arguments: dict[str, Any],
    seconds: float | None,
    allow: bool,
) -> Learned:
    from viloapp_core.host import Host
    from viloapp_core.host.learning import Learned

    learned, id = Learned(), plugin.plugin_id

    def note(plugin_id: str, permission: str) -> None:
        if plugin_id == id:
            learned.add(permission)

    async with Host(root, control=seconds is not None, learning=True) as host:
        host.permissions.on_denied(lambda told: note(told["plugin"], told["permission"]))
        host.permissions.on_used(note)
        if command is None:
            assert seconds is not None
            invocation.output.note(f"learning for {seconds:g} s; use the plugin with: viloapp call …")
            await asyncio.sleep(seconds)
            await _observe(host, plugin, learned)
            return learned
        for _ in range(_ROUNDS if allow else 1):
            before = set(learned.used)
            failed = await _run(host, command, arguments)
            await _observe(host, plugin, learned)
            missing = [
                each for each in learned.used - before if not host.permissions.check_permission(id, each)
            ]
            if not missing or not allow:
                break
            for each in missing:
                invocation.output.note(f"allowed for now: {each}")
                host.permissions.grant_permission(id, each, lasting="run")
            await host.permissions_applied(id)
        if failed:
            invocation.output.warning(f"{command} failed: {one_line(failed)}")
    return learned


async def _run(host: Host, command: str, arguments: dict[str, Any]) -> str:
    """Run the command; return why it failed, empty when it did not."""
    try:
        await host.call(command, arguments)
    except ViloError as error:
        return error.detail
    return ""


async def _observe(host: Host, plugin: InstalledPlugin, learned: Learned) -> None:
    try:
        seen = await host.learned(plugin.plugin_id)
    except ViloError:
        return  # its process was lost with what it had seen; what the host was asked for is known
    held = host.permissions.granted(plugin.plugin_id)
    learned.observe(seen, held, host.permissions.places(plugin))


def _tell(invocation: Invocation, plugin: InstalledPlugin, learned: Learned) -> None:
    from viloapp_core.host.learning import BLIND, least
    from viloapp_core.permissions import Permission, allows

    output = invocation.output
    needed = least(learned.used)
    declared = [Permission.parse(id) for id in plugin.permissions]
    missing = [each for each in needed if not allows(declared, each)]
    unused = [each for each in declared if not any(each.covers(one) for one in learned.used)]
    if output.as_json:
        output.json(
            {
                "plugin": plugin.plugin_id,
                "permissions": [str(each) for each in needed],
                "missing": [str(each) for each in missing],
                "unused": [str(each) for each in unused],
                "cannot_see": list(BLIND),
            }
        )
        return
    for line in block(needed):
        output.line(line)
    for each in missing:
        output.note(f"not declared: {each}")
    for each in unused:
        output.note(f"declared and not seen to be used: {each}")
    for text in BLIND:
        output.note(f"cannot see: {text}")


def block(permissions: list[Permission]) -> list[str]:
    """Return what goes into ``pyproject.toml``; the reasons are for the author to write."""
    from viloapp_core.permissions import in_words

    if not permissions:
        return ["[tool.viloapp]", "permissions = []"]
    rows = [
        f"    {{ id = {json.dumps(str(each), ensure_ascii=False)}, reason = "
        f"{json.dumps('why? it is to ' + in_words(each), ensure_ascii=False)} }},"
        for each in permissions
    ]
    return ["[tool.viloapp]", "permissions = [", *rows, "]"]
