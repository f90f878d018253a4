"""In which order plugins are laid down and started: what is needed comes before what needs it.

>>> load_order([Relations("b", "1", requires_plugins=("a>=1",)), Relations("a", "1.2")])
['a', 'b']
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from viloapp_core.resolve.errors import DependencyCycleError
from viloapp_core.resolve.relations import Related, names, requirements

Edges = dict[str, dict[str, str]]
"""By plugin: those that come before it, each with why, for people."""


def load_order(plugins: Iterable[Related], preferred: Sequence[str] = ()) -> list[str]:
    """Return the plugins' ids in an order in which each comes after all that it waits for.

    Of those that may come next, the first by id does: the answer is the smallest of all valid orders, and
    depends on nothing but the plugins.

    Args:
        plugins: what is to be put in order.
        preferred: ids that come in this order, and after the others, where nothing else decides.

    Raises:
        DependencyCycleError: there is no such order; has the chain that closes.
        RelationError: a requirement cannot be read.
    """
    edges = predecessors(plugins)
    sorter: TopologicalSorter[str] = TopologicalSorter()
    # In order, so that of several cycles the same one is found each time.
    for plugin_id in sorted(edges):
        sorter.add(plugin_id, *sorted(edges[plugin_id]))
    try:
        sorter.prepare()
    except CycleError as error:
        raise _explained(error.args[1], edges) from error
    rank = {plugin_id: number for number, plugin_id in enumerate(preferred)}
    order: list[str] = []
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for plugin_id in sorter.get_ready():
            heapq.heappush(ready, (rank.get(plugin_id, -1), plugin_id))
        order.append(heapq.heappop(ready)[1])
        sorter.done(order[-1])
    return order


def predecessors(plugins: Iterable[Related]) -> Edges:
    """Return which plugins each waits for, and why; plugins that are not among them are ignored.

    Raises:
        RelationError: a requirement cannot be read.
    """
    known = {plugin.plugin_id: plugin for plugin in plugins}
    edges: Edges = {plugin_id: {} for plugin_id in known}

    def add(before: str, after: str, why: str) -> None:
        if before in known and after in known:
            edges[after].setdefault(before, why)

    for plugin_id, plugin in sorted(known.items()):
        for name, requirement in requirements(plugin, plugin.requires_plugins):
            add(name, plugin_id, f"{plugin_id} requires {requirement}")
        for name in names(plugin.load_after):
            add(name, plugin_id, f"{plugin_id} is to load after {name}")
        for name in names(plugin.load_before):
            add(plugin_id, name, f"{plugin_id} is to load before {name}")
    return edges


def waits_for(starting: Collection[str], plugins: Iterable[Related]) -> dict[str, list[str]]:
    """Return the plugins to start in load order, each with those of them that it waits for.

    A plugin in between that is not to start passes the order on.

    Args:
        starting: ids of those that are to start.
        plugins: all that are enabled.

    Raises:
        DependencyCycleError, RelationError: as `load_order`.
    """
    plugins = list(plugins)
    edges = predecessors(plugins)
    awaited: dict[str, list[str]] = {}
    for plugin_id in load_order(plugins):  # those before it are known when it is looked at
        before: set[str] = set()
        for direct in edges[plugin_id]:
            before |= {direct} if direct in starting else set(awaited[direct])
        awaited[plugin_id] = sorted(before)
    return {plugin_id: found for plugin_id, found in awaited.items() if plugin_id in starting}


def _explained(cycle: list[str], edges: Mapping[str, Mapping[str, str]]) -> DependencyCycleError:
    """Return the error of a cycle, told from its smallest id on: each waits for the one that follows it.

    Args:
        cycle: as graphlib gives it: each is immediately before the next, and the first is the last again.
        edges: why.
    """
    waiting = list(reversed(cycle))[:-1]
    start = waiting.index(min(waiting))
    chain = waiting[start:] + waiting[:start]
    causes = [edges[after][before] for after, before in zip(chain, [*chain[1:], chain[0]], strict=True)]
    return DependencyCycleError(chain, causes)
