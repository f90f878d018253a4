"""Whether plugins can be installed and enabled together: everything that says no, at once.

>>> after = {"b": Relations("b", "1", requires_plugins=("a>=2",))}
>>> [str(refusal) for refusal in refusals(after, enabled={"b"}, touched={"b"})]
['b 1 requires a>=2, which is not installed']
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from viloapp_core.resolve.conflicts import conflicts_among
from viloapp_core.resolve.constraints import accept, demands_on
from viloapp_core.resolve.errors import (
    ConflictError,
    DependencyCycleError,
    NoVersionFitsError,
    RelationError,
    ResolveError,
    UnmetRequirementError,
)
from viloapp_core.resolve.load_order import load_order
from viloapp_core.resolve.relations import Related, requirements


def refusals(
    after: Mapping[str, Related],
    *,
    enabled: Collection[str],
    touched: Collection[str],
    strict: bool = False,
) -> list[ResolveError]:
    """Return why a change may not be made; nothing when it may.

    Only what the change touches is judged: what was wrong before it, elsewhere, does not stand in its way.

    Args:
        after: what would be installed once it is made, by id.
        enabled: ids of those that would be enabled.
        touched: ids of those that would be installed, changed or enabled by it.
        strict: a plugin that another requires has to be enabled too.
    """
    try:
        found: list[ResolveError] = []
        for plugin_id in sorted(touched):
            found += _versions(after, plugin_id)
            found += _unmet(after, plugin_id, enabled if strict else after, touched)
        running = {plugin_id: after[plugin_id] for plugin_id in enabled}
        found += [
            ConflictError(who, other, text)
            for who, other, text in conflicts_among(running.values())
            if who in touched or other in touched
        ]
        return found or _cycle(running, touched)
    except RelationError as error:
        return [error]


def _versions(after: Mapping[str, Related], plugin_id: str) -> list[ResolveError]:
    """Judge a touched plugin by what its dependents say."""
    version, demands = after[plugin_id].version, demands_on(plugin_id, after.values())
    if accept(demands, version):
        return []
    return [NoVersionFitsError(plugin_id, map(str, demands), [version])]


def _unmet(
    after: Mapping[str, Related], plugin_id: str, usable: Collection[str], touched: Collection[str]
) -> list[ResolveError]:
    """Judge what a touched plugin requires; that of others that are touched is judged at their turn."""
    plugin, found = after[plugin_id], list[ResolveError]()
    for name, requirement in requirements(plugin, plugin.requires_plugins):
        said, get = f"{plugin_id} {plugin.version} requires {requirement}", f"install '{requirement}'"
        if name not in after:
            found.append(UnmetRequirementError(f"{said}, which is not installed", get))
            continue
        version = after[name].version
        if name not in touched and not requirement.specifier.contains(version, prereleases=True):
            found.append(UnmetRequirementError(f"{said}, and {name} is {version}", get))
        elif name not in usable:
            found.append(UnmetRequirementError(f"{said}, which is disabled", f"enable {name} {plugin_id}"))
    return found


def _cycle(running: Mapping[str, Related], touched: Collection[str]) -> list[ResolveError]:
    try:
        load_order(running.values())
    except DependencyCycleError as error:
        return [error] if set(error.chain) & set(touched) else []
    return []


def dependents(targets: Collection[str], plugins: Mapping[str, Related]) -> dict[str, list[str]]:
    """Return which of the plugins require each of the targets, those aside that are targets themselves.

    Args:
        targets: ids of what is to go.
        plugins: what is installed, or enabled; one whose requirements cannot be read requires nothing.
    """
    found: dict[str, list[str]] = {}
    for plugin_id, plugin in sorted(plugins.items()):
        if plugin_id in targets:
            continue
        try:
            required = {name for name, _ in requirements(plugin, plugin.requires_plugins)}
        except RelationError:
            continue
        for name in sorted(required & set(targets)):
            found.setdefault(name, []).append(plugin_id)
    return found
