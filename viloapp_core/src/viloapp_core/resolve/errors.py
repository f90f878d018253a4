"""Errors of finding, locking and fetching what a plugin needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from viloapp_sdk.errors import ViloError

# How many versions an error names; the newest, which is where one looks.
_SHOWN_VERSIONS = 30


class ResolveError(ViloError):
    """Root of everything `viloapp_core.resolve` raises."""


class UnsatisfiableError(ResolveError):
    """No set of wheels fits; another interpreter might have one."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("unsatisfiable", detail, hint)


class IndexUnreachableError(ResolveError):
    """The index did not answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "index_unreachable",
            detail,
            "check the network and --index-url; with --offline only what was fetched before is used",
        )


class ProvenanceError(ResolveError):
    """The index names a provenance of a file that cannot be had: it is not taken for a file without one."""

    def __init__(self, filename: str, why: str) -> None:
        super().__init__(
            "no_provenance",
            f"the provenance of {filename} cannot be fetched: {why}",
            "try again; if it stays, ask who runs the index",
        )


class InterpreterError(ResolveError):
    """No interpreter on this machine fits."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("no_interpreter", detail, hint)


class OwnNameError(ResolveError):
    """One of ViloApp's own distributions would have come from somewhere else."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("own_name", detail, hint)


class DirectUrlError(ResolveError):
    """A distribution names files of its own choice instead of versions in the index."""

    def __init__(self, plugin_id: str, names: Sequence[str]) -> None:
        super().__init__(
            "direct_url",
            f"{plugin_id}: {', '.join(names)} would come from an address that a distribution names itself, "
            "not as a wheel from the index",
            "its author has to depend on a version; a wheel of your own: install with --find-links FOLDER",
        )


class BuildError(ResolveError):
    """The user's own folder could not be built."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("build_failed", detail, hint)


class PipError(ResolveError):
    """pip ended in a way that says nothing better."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("pip_failed", detail, hint)


class RelationError(ResolveError):
    """A plugin says something of another that is no requirement (PEP 508)."""

    def __init__(self, plugin_id: str, text: str) -> None:
        super().__init__(
            "bad_relation",
            f"{plugin_id}: {text!r} is not a requirement",
            "the author should write it like 'hello>=1,<2'",
        )


class DependencyCycleError(ResolveError):
    """Plugins wait for each other, so that none of them can be the first.

    Args:
        chain: the ids, each waiting for the next and the last for the first.
        causes: why each waits for the next, for people.
    """

    def __init__(self, chain: Sequence[str], causes: Sequence[str]) -> None:
        super().__init__(
            "dependency_cycle",
            f"plugins wait for each other: {'; '.join(causes)}",
            f"leave one of them out, or ask an author to drop one of these: {', '.join(chain)}",
        )
        self.chain = tuple(chain)
        self.causes = tuple(causes)


class NoVersionFitsError(ResolveError):
    """No version of a plugin is accepted by all that need it.

    Args:
        plugin_id: the plugin.
        demands: what each says, for people.
        candidates: the versions that were tried, newest first.
    """

    def __init__(self, plugin_id: str, demands: Iterable[str], candidates: Sequence[str]) -> None:
        shown = ", ".join(candidates[:_SHOWN_VERSIONS])
        older = len(candidates) - _SHOWN_VERSIONS
        tried = f"tried {shown}" if candidates else "there is no version of it at all"
        super().__init__(
            "no_version_fits",
            f"no version of {plugin_id} suits all: {'; '.join(demands)}; {tried}"
            + (f" and {older} older" if older > 0 else ""),
            "nothing was changed; "
            + (
                "ask for other versions of those that need it, or uninstall one of them"
                if candidates
                else "name its wheel too, or where it is: --find-links, --index-url"
            ),
        )
        self.candidates = tuple(candidates)


class ConflictError(ResolveError):
    """Two plugins cannot be enabled together.

    Args:
        who: the plugin that says so.
        other: the plugin that it does not get on with.
        requirement: its words.
    """

    def __init__(self, who: str, other: str, requirement: str) -> None:
        super().__init__(
            "plugin_conflict",
            f"{who} and {other} cannot be enabled together: {who} conflicts with {requirement}",
            f"nothing was changed; leave one of them out, or first: viloapp disable {other}",
        )
        self.pair = (who, other)


class UnmetRequirementError(ResolveError):
    """A plugin requires another that is not there, not enabled, or of another version."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__("unmet_requirement", detail, f"nothing was changed; try: viloapp {remedy}")


class DependentsError(ResolveError):
    """Other plugins require one that was to go.

    Args:
        plugin_id: the one that was to go.
        dependents: the ids of the others.
        verb: what was to be done: ``uninstall`` or ``disable``.
    """

    def __init__(self, plugin_id: str, dependents: Sequence[str], verb: str) -> None:
        others = " ".join(dependents)
        need = "requires" if len(dependents) == 1 else "require"
        super().__init__(
            "required_by_others",
            f"{', '.join(dependents)} {need} {plugin_id}",
            f"nothing was changed; them too: viloapp {verb} {others} {plugin_id}",
        )
        self.dependents = tuple(dependents)
