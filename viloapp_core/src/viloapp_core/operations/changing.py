"""Uninstall, enable and disable."""

from __future__ import annotations

from collections.abc import Sequence

from viloapp_core.operations.errors import raise_all
from viloapp_core.operations.outcomes import RemovalOutcome
from viloapp_core.store import InstalledPlugin, NotInstalledError, Store
from viloapp_sdk.errors import ViloError


def uninstall(
    store: Store, plugin_ids: Sequence[str], *, purge: bool = False, dry_run: bool = False
) -> list[RemovalOutcome]:
    """Remove plugins. Their data stays for the next installation, unless `purge`.

    Raises:
        NotInstalledError: one is not installed; then none is removed.
        SeveralProblemsError: several are not.
    """
    store.recover()
    plugins = _find(store, plugin_ids)
    outcomes = []
    for plugin in plugins:
        notes = _dependents(store, plugin.plugin_id, {item.plugin_id for item in plugins})
        if not dry_run:
            store.remove(plugin.plugin_id, purge=purge)
        kept = plugin.data_dir if not purge and plugin.data_dir.is_dir() else None
        outcomes.append(
            RemovalOutcome(
                plugin.plugin_id,
                plugin.version,
                "would remove" if dry_run else "removed",
                kept,
                tuple(notes),
            )
        )
    return outcomes


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
        if other not in leaving
        and any(
            canonicalize_name(Requirement(text).name) == plugin_id
            for text in store.receipt(other)["manifest"].get("requires_plugins", ())
        )
    ]
