"""What plugins say of each other: the plain data that order, conflicts and constraints are decided from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from viloapp_core.resolve.errors import RelationError

if TYPE_CHECKING:  # a host whose plugins say nothing of each other never loads packaging
    from packaging.requirements import Requirement


class Related(Protocol):
    """A plugin, as far as the others are concerned: an installed one, or one about to be."""

    @property
    def plugin_id(self) -> str:
        """Its normalized name."""

    @property
    def version(self) -> str:
        """Its version (PEP 440)."""

    @property
    def python_version(self) -> str:
        """The version of its interpreter, for which its markers are evaluated; empty for the host's."""

    @property
    def requires_plugins(self) -> Sequence[str]:
        """Requirements (PEP 508) on the plugins that it calls."""

    @property
    def conflicts(self) -> Sequence[str]:
        """Requirements (PEP 508) on plugins that it cannot be enabled beside."""

    @property
    def load_after(self) -> Sequence[str]:
        """Names of plugins that start before it, where they are there."""

    @property
    def load_before(self) -> Sequence[str]:
        """Names of plugins that start after it, where they are there."""


@dataclass(frozen=True)
class Relations:
    """A `Related` that is nothing else, for a plugin that is not installed yet."""

    plugin_id: str
    version: str
    python_version: str = ""
    requires_plugins: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    load_after: tuple[str, ...] = ()
    load_before: tuple[str, ...] = ()


def requirements(plugin: Related, texts: Iterable[str]) -> list[tuple[str, Requirement]]:
    """Return those of a plugin's requirements whose markers hold, each with the id it is about.

    Args:
        plugin: whose they are; markers are evaluated for its interpreter.
        texts: its ``requires_plugins`` or its ``conflicts``.

    Raises:
        RelationError: one of them is no requirement.

    Source: PEP 508.
    """
    found: list[tuple[str, Requirement]] = []
    for text in texts:
        from packaging.requirements import InvalidRequirement, Requirement
        from packaging.utils import canonicalize_name

        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise RelationError(plugin.plugin_id, text) from error
        if requirement.marker is None or requirement.marker.evaluate(_environment(plugin.python_version)):
            found.append((canonicalize_name(requirement.name), requirement))
    return found


def names(texts: Iterable[str]) -> list[str]:
    """Return names of plugins as ids."""
    found: list[str] = []
    for text in texts:
        from packaging.utils import canonicalize_name

        found.append(canonicalize_name(text))
    return found


def _environment(python_version: str) -> dict[str, str]:
    """Return what changes in a marker's environment with the interpreter; the machine is the host's."""
    if not python_version:
        return {"extra": ""}
    series = ".".join(python_version.split(".")[:2])
    return {
        "extra": "",
        "python_version": series,
        "python_full_version": python_version,
        "implementation_version": python_version,
    }
