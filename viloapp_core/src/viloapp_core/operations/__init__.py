"""The use cases: install, update, roll back, repair, uninstall, enable, disable, list, describe.

They are plain functions that take a `Store`, report steps to a `Progress` and ask people through a `Consent`:

    >>> outcomes = install(store, ["hello>=0.1"], options=InstallOptions(yes=True))
    >>> outcomes[0].status
    'installed'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from viloapp_core.operations.bisecting import Search, Verdict, search
    from viloapp_core.operations.bundling import PackageOutcome, package
    from viloapp_core.operations.changing import disable, enable, uninstall
    from viloapp_core.operations.errors import (
        ConsentRefusedError,
        OperationError,
        SeveralProblemsError,
        SpecError,
    )
    from viloapp_core.operations.installing import install
    from viloapp_core.operations.outcomes import (
        Consent,
        InstallOptions,
        InstallOutcome,
        Progress,
        ProgressEvent,
        RefuseAll,
        RemovalOutcome,
        RepairOutcome,
        UpdateOutcome,
        silent,
    )
    from viloapp_core.operations.repairing import repair
    from viloapp_core.operations.showing import describe, listing
    from viloapp_core.operations.syncing import SyncOutcome, compare, lock_workspace, sync
    from viloapp_core.operations.updating import rollback, take_back, update

__all__ = [
    "Consent",
    "ConsentRefusedError",
    "InstallOptions",
    "InstallOutcome",
    "OperationError",
    "PackageOutcome",
    "Progress",
    "ProgressEvent",
    "RefuseAll",
    "RemovalOutcome",
    "RepairOutcome",
    "Search",
    "SeveralProblemsError",
    "SpecError",
    "SyncOutcome",
    "UpdateOutcome",
    "Verdict",
    "compare",
    "describe",
    "disable",
    "enable",
    "install",
    "listing",
    "lock_workspace",
    "package",
    "repair",
    "rollback",
    "search",
    "silent",
    "sync",
    "take_back",
    "uninstall",
    "update",
]

_MODULES = {
    "bisecting": ("Search", "Verdict", "search"),
    "bundling": ("PackageOutcome", "package"),
    "changing": ("disable", "enable", "uninstall"),
    "errors": ("ConsentRefusedError", "OperationError", "SeveralProblemsError", "SpecError"),
    "installing": ("install",),
    "outcomes": (
        *("Consent", "InstallOptions", "InstallOutcome", "Progress", "ProgressEvent", "RefuseAll"),
        *("RemovalOutcome", "RepairOutcome", "UpdateOutcome", "silent"),
    ),
    "repairing": ("repair",),
    "showing": ("describe", "listing"),
    "syncing": ("SyncOutcome", "compare", "lock_workspace", "sync"),
    "updating": ("rollback", "take_back", "update"),
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: a listing must not pay for what an installation needs."""
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
