"""`viloapp verify`: every step of the verification of a file, or again of what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.errors import FAILED
from viloapp_core.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from viloapp_core.operations.verifying import Verification
    from viloapp_core.trust import Publisher

_MARKS = {"passed": "ok  ", "failed": "FAIL", "not reached": "--  ", "needs a person": "?   "}


@click.command("verify", cls=options.ViloCommand)
@click.argument("what", metavar="FILE|ID", shell_complete=plugin_ids)
@click.option(
    "--signature",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The signature, where it is not beside the file: a sigstore bundle, a provenance or an attestation.",
)
@click.option(
    "--publisher",
    metavar="IDENTITY",
    callback=options.identity,
    help="Who has to have signed it; else who is pinned.",
)
@options.trust_config
@options.json_output
@pass_invocation
def verify_command(
    invocation: Invocation,
    what: str,
    signature: Path | None,
    publisher: str | None,
    trust_config: Path | None,
) -> None:
    """Verify a wheel, a source distribution or a .viloplugin, or again an installed plugin by its ID.

    Each step is told with its outcome, and who signed, from which repository, workflow, ref and commit, when,
    and where in the log. The exit code is 1 unless every step passed. It needs no network.
    """
    from viloapp_core.foundation.clock import SystemClock
    from viloapp_core.operations.reverifying import verify_installed
    from viloapp_core.operations.verifying import verify_file
    from viloapp_core.trust import parse_publisher

    store, clock = invocation.store(), SystemClock()
    named = parse_publisher(publisher) if publisher else None
    if (refused := _older_form(what)) is not None:
        raise refused
    if _is_file(what):
        found = verify_file(
            store, Path(what), signature=signature, publisher=named, config=trust_config, clock=clock
        )
    elif signature or named:
        raise click.UsageError("--signature and --publisher are of files")
    else:
        found = verify_installed(store, what, config=trust_config, clock=clock)
    if invocation.output.as_json:
        invocation.output.json(found.to_json())
    else:
        _show(invocation, found, named)
    if not found.passed:
        raise click.exceptions.Exit(FAILED)


def _is_file(what: str) -> bool:
    return "/" in what or Path(what).is_file() or what.endswith((".whl", ".viloplugin", ".tar.gz", ".zip"))


def _older_form(what: str) -> click.ClickException | None:
    """Return the refusal of a file or folder that is nothing but an older form of a signature."""
    from viloapp_core.operations.verifying import older_form

    path = Path(what)
    if not path.exists() or path.name.endswith((".whl", ".viloplugin", ".tar.gz")):
        return None
    if notes := older_form(path):
        return click.ClickException("; ".join(notes))
    return click.ClickException(f"{what} is a folder: verify its wheel") if path.is_dir() else None


def _show(invocation: Invocation, found: Verification, named: Publisher | None) -> None:
    output, examination = invocation.output, found.examination
    subject = examination.subject
    output.line(f"{found.target}: {subject.plugin_id} {subject.version}, sha256 {subject.sha256 or 'gone'}")
    for step in found.steps:
        detail = f": {step.detail}" if step.detail else ""
        output.line(f"  {_MARKS[step.outcome]} {step.number:2} {step.name}{detail}")
    if examination.signer is not None:
        for line in examination.signer.lines():
            output.line(f"  {line}")
        output.line(f"  trusted root: {examination.root}")
    for note in found.notes:
        output.note(f"  {note}")
    if named is None and examination.pinned is None and examination.offered is not None:
        import shlex

        output.note(
            f"  to say that this is the right publisher: --publisher {shlex.quote(str(examination.offered))}"
        )
    output.line("verified" if found.passed else "NOT verified")
