"""Errors of finding, locking and fetching what a plugin needs."""

from __future__ import annotations

from viloapp_sdk.errors import ViloError


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


class InterpreterError(ResolveError):
    """No interpreter on this machine fits."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("no_interpreter", detail, hint)


class OwnNameError(ResolveError):
    """One of ViloApp's own distributions would have come from somewhere else."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("own_name", detail, hint)


class BuildError(ResolveError):
    """The user's own folder could not be built."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("build_failed", detail, hint)


class PipError(ResolveError):
    """pip ended in a way that says nothing better."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("pip_failed", detail, hint)
