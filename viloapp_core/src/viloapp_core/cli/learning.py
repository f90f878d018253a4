"""`viloapp permissions learn`: run a plugin and write down the least that it needs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options, signals
from viloapp_core.cli.call import parse_arguments
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host import Host
    from viloapp_core.host.learning import Learned
    from viloapp_core.permissions import Permission
    from viloapp_core.sandbox.observing.observation import Observation
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
    type=options.Seconds(0, above_least=True),
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

    It collects what the host was asked for, what the plugin's Python code reached for, and what its native
    code asked the kernel for (seccomp user notification, on Linux), denied or not.
    Nothing is granted for good. With --allow what is missing is allowed while this runs: only for plugins
    that you trust. `viloapp permissions learn hello -- hello.greet '{"name": "Ann"}'`
    """
    if (command is None) == (seconds is None):
        raise click.UsageError("name a COMMAND, or --for SECONDS", click.get_current_context())
    store = invocation.store()
    from viloapp_core.cli.permissions import installed

    chosen = installed(store, plugin)
    given = parse_arguments(arguments)
    learned, seen = signals.run(_learn(invocation, chosen, store.root, command, given, seconds, allow))
    _tell(invocation, chosen, learned, seen, _never(learned, store.root))


async def _learn(
    invocation: Invocation,
    plugin: InstalledPlugin,
    root: Path,
    command: str | None,
    arguments: dict[str, Any],
    seconds: float | None,
    allow: bool,
) -> tuple[Learned, Observation]:
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
            return learned, host.observation(id)
        for _ in range(_ROUNDS if allow else 1):
            before = set(learned.used)
            failed = await _run(host, command, arguments)
            await _observe(host, plugin, learned)
            missing = [
                each
                for each in learned.used.keys() - before - _never(learned, root).keys()
                if not host.permissions.check_permission(id, each)
            ]
            if not missing or not allow:
                break
            for each in missing:
                invocation.output.note(f"allowed for now: {each}")
                host.permissions.grant_permission(id, each, lasting="run")
            await host.permissions_applied(id)
        if failed:
            invocation.output.warning(f"{command} failed: {one_line(failed)}")
        return learned, host.observation(id)


async def _run(host: Host, command: str, arguments: dict[str, Any]) -> str:
    """Run the command; return why it failed, empty when it did not."""
    try:
        await host.call(command, arguments)
    except ViloError as error:
        return error.detail
    return ""


async def _observe(host: Host, plugin: InstalledPlugin, learned: Learned) -> None:
    held, places = host.permissions.granted(plugin.plugin_id), host.permissions.places(plugin)
    with contextlib.suppress(ViloError):  # a process may be lost with what its hook had seen
        learned.observe(await host.learned(plugin.plugin_id), held, places)
    learned.observe(host.observation(plugin.plugin_id).rows(), held, places, source="kernel")


def _never(learned: Learned, root: Path) -> dict[Permission, str]:
    from viloapp_core.host.learning import never

    return never(learned.used, home=Path.home(), store=root)


def _tell(
    invocation: Invocation,
    plugin: InstalledPlugin,
    learned: Learned,
    seen: Observation,
    refused: dict[Permission, str],
) -> None:
    from viloapp_core.host.learning import blind, least
    from viloapp_core.permissions import Permission, allows

    output = invocation.output
    needed = least(each for each in learned.used if each not in refused)
    declared = [Permission.parse(id) for id in plugin.permissions]
    missing = [each for each in needed if not allows(declared, each)]
    unused = [each for each in declared if not any(each.covers(one) for one in learned.used)]
    cannot_see = blind(seen.watched, seen.shortcomings())
    if output.as_json:
        output.json(
            {
                "plugin": plugin.plugin_id,
                "permissions": [str(each) for each in needed],
                "seen_by": {str(each): learned.seen_by(each) for each in needed},
                "missing": [str(each) for each in missing],
                "unused": [str(each) for each in unused],
                "never": {str(each): why for each, why in sorted(refused.items(), key=str)},
                "system_calls": "watched" if seen.watched else "not watched",
                "cannot_see": cannot_see,
            }
        )
        return
    for line in block(needed):
        output.line(line)
    for each in needed:
        output.note(_source(each, learned))
    for each, why in sorted(refused.items(), key=str):
        output.note(f"no plugin may have {each}: {why}")
    for each in missing:
        output.note(f"not declared: {each}")
    for each in unused:
        output.note(f"declared and not seen to be used: {each}")
    for text in cannot_see:
        output.note(f"cannot see: {text}")


def _source(permission: Permission, learned: Learned) -> str:
    """Say who saw that a permission is needed, and where it alone does not help."""
    from viloapp_core.host.learning import SOURCES

    by = learned.seen_by(permission)
    text = f"{permission}: {', '.join(SOURCES[each] for each in by)}"
    if by == ["kernel"] and permission.category in ("network", "process"):
        text += "; native code needs more than the permission for that: "
        text += (
            "services.network.forward, or a proxy that http_proxy names"
            if permission.category == "network"
            else "it has to start programs by Python's subprocess"
        )
    return text


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
