"""What the page is shown: plain dictionaries made from the host's state."""

import importlib.metadata
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viloapp_core.manifest import PluginDescription
from viloapp_core.services.theme import THEMES
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host import Host

__all__ = ["catalog", "offer", "offers", "open_instances", "theme"]

FIRST_PARTY = ("viloxterm", "viloedit")
"""What the page offers to install, in this order, where it is missing."""


def version() -> str:
    """Return the core's version."""
    return importlib.metadata.version("viloapp-core")


def theme(host: "Host") -> dict[str, Any]:
    """Return the current theme with its colours, and the colours of every other."""
    name = host.theme.get_current_theme()
    palettes = {each: dict(colors) for each, colors in THEMES.items()}
    return {"theme": name, "themes": list(THEMES), "colors": palettes[name], "palettes": palettes}


def open_instances(host: "Host") -> set[str]:
    """Return the ids of the open widgets."""
    return {instance["instance"] for instance in host.instances()}


def catalog(host: "Host", wheels: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return what can be run, opened and managed now.

    Args:
        host: the host.
        wheels: the `offer` of every first-party wheel.
    """
    plugins = [{**row, "permissions": permissions(host, row["id"])} for row in host.plugins()]
    installed = {plugin["id"] for plugin in plugins}
    return {
        "commands": commands(host),
        "widgets": host.widgets(),
        "plugins": plugins,
        "offers": offers(wheels, installed),
    }


def permissions(host: "Host", plugin_id: str) -> list[dict[str, Any]]:
    """Return what a plugin has and was denied, in words; see `PermissionManager.describe`."""
    try:
        return host.permissions.describe(host.store.plugin(plugin_id), host.wording.of(plugin_id))
    except ViloError:
        return []  # its ledger cannot be read, or it went this moment: it may nothing


def commands(host: "Host") -> list[dict[str, Any]]:
    """Return every command, each with ``listed``: whether the palette shows it.

    A plugin whose manifest has entries for the menu ``palette`` says with them which of its commands a
    person would look for; of any other plugin all are listed.
    """
    menus = {id: plugin.menus for id, plugin in host.store.plugins().items()}
    rows = []
    for row in host.commands():
        shown = {entry["command"] for entry in menus.get(row["plugin"], ()) if entry["menu"] == "palette"}
        rows.append({**row, "listed": not shown or row["id"] in shown})
    return rows


def offers(wheels: Sequence[Mapping[str, str]], installed: Collection[str]) -> list[dict[str, str]]:
    """Return which first-party plugins to offer: those that come with the core and are not installed."""
    return [dict(wheel) for wheel in wheels if wheel["id"] not in installed]


def offer(description: PluginDescription) -> dict[str, str]:
    """Describe a plugin that comes with the core, from its own metadata."""
    return {"id": description.plugin_id, "title": description.name, "summary": description.summary}
