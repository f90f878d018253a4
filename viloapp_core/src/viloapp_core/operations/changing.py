"""Uninstall, enable and disable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from viloapp_core.operations.errors import raise_all
from viloapp_core.operations.outcomes import RemovalOutcome
from viloapp_core.resolve import DependentsError, dependents, refusals
from viloapp_core.store import InstalledPlugin, NotInstalledError, Store, StoreError
from viloapp_sdk.errors import ViloError


def uninstall(
    store: Store, plugin_ids: Sequence[str], *, purge: bool = False, dry_run: bool = False
) -> list[RemovalOutcome]:
    """Remove plugins, damaged ones too. Their data stays for the next installation, unless `purge`.

    With `purge` a plugin that was uninstalled before loses the data that it left.

    Raises:
        NotInstalledError: one is not installed; then none is removed.
        DependentsError: others require one of them; then none is removed.
        SeveralProblemsError: several of these.
    """
    store.recover()
    found, plugins = _removable(store, plugin_ids, purge), store.plugins()

    def check() -> None:
        _check_not_required(store, found, "uninstall")

    check()
    outcomes = []
    for plugin_id in found:
        version = plugins[plugin_id].version if plugin_id in plugins else ""
        goes = [
            "its virtualenvs and log",
            *(["what it stored", "its settings", "its permissions"] if purge else []),
        ]
        if not dry_run:
            store.remove(plugin_id, purge=purge, check=check)
        data = store.layout.data(plugin_id)
        kept = data if not purge and data.is_dir() else None
        status: Literal["would remove", "removed"] = "would remove" if dry_run else "removed"
        outcomes.append(RemovalOutcome(plugin_id, version, status, kept, (), tuple(goes)))
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
        ConflictError: one cannot run beside another that is enabled.
        UnmetRequirementError: one requires what is not there, or not enabled.
        SeveralProblemsError: several of these.
    """
    store.recover()
    found = [plugin.plugin_id for plugin in find(store, plugin_ids)]
    store.set_enabled(found, True, check=lambda: _check_together(store, found))
    return [store.plugin(plugin_id) for plugin_id in found]


def disable(
    store: Store, plugin_ids: Sequence[str], reason: str = "disabled by the user"
) -> list[InstalledPlugin]:
    """Disable plugins, with the reason that listings show, and return them; all or none.

    Raises:
        NotInstalledError: one is not installed.
        DependentsError: others that are enabled require one of them.
        SeveralProblemsError: several of these.
    """
    store.recover()
    found = [plugin.plugin_id for plugin in find(store, plugin_ids)]
    store.set_enabled(found, False, reason, check=lambda: _check_not_required(store, found, "disable"))
    return [store.plugin(plugin_id) for plugin_id in found]


def find(store: Store, plugin_ids: Sequence[str]) -> list[InstalledPlugin]:
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


def _check_not_required(store: Store, going: Sequence[str], verb: Literal["uninstall", "disable"]) -> None:
    """Refuse to take away what plugins that stay require.

    Raises:
        DependentsError: plugins require one of those that are to go.
        SeveralProblemsError: of several.
    """
    # One that is disabled could not be enabled again without what is uninstalled.
    staying = {
        key: plugin for key, plugin in store.plugins().items() if plugin.enabled or verb == "uninstall"
    }
    found = dependents(going, staying)
    raise_all([DependentsError(plugin_id, others, verb) for plugin_id, others in found.items()])


def _check_together(store: Store, coming: Sequence[str]) -> None:
    """Refuse to enable what cannot run beside what is enabled, or lacks what it requires.

    Raises:
        ResolveError: they conflict, wait for each other, or lack a plugin.
        SeveralProblemsError: more than one of these.
    """
    plugins = store.plugins()
    enabled = {key for key, plugin in plugins.items() if plugin.enabled} | set(coming)
    raise_all(refusals(plugins, enabled=enabled, touched=coming, strict=True))
