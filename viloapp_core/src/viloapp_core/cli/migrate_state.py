"""`viloapp migrate state`: the old application's open terminals, files and tabs, opened in the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.migrate_report import ask, report, tell_nothing

if TYPE_CHECKING:
    from viloapp_core.migration import Arrangement
    from viloapp_core.operations.migrating import Plan
    from viloapp_core.store import Store
    from viloapp_core.web.layouts import Layouts


@click.command("state", cls=options.ViloCommand)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--folder",
    default=".",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="The folder whose workspace shows them.  [default: this one]",
)
@options.yes
@options.dry_run
@options.json_output
@pass_invocation
def state_command(invocation: Invocation, file: Path, folder: Path, yes: bool, dry_run: bool) -> None:
    """Migrate a file of state: its terminals, open files and tabs are there when the workspace opens.

    A terminal opens in its folder with its title, shell, environment and history; a file with its cursor, its
    selection and the text that was not saved. What would be opened is shown first, then asked. The workspace
    must not be open; what FOLDER's showed is replaced, and kept in a copy. A copy of FILE is made beside it,
    with the suffix .backup, over which nothing is ever written; then FILE is rewritten.
    """
    from viloapp_core.operations.migrating import deliverable, plan_state

    store = invocation.store()
    plan = plan_state(file)
    if not plan.needed:
        tell_nothing(invocation, plan, opens=[])
        return
    arrangement = deliverable(plan.migration.document, folder)
    opens = [line for each in arrangement.states.values() for line in _described(each)]
    copy = None
    layouts = _layouts(store, folder)
    if not invocation.output.as_json:
        _show(invocation, store, plan, arrangement, opens, replaced=_tabs(layouts))
    if not dry_run:
        ask(invocation, plan.file, yes=yes)
        copy = _carry_out(store, plan, arrangement, layouts)
    if invocation.output.as_json:
        printed = report(plan, copy) | {"folder": str(folder), "opens": opens}
        printed["findings"] += [finding.to_json() for finding in arrangement.findings]
        invocation.output.json(printed)
    elif copy:
        invocation.output.note(f"Backup created at {copy}")


def _layouts(store: Store, folder: Path) -> Layouts:
    """Return what keeps the arrangement of a folder.

    Raises:
        CliError: there is no workspace, since the extra is not installed.
    """
    try:
        from viloapp_core.web.layouts import Layouts
    except ImportError as error:
        raise CliError(
            "no_workspace",
            f"the workspace is not installed: {error.name} is missing",
            "pip install 'viloapp-core[app]'",
        ) from None

    async def nobody(instance: str) -> Any:
        return None

    return Layouts(store.root / "workspace.json", folder, nobody)


def _carry_out(store: Store, plan: Plan, arrangement: Arrangement, layouts: Layouts) -> Path:
    """Do what was shown, while no host has the store: an open page would write over it.

    Raises:
        CliError: the workspace is open.
    """
    from viloapp_core.foundation.backups import back_up
    from viloapp_core.foundation.errors import LockHeldError
    from viloapp_core.foundation.files import FileLock
    from viloapp_core.operations.migrating import carry_out

    def hand_over(document: dict[str, Any]) -> None:
        if layouts.load() is not None:
            back_up(store.root / "workspace.json")
        layouts.adopt(arrangement.layout, arrangement.states)

    store.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(store.root / "host.lock").acquire(blocking=False):
            return carry_out(plan, hand_over, plan.migration.document)
    except LockHeldError:
        raise CliError(
            "host_running", "the workspace is open and would write over it", "end it, and run this again"
        ) from None


def _tabs(layouts: Layouts) -> int:
    """Return how many tabs the folder's workspace shows now."""
    kept = layouts.load()
    panels = kept["layout"].get("panels") if kept else None
    return len(panels) if isinstance(panels, list) else 0


def _described(state: dict[str, Any]) -> Iterator[str]:
    """Yield what one entry opens, with all that it would set or run."""
    if session := state.get("session"):
        shell = f", runs {session['shell']}" if session["shell"] else ""
        names = ", ".join(session["environment"])
        sets = f", sets {names}" if names else ""
        history = f", {len(session['history'])} commands of history" if session["history"] else ""
        yield f"terminal {session['title']}: in {session['cwd'] or 'the folder'}{shell}{sets}{history}"
    if buffer := state.get("buffer"):
        place = buffer["cursor_position"]
        unsaved = ", text that was not saved" if buffer["modified"] or not buffer["file_path"] else ""
        name = buffer["file_path"] or "a text without a file"
        yield f"editor {name}: line {place['line'] + 1}, column {place['column'] + 1}{unsaved}"


def _show(
    invocation: Invocation,
    store: Store,
    plan: Plan,
    arrangement: Arrangement,
    opens: list[str],
    *,
    replaced: int,
) -> None:
    output = invocation.output
    for line in plan.migration.log:
        output.note(line)
    for line in opens:
        output.line(line)
    for finding in (*plan.migration.findings, *arrangement.findings):
        output.note(f"{finding.kind}: {finding.path}: {finding.detail}")
    if replaced:
        output.warning(f"the {replaced} tabs that this folder's workspace has now are replaced")
    installed = store.plugins()
    for plugin in sorted({str(panel.get("plugin")) for panel in arrangement.layout["panels"]} - {"None"}):
        if plugin not in installed:
            output.warning(f"{plugin} is not installed: its tabs say so until it is")
