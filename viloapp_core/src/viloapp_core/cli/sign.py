"""`viloapp sign`: sign files with an identity instead of a key."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.invocation import Invocation, pass_invocation


@click.command("sign", cls=options.ViloCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--identity-token",
    metavar="TOKEN",
    envvar="SIGSTORE_IDENTITY_TOKEN",
    help="Sign as whoever this token names; better given as $SIGSTORE_IDENTITY_TOKEN.",
)
@options.trust_config
@click.option(
    "--attestation",
    is_flag=True,
    help="Write FILE.publish.attestation (PEP 740), for an upload with `twine --attestations`.",
)
@click.option("--force", is_flag=True, help="Replace signatures that are there.")
@options.json_output
@pass_invocation
def sign_command(
    invocation: Invocation,
    files: tuple[Path, ...],
    identity_token: str | None,
    trust_config: Path | None,
    attestation: bool,
    force: bool,
) -> None:
    """Sign files: FILE.sigstore.json beside each, and into a .viloplugin.

    There is no key to keep: Sigstore gives a certificate of ten minutes to an identity, and its log keeps the
    signature, for all to see. The identity is the token's, else that of the CI job, else of whoever logs in
    with the browser: then the log has that e-mail address for ever.
    """
    from viloapp_core.operations.signing import sign
    from viloapp_core.trust import TrustStore

    made = sign(
        TrustStore(invocation.store().root),
        files,
        token=identity_token,
        config=trust_config,
        attestation=attestation,
        force=force,
        person=bool(sys.stdin and sys.stdin.isatty()),
        say=invocation.output.note,
    )
    if invocation.output.as_json:
        rows = [{"file": str(one.file), "signature": str(one.written), "sha256": one.sha256} for one in made]
        invocation.output.json({"signed": rows})
        return
    for one in made:
        invocation.output.line(str(one.written))
