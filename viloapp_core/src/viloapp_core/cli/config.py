"""`viloapp config`: settings of the workspace and of plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import setting_keys
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.shapes import encode

if TYPE_CHECKING:
    from viloapp_core.services.settings import Configuration, Settings
    from viloapp_core.store import Store

_key = click.argument("key", metavar="KEY", shell_complete=setting_keys)


@click.group("config", cls=options.ViloGroup)
def config_command() -> None:
    """Read and change settings.

    A KEY is a plugin's id or core, a dot, and the setting's name: viloxterm.fontSize, core.theme.
    """


@config_command.command("list", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def config_list(invocation: Invocation) -> None:
    """List all settings with their values."""
    rows = settings_of(invocation.store()).list()
    if invocation.output.as_json:
        invocation.output.json({"settings": rows})
        return
    header = ("key", "value", "default", "description")
    invocation.output.table(
        header,
        [[row["key"], shown(row["value"]), shown(row["default"]), row["description"]] for row in rows],
    )


@config_command.command("get", cls=options.ViloCommand)
@_key
@options.json_output
@pass_invocation
def config_get(invocation: Invocation, key: str) -> None:
    """Print the value of a setting: text as it is, anything else as JSON."""
    value = settings_of(invocation.store()).get(key)
    if invocation.output.as_json:
        invocation.output.json({"key": key, "value": value})
    else:
        invocation.output.line(shown(value))


@config_command.command("set", cls=options.ViloCommand, context_settings={"ignore_unknown_options": True})
@_key
@click.argument("value", metavar="VALUE")
@pass_invocation
def config_set(invocation: Invocation, key: str, value: str) -> None:
    """Change a setting; a running workspace takes it at once.

    VALUE is text where the setting is text, and JSON otherwise.
    """
    store = invocation.store()
    settings = settings_of(store)
    parsed = settings.parse(key, value)
    if client := invocation.running_host(store):
        with client:
            client.request("settings.set", {"key": key, "value": parsed})
    else:
        settings.set(key, parsed)


@config_command.command("unset", cls=options.ViloCommand)
@_key
@pass_invocation
def config_unset(invocation: Invocation, key: str) -> None:
    """Take a setting back to its default."""
    store = invocation.store()
    if client := invocation.running_host(store):
        with client:
            client.request("settings.unset", {"key": key})
    else:
        settings_of(store).unset(key)


def shown(value: Any) -> str:
    """Return a value as a person typed it: text bare, anything else as JSON."""
    return value if isinstance(value, str) else encode(value)


def settings_of(store: Store) -> Settings:
    """Return the settings of a store."""
    from viloapp_core.services.language import locale_of
    from viloapp_core.services.settings import Settings
    from viloapp_core.store.wording import configuration_in, texts_of

    def in_words(plugin_id: str, declared: Configuration) -> Configuration:
        return configuration_in(texts_of(store.plugin(plugin_id), locale_of(store.root)), declared)

    return Settings(
        store.root / "settings.json",
        lambda: {plugin_id: plugin.configuration for plugin_id, plugin in store.plugins().items()},
        former=lambda: {old: id for id, plugin in store.plugins().items() for old in plugin.formerly},
        in_words=in_words,
    )
