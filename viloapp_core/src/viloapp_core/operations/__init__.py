"""The use cases: install, uninstall, enable, disable, list, describe.

They are plain functions that take a `Store`, report steps to a `Progress` and ask people through a `Consent`:

    >>> outcomes = install(store, ["hello>=0.1"], options=InstallOptions(yes=True))
    >>> outcomes[0].status
    'installed'
"""

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
    silent,
)
from viloapp_core.operations.showing import describe, listing

__all__ = [
    "Consent",
    "ConsentRefusedError",
    "InstallOptions",
    "InstallOutcome",
    "OperationError",
    "Progress",
    "ProgressEvent",
    "RefuseAll",
    "RemovalOutcome",
    "SeveralProblemsError",
    "SpecError",
    "describe",
    "disable",
    "enable",
    "install",
    "listing",
    "silent",
    "uninstall",
]
