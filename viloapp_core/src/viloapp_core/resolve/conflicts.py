"""Which plugins cannot be enabled side by side.

>>> check_conflicts([Relations("a", "1", conflicts=("b<2",)), Relations("b", "1.5")])
[('a', 'b')]
"""

from __future__ import annotations

from collections.abc import Iterable

from viloapp_core.resolve.relations import Related, requirements


def check_conflicts(enabled: Iterable[Related]) -> list[tuple[str, str]]:
    """Return the pairs of enabled plugins that conflict: who says so, then the other; sorted.

    A version range and markers narrow what is meant: ``b<2; python_version < "3.12"`` conflicts with no
    ``b`` 2, and with none at all where the plugin that says it runs on Python 3.12.

    Args:
        enabled: the plugins that are, or would be, enabled together.

    Raises:
        RelationError: a conflict cannot be read.
    """
    return sorted({(who, other) for who, other, _ in conflicts_among(enabled)})


def conflicts_among(enabled: Iterable[Related]) -> list[tuple[str, str, str]]:
    """Return the same pairs, each with the requirement that says so; sorted.

    Raises:
        RelationError: a conflict cannot be read.
    """
    known = {plugin.plugin_id: plugin for plugin in enabled}
    return sorted(
        (plugin_id, name, str(requirement))
        for plugin_id, plugin in known.items()
        for name, requirement in requirements(plugin, plugin.conflicts)
        if name != plugin_id
        and name in known
        and requirement.specifier.contains(known[name].version, prereleases=True)
    )
