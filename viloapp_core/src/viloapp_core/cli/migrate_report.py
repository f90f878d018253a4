"""What both `viloapp migrate settings` and `viloapp migrate state` ask and tell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation

if TYPE_CHECKING:
    from viloapp_core.operations.migrating import Plan


def ask(invocation: Invocation, file: Path, *, yes: bool) -> None:
    """Go on only when the person wants it.

    Raises:
        CliError: nobody is there to answer, or the answer is no.
    """
    if yes:
        return
    if not (sys.stdin and sys.stdin.isatty() and invocation.output.on_terminal()):
        raise CliError(
            "needs_consent",
            f"{file} would be rewritten, and nobody is here to allow it",
            "--dry-run shows what would change; --yes does it",
        )
    if not click.confirm(f"Migrate {file}?", default=False, err=True):
        raise CliError("refused", "nothing was changed")


def tell_nothing(invocation: Invocation, plan: Plan, **more: Any) -> None:
    """Tell that the file is of today's form; ``more`` is added to what ``--json`` prints."""
    if invocation.output.as_json:
        invocation.output.json(report(plan, None) | more)
    else:
        invocation.output.note(f"{plan.file} is of version {plan.migration.origin}: nothing to migrate")


def report(plan: Plan, copy: Path | None) -> dict[str, Any]:
    """Return what ``--json`` prints of both subcommands."""
    log = [*plan.migration.log, *([f"Backup created at {copy}"] if copy else [])]
    return {
        "file": str(plan.file),
        "from": plan.migration.origin,
        "to": plan.migration.document.get("version", plan.migration.origin),
        "migrated": copy is not None,
        "backup": str(copy) if copy else None,
        "log": log,
        "findings": [finding.to_json() for finding in plan.migration.findings],
    }
