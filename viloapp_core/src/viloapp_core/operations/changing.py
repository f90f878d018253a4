"""Uninstall, enable and disable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from viloapp_core.operations.errors import raise_all
from viloapp_core.operations.outcomes import RemovalOutcome
from viloapp_core.store import InstalledPlugin, NotInstalledError, Store, StoreError
from viloapp_sdk.errors import ViloError


def uninstall(
    store: Store, plugin_ids: Sequence[str], *, purge: bool = False, dry_run: bool = False
) -> list[RemovalOutcome]:
    """Remove plugins, damaged ones too. Their data stays for the next installation, unless `purge`.

    With `purge` a plugin that was uninstalled before loses the data that it left.

    Raises:
        NotInstalledError: one is not installed; then none is removed.
        SeveralProblemsError: several are not.
    """
    store.recover()
    found, plugins = _removable(store, plugin_ids, purge), store.plugins()
    outcomes = []
    for plugin_id in found:
        version = plugins[plugin_id].version if plugin_id in plugins else ""
        notes = tuple(_dependents(store, plugin_id, set(found)))
        if not dry_run:
            store.remove(plugin_id, purge=purge)
        data = store.layout.data(plugin_id)
        kept = data if not purge and data.is_dir() else None
        status: Literal["would remove", "removed"] = "would remove" if dry_run else "removed"
        outcomes.append(RemovalOutcome(plugin_id, version, status, kept, notes))
    return outcomes


def _removable(store: Store, plugin_ids: Sequence[str], purge: bool) -> list[str]:
    """Return the normalized ids, each once, of what can be removed; all that cannot is an error."""
    from packaging.utils import canonicalize_name

    present = {*store.plugins(), *store.damage()}
    found: dict[str, None] = {}
    problems: list[ViloError] = []
    for written in plugin_ids:
        plugin_id = canonicalize_name(written)
        try:
            left = purge and store.layout.data(plugin_id).is_dir()
        except StoreError as error:
            problems.append(error)
            continue
        if plugin_id in present or left:
            found[plugin_id] = None
        else:
            problems.append(NotInstalledError(plugin_id))
    raise_all(problems)
    return list(found)


def enable(store: Store, plugin_ids: Sequence[str]) -> list[InstalledPlugin]:
    """Enable plugins and return them; all or none.

    Raises:
        NotInstalledError: one is not installed.
        SeveralProblemsError: several are not.
    """
    return _switch(store, plugin_ids, True, "")


def disable(
    store: Store, plugin_ids: Sequence[str], reason: str = "disabled by the user"
) -> list[InstalledPlugin]:
    """Disable plugins, with the reason that listings show, and return them; all or none.

    Raises:
        NotInstalledError: one is not installed.
        SeveralProblemsError: several are not.
    """
    return _switch(store, plugin_ids, False, reason)


def _switch(store: Store, plugin_ids: Sequence[str], enabled: bool, reason: str) -> list[InstalledPlugin]:
    store.recover()
    found = [plugin.plugin_id for plugin in _find(store, plugin_ids)]
    store.set_enabled(found, enabled, reason)
    return [store.plugin(plugin_id) for plugin_id in found]


def _find(store: Store, plugin_ids: Sequence[str]) -> list[InstalledPlugin]:
    """Return the plugins of those names, each once, however the names are written."""
    from packaging.utils import canonicalize_name

    found: dict[str, InstalledPlugin] = {}
    problems: list[ViloError] = []
    for written in plugin_ids:
        try:
            plugin = store.plugin(canonicalize_name(written))
        except NotInstalledError as error:
            problems.append(error)
        else:
            found[plugin.plugin_id] = plugin
    raise_all(problems)
    return list(found.values())


def _dependents(store: Store, plugin_id: str, leaving: set[str]) -> list[str]:
    """Return a line for each plugin that stays and requires this one."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    return [
        f"{other} requires it and will miss it"
        for other in store.plugins()
        if other not in {*leaving, *store.damage()}
        and any(
            canonicalize_name(Requirement(text).name) == plugin_id
            for text in store.receipt(other)["manifest"].get("requires_plugins", ())
        )
    ]
