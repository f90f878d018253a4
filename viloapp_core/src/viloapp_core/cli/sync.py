"""`viloapp sync`: make the plugins of this machine equal to a lock."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options
from viloapp_core.cli.errors import DONE, FAILED
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing
from viloapp_core.cli.lock import DEFAULT
from viloapp_core.cli.steps import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viloapp_core.operations import InstallOptions, SyncOutcome
    from viloapp_core.operations.workspace_lock import Difference
    from viloapp_core.store import Store


@click.command("sync", cls=options.ViloCommand)
@click.argument("file", metavar="[FILE]", default=DEFAULT, type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Say what differs and change nothing; exit code 1 if anything does."
)
@options.index_url
@options.find_links
@options.offline
@options.trust_lock
@options.trust_publisher
@options.allow_unsigned
@options.allow_downgrade
@options.trust_config
@options.allow_unsandboxed
@options.yes
@options.dry_run
@options.json_output
@pass_invocation
def sync_command(
    invocation: Invocation,
    /,
    file: Path,
    check: bool,
    dry_run: bool,
    allow_unsandboxed: bool,
    **flags: Any,
) -> int:
    """Make the plugins equal to the lock FILE, which `viloapp lock` wrote; viloapp.lock by default.

    Plugins are added, updated (to lower versions too) and removed; what they stored stays. Every wheel must
    have the hash that the lock says, and be signed by the publisher that it names. When one plugin cannot be
    had, nothing is changed. A lower version than was installed before has to be allowed by name.
    """
    from viloapp_core.operations import InstallOptions, SyncOutcome, compare

    store = invocation.store()
    if check or dry_run:
        outcome = SyncOutcome(compare(store, file))
    else:
        chosen = InstallOptions(**flags)
        with changing(invocation, store):
            steps = Runner(store, allow_unsandboxed=allow_unsandboxed)
            outcome = _sync(invocation, store, file, chosen, steps)
        if outcome.plugins:
            confinement.warn_without(invocation.output, allowed=allow_unsandboxed)
    _tell(invocation, outcome, done=not (check or dry_run))
    return FAILED if check and outcome.differences else DONE


def _sync(
    invocation: Invocation, store: Store, file: Path, chosen: InstallOptions, steps: Runner
) -> SyncOutcome:
    from viloapp_core.cli.consent import prompt
    from viloapp_core.cli.progress import view
    from viloapp_core.operations import sync

    with view(invocation.output) as shown:
        consent = prompt(invocation.output, shown, store, accept=chosen.yes)
        return sync(store, file, options=chosen, progress=shown, consent=consent, steps=steps)


def _tell(invocation: Invocation, outcome: SyncOutcome, *, done: bool) -> None:
    output = invocation.output
    if output.as_json:
        output.json(
            {
                "changed": done and bool(outcome.differences),
                "differences": [asdict(item) for item in outcome.differences],
                "plugins": [asdict(plugin) for plugin in outcome.plugins],
            }
        )
        return
    for line in lines(outcome.differences):
        output.line(line)
    if not outcome.differences:
        output.note("the plugins are what the lock says")


def lines(differences: Sequence[Difference]) -> list[str]:
    """Return what differs: a line for each plugin, and what else of it below."""
    shown = []
    for item in differences:
        versions = [version for version in (item.installed, item.wanted) if version]
        shown.append(f"{item.change} {item.plugin_id} {' → '.join(dict.fromkeys(versions))}")
        shown += [f"  {detail}" for detail in item.details]
    return shown
