"""What all dependents of a plugin accept, together.

>>> who = [Relations("b", "1", requires_plugins=("a>=1",)), Relations("c", "3", requires_plugins=("a<2",))]
>>> newest(["0.9", "1.0", "1.5", "2.0"], demands_on("a", who))
'1.5'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viloapp_core.resolve.relations import Related, requirements

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


@dataclass(frozen=True)
class Demand:
    """What one says of the version of a plugin.

    Args:
        who: the dependent's id; empty for the person who asks.
        version: the dependent's version; empty for the person.
        target: the id of the plugin that is meant.
        specifier: in normal form; empty where any version will do.
    """

    who: str
    version: str
    target: str
    specifier: str

    def __str__(self) -> str:
        """Say it, for people."""
        wanted = f"{self.target}{self.specifier}"
        return f"{self.who} {self.version} requires {wanted}" if self.who else f"you asked for {wanted}"


def demands_on(target: str, plugins: Iterable[Related]) -> list[Demand]:
    """Return what the plugins say of one of them, sorted by who says it.

    Raises:
        RelationError: a requirement cannot be read.
    """
    return sorted(
        (
            Demand(plugin.plugin_id, plugin.version, target, str(requirement.specifier))
            for plugin in plugins
            for name, requirement in requirements(plugin, plugin.requires_plugins)
            if name == target and plugin.plugin_id != target
        ),
        key=lambda demand: (demand.who, demand.specifier),
    )


def combined(demands: Iterable[Demand]) -> SpecifierSet:
    """Return the specifiers of all, as one."""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(",".join(demand.specifier for demand in demands if demand.specifier))


def accept(demands: Iterable[Demand], version: str) -> bool:
    """Return whether all accept a version that is there already; a pre-release is one like any other."""
    return combined(demands).contains(version, prereleases=True)


def newest(candidates: Iterable[str], demands: Iterable[Demand]) -> str | None:
    """Return the newest version that all accept, or None; as pip would choose it.

    A pre-release is chosen where one is asked for, or where nothing else fits.

    Args:
        candidates: versions; what is none (PEP 440) is passed over.
        demands: of all dependents.
    """
    from packaging.version import InvalidVersion, Version

    versions: list[Version] = []
    for text in candidates:
        try:
            versions.append(Version(text))
        except InvalidVersion:
            continue
    fitting: Sequence[Version] = list(combined(demands).filter(versions))
    return str(max(fitting)) if fitting else None
