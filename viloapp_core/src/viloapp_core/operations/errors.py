"""Errors of the use cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.operations.outcomes import InstallOutcome


class OperationError(ViloError):
    """Root of everything `viloapp_core.operations` raises."""


class SpecError(OperationError):
    """What the user named is not something that can be installed."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_spec", detail, hint)


class ContentsError(OperationError):
    """What was built of a plugin's folder is not fit to be given away; has every reason."""

    def __init__(self, plugin_id: str, issues: Sequence[str]) -> None:
        listed = "".join(f"\n  {issue}" for issue in issues)
        super().__init__(
            "bad_contents", f"{plugin_id}: nothing was made, because of what would be in it:{listed}"
        )
        self.issues = tuple(issues)


class MigrationFileError(OperationError):
    """A file cannot be migrated as it is."""

    def __init__(self, detail: str, hint: str = "", *, code: str = "bad_file") -> None:
        super().__init__(code, detail, hint)


class ConsentRefusedError(OperationError):
    """The person did not allow what the plugin asks for; nothing was changed."""

    def __init__(self, plugin_id: str, what: str = "its permissions were") -> None:
        super().__init__(
            "consent_refused",
            f"{plugin_id} was not installed: {what} not accepted",
            "nothing was changed",
        )


class BundleError(OperationError):
    """A file is not a bundle that this version can install; has every reason."""

    def __init__(self, name: str, reasons: Sequence[str], hint: str = "") -> None:
        listed = "".join(f"\n  {reason}" for reason in reasons)
        super().__init__(
            "bad_bundle",
            f"{name}: Not a valid .viloplugin file{':' if reasons else ''}{listed}",
            hint or "nothing was installed; get the file again, or ask whoever made it",
        )
        self.reasons = tuple(reasons)


class LockFileError(OperationError):
    """A file is no workspace lock, or what it says cannot be; has every reason."""

    def __init__(self, name: str, reasons: Sequence[str], hint: str = "") -> None:
        listed = "".join(f"\n  {reason}" for reason in reasons)
        super().__init__(
            "bad_lock", f"{name} is not a workspace lock:{listed}", hint or "write it anew: viloapp lock"
        )
        self.reasons = tuple(reasons)


class NotLockableError(OperationError):
    """An installed plugin cannot be written into a lock or a bundle."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__("not_lockable", detail, hint)


class LockedPublisherError(OperationError):
    """A plugin is signed by somebody else than the workspace lock names."""

    def __init__(self, plugin_id: str, named: str, wrong: Sequence[str]) -> None:
        listed = "".join(f"\n  {line}" for line in wrong)
        super().__init__(
            "locked_publisher",
            f"{plugin_id}: the lock names {named} as its publisher, and that is not who signed it:{listed}",
            "nothing was changed; ask whoever wrote the lock",
        )


class SeveralProblemsError(OperationError):
    """More than one thing is wrong; all of them at once.

    Args:
        problems: each of them.
        outcomes: what was installed all the same.
    """

    def __init__(self, problems: Sequence[ViloError], outcomes: Sequence[InstallOutcome] = ()) -> None:
        hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
        super().__init__(
            "several_problems", "\n".join(problem.detail for problem in problems), "\n".join(hints)
        )
        self.problems = tuple(problems)
        self.outcomes = tuple(outcomes)


def raise_all(problems: Sequence[ViloError], outcomes: Sequence[InstallOutcome] = ()) -> None:
    """Raise what went wrong: the one problem itself, or all of them together; nothing when there is none."""
    if len(problems) == 1 and not outcomes:
        raise problems[0]
    if problems:
        raise SeveralProblemsError(problems, outcomes)
