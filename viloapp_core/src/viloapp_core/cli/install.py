"""`viloapp install`: resolve, fetch, ask and lay down, each plugin in a virtualenv of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.live import changing
from viloapp_core.cli.steps import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viloapp_core.operations import InstallOptions, InstallOutcome
    from viloapp_core.store import Store


@click.command("install", cls=options.ViloCommand)
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=plugin_ids)
@click.option("--dev", is_flag=True, help="SPEC is a folder with a plugin's source, run from where it is.")
@options.index_url
@options.find_links
@options.offline
@click.option("--python", metavar="PYTHON", help="The interpreter to use: a path, or a version such as 3.12.")
@click.option("--force-reinstall", is_flag=True, help="Install again what is installed already.")
@options.trust_publisher
@options.allow_unsigned
@options.allow_downgrade
@options.trust_config
@options.allow_unsandboxed
@options.yes
@options.dry_run
@options.json_output
@pass_invocation
def install_command(
    invocation: Invocation, /, specs: tuple[str, ...], allow_unsandboxed: bool, **flags: Any
) -> None:
    """Install plugins from an index, from wheels or from source folders.

    A SPEC is a requirement (hello, 'hello>=0.1'), the path of a wheel or of a bundle (.viloplugin, which
    needs no network), or with --dev a folder. All are resolved before any is installed; when one cannot be,
    none is.

    Who signed a plugin is checked before anything of it is unpacked. The first time you are shown who it is
    and asked; from then on nobody else may have signed it. What nobody signed is refused.
    """
    from viloapp_core.operations import InstallOptions
    from viloapp_core.operations.errors import SeveralProblemsError

    store = invocation.store()
    try:
        with changing(invocation, store):
            steps = Runner(store, allow_unsandboxed=allow_unsandboxed)
            outcomes = _install(invocation, store, specs, InstallOptions(**flags), steps)
    except SeveralProblemsError as error:
        if error.outcomes and not invocation.output.as_json:
            _tell(invocation, error.outcomes)
        raise
    _tell(invocation, outcomes)
    confinement.warn_without(invocation.output, allowed=allow_unsandboxed)


def _install(
    invocation: Invocation, store: Store, specs: Sequence[str], chosen: InstallOptions, steps: Runner
) -> list[InstallOutcome]:
    from viloapp_core.cli.consent import prompt
    from viloapp_core.cli.progress import view
    from viloapp_core.operations import install

    with view(invocation.output) as shown:
        consent = prompt(invocation.output, shown, store, accept=chosen.yes)
        return install(store, specs, options=chosen, progress=shown, consent=consent, steps=steps)


def _tell(invocation: Invocation, outcomes: Sequence[InstallOutcome]) -> None:
    if invocation.output.as_json:
        invocation.output.json({"plugins": [asdict(outcome) for outcome in outcomes]})
        return
    for outcome in outcomes:
        invocation.output.line(describe(outcome))
        if outcome.permissions:
            invocation.output.note(f"  may: {', '.join(outcome.permissions)}")
        for note in outcome.notes:
            invocation.output.note(f"  {note}")


def describe(outcome: InstallOutcome) -> str:
    """Return one line on what was done, and what is known of who made it."""
    before = outcome.previous_version
    was = f", was {before}" if before and before != outcome.version else ""
    facts = (
        f"Python {outcome.python_version}",
        f"signature: {outcome.signature}",
        f"sandbox: {confinement.backend()}",
    )
    return f"{outcome.status} {outcome.plugin_id} {outcome.version}{was} ({'; '.join(facts)})"
