"""`viloapp migrate`: move in with the settings and the state of the monolithic application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.config import settings_of, shown
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.migrate_report import ask, report, tell_nothing
from viloapp_core.cli.migrate_state import state_command

if TYPE_CHECKING:
    from viloapp_core.operations.migrating import Plan
    from viloapp_core.services.adoption import Adoption
    from viloapp_core.store import Store


@click.group("migrate", cls=options.ViloGroup)
def migrate_command() -> None:
    """Move in with what an older ViloApp left behind."""


migrate_command.add_command(state_command)


@migrate_command.command("settings", cls=options.ViloCommand)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@options.yes
@options.dry_run
@options.json_output
@pass_invocation
def migrate_settings(invocation: Invocation, file: Path | None, yes: bool, dry_run: bool) -> None:
    """Migrate a file of settings to today's form, and make its settings the workspace's.

    FILE is the old application's: JSON, nested or flat, or INI; without one, the settings of this ViloApp
    themselves. What would change is shown first, then asked. A copy of FILE is made beside it, with the
    suffix .backup, over which nothing is ever written; then FILE is rewritten. What has no place today is
    kept in it, under kept. A running workspace takes the settings at once.
    """
    from viloapp_core.operations.migrating import plan_settings

    store = invocation.store()
    own = (store.root / "settings.json").resolve()
    plan = plan_settings(file or own)
    adoption = settings_of(store).plan(plan.migration.document)
    itself = plan.file == own
    if not plan.needed and not (itself and adoption.changes):
        tell_nothing(invocation, plan, changes=[], refused={})
        return
    if not invocation.output.as_json:
        _show(invocation, plan, adoption)
    copy = None
    if not dry_run:
        ask(invocation, plan.file, yes=yes)
        copy = _carry_out(invocation, store, plan, itself=itself)
    if invocation.output.as_json:
        invocation.output.json(report(plan, copy) | adoption.to_json())
    elif copy:
        invocation.output.note(f"Backup created at {copy}")


def _carry_out(invocation: Invocation, store: Store, plan: Plan, *, itself: bool) -> Path:
    """Do what was shown; with `itself` the file is the store's own, which nobody else may write meanwhile."""
    from viloapp_core.foundation.files import FileLock
    from viloapp_core.operations.migrating import carry_out

    document = plan.migration.document
    store.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not itself:
        return carry_out(plan, lambda new: _adopt(invocation, store, new), document)
    with FileLock(store.root / "settings.lock").acquire():
        # Only the settings of a plugin's former id may be left to take over: then the file stays of its form.
        copy = carry_out(plan, lambda new: None, document)
    _adopt(invocation, store, document)  # for a running host, which read the file as it was
    return copy


def _adopt(invocation: Invocation, store: Store, document: dict[str, Any]) -> None:
    """Make the settings those of the store; a running host tells its pages and plugins."""
    wanted = {name: document[name] for name in ("core", "plugins")}
    if client := invocation.running_host(store):
        with client:
            client.request("settings.adopt", {"document": wanted})
    else:
        settings_of(store).adopt(wanted)


def _show(invocation: Invocation, plan: Plan, adoption: Adoption) -> None:
    """Print what would change: in the workspace, in the file, and what does not come over as it was."""
    output = invocation.output
    for line in plan.migration.log:
        output.note(line)
    for change in adoption.changes:
        if change.before != change.after:
            before = "not set" if change.before is None else shown(change.before)
            output.line(f"{change.key}: {before} → {shown(change.after)}")
    for line in _difference(plan):
        output.line(line)
    for finding in plan.migration.findings:
        output.note(f"{finding.kind}: {finding.path}: {finding.detail}")
    for key, why in adoption.refused.items():
        output.warning(f"{key} is not taken over: {why}")


def _difference(plan: Plan) -> list[str]:
    """Return the file before and after, line by line, as `diff -u` has it."""
    import json
    from difflib import unified_diff

    old, new = (
        json.dumps(each, indent=1, ensure_ascii=False).splitlines()
        for each in (plan.before, plan.migration.document)
    )
    return list(unified_diff(old, new, str(plan.file), f"{plan.file} (migrated)", n=1, lineterm=""))
