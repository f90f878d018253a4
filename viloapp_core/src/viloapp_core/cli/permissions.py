"""`viloapp permissions`: what plugins may, and changing that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.learning import learn_command
from viloapp_core.cli.text import one_line
from viloapp_core.foundation.names import normalized

if TYPE_CHECKING:
    from viloapp_core.host.permissions import PermissionManager
    from viloapp_core.permissions import Permission
    from viloapp_core.store import InstalledPlugin, Store

_plugin = click.argument("plugin", metavar="ID", shell_complete=plugin_ids)
_permissions = click.argument("permissions", metavar="PERMISSION...", nargs=-1, required=True)


@click.group("permissions", cls=options.ViloGroup)
def permissions_command() -> None:
    """Show and change what plugins may do.

    A PERMISSION is category.scope.resource, such as network.connect.api.example.com.
    """


@permissions_command.command("show", cls=options.ViloCommand)
@click.argument("plugin", metavar="[ID]", required=False, shell_complete=plugin_ids)
@options.json_output
@pass_invocation
def permissions_show(invocation: Invocation, plugin: str | None) -> None:
    """Show what a plugin may, or every plugin: in plain words, since when, and who said so."""
    store = invocation.store()
    chosen = [installed(store, plugin)] if plugin else [store.plugin(id) for id in store.plugins()]
    rows = [{"plugin": each.plugin_id, **row} for each in chosen for row in _rows(invocation, store, each)]
    if invocation.output.as_json:
        invocation.output.json({"permissions": rows})
    elif rows:
        header = ("plugin", "permission", "state", "for", "by", "since", "allows to")
        keys = ("plugin", "id", "state", "lasting", "by", "at", "words")
        invocation.output.table(header, [[one_line(row[key]) for key in keys] for row in rows])
    else:
        who = f"{chosen[0].plugin_id} has no" if plugin else "no plugin has any"
        invocation.output.note(f"{who} permissions beyond its own data")


@permissions_command.command("grant", cls=options.ViloCommand)
@_plugin
@_permissions
@pass_invocation
def permissions_grant(invocation: Invocation, plugin: str, permissions: tuple[str, ...]) -> None:
    """Allow a plugin something for good; a running workspace takes it at once."""
    from viloapp_core.permissions import warning

    wanted = _parse(permissions)
    _refuse_never(wanted, invocation.store())
    for permission in wanted:
        if text := warning(permission):
            invocation.output.warning(f"{permission}: {text}")
    _change(invocation, "grant", plugin, wanted)


@permissions_command.command("revoke", cls=options.ViloCommand)
@_plugin
@_permissions
@pass_invocation
def permissions_revoke(invocation: Invocation, plugin: str, permissions: tuple[str, ...]) -> None:
    """Take something from a plugin for good, whatever it was granted; effective at once.

    Its connections that are not allowed any more are cut, its terminals closed, and its process is started
    anew where the kernel has to show it less of the disk. An update of the plugin does not give it back.
    """
    _change(invocation, "revoke", plugin, _parse(permissions))


@permissions_command.command("reset", cls=options.ViloCommand)
@_plugin
@pass_invocation
def permissions_reset(invocation: Invocation, plugin: str) -> None:
    """Go back to what was accepted at the plugin's installation."""
    _change(invocation, "reset", plugin, [])


permissions_command.add_command(learn_command)


def _change(invocation: Invocation, what: str, plugin: str, permissions: list[Permission]) -> None:
    store = invocation.store()
    plugin_id = installed(store, plugin).plugin_id
    _carry_out(invocation, store, what, plugin_id, permissions)
    done = {"grant": "granted {} to {}", "revoke": "revoked {} of {}"}
    for permission in permissions:
        invocation.output.line(done[what].format(permission, plugin_id))
    if what == "reset":
        invocation.output.line(f"{plugin_id} has what was accepted at its installation")


def _carry_out(
    invocation: Invocation, store: Store, what: str, plugin_id: str, permissions: list[Permission]
) -> None:
    """Make the change: by the running host, which brings its plugins in line, or in the ledger."""
    if client := invocation.running_host(store):
        params = {"plugin": plugin_id, "permissions": [str(each) for each in permissions]}
        with client:
            done = client.request(f"permissions.{what}", params)
        if done.get("terminals_closed"):
            invocation.output.note(f"the terminals of {plugin_id} were closed")
        if done.get("restarted"):
            why = "the kernel shows it other files now"
            invocation.output.note(f"{plugin_id} was ended, and is started anew when it is needed: {why}")
        return
    manager = _manager(store)
    try:
        for permission in permissions:
            if what == "grant":
                manager.grant_permission(plugin_id, permission)
            else:
                manager.revoke_permission(plugin_id, permission)
        if what == "reset":
            manager.reset(plugin_id)
    finally:
        manager.close()
        if manager.problem:
            invocation.output.warning(manager.problem)


def _parse(texts: tuple[str, ...]) -> list[Permission]:
    """Return the permissions; all that are none are one error."""
    from viloapp_core.operations.errors import raise_all
    from viloapp_core.permissions import Permission, PermissionSyntaxError

    found, problems = [], []
    for text in texts:
        try:
            found.append(Permission.parse(text))
        except PermissionSyntaxError as error:
            problems.append(error)
    raise_all(problems)
    return found


def _refuse_never(wanted: list[Permission], store: Store) -> None:
    """Refuse what no plugin is given: one that has it is not started. All of it is one error."""
    from pathlib import Path

    from viloapp_core.host.learning import never
    from viloapp_core.operations.errors import raise_all

    refused = never(wanted, home=Path.home(), store=store.root)
    hint = "grant a file or folder of your own"
    raise_all(
        [
            CliError("never_granted", f"{each} can be granted to no plugin: {why}", hint)
            for each, why in refused.items()
        ]
    )


def installed(store: Store, plugin: str) -> InstalledPlugin:
    """Return the plugin of that name, however it is written."""
    return store.plugin(normalized(plugin))


def _rows(invocation: Invocation, store: Store, plugin: InstalledPlugin) -> list[dict[str, Any]]:
    """Return the rows of a plugin; a running host knows too what holds until it ends."""
    if client := invocation.running_host(store):
        with client:
            rows: list[dict[str, Any]] = client.request("permissions.show", {"plugin": plugin.plugin_id})
            return rows
    from viloapp_core.services.language import locale_of
    from viloapp_core.store.wording import texts_of

    return _manager(store).describe(plugin, texts_of(plugin, locale_of(store.root)))


def _manager(store: Store) -> PermissionManager:
    from pathlib import Path

    from viloapp_core.host.permissions import PermissionManager

    return PermissionManager(store, Path.cwd())
