"""Sign files: all of them or, where one cannot be, none begun."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation.files import write_atomic
from viloapp_core.operations import bundle_archive, bundle_format
from viloapp_core.operations.errors import SpecError, raise_all
from viloapp_core.trust import TrustStore, open_signer
from viloapp_core.trust.roots import CONFIG_FILE
from viloapp_sdk.errors import ViloError

BUNDLE, ATTESTATION = ".sigstore.json", ".publish.attestation"


@dataclass(frozen=True)
class SignOutcome:
    """What became of one file.

    Args:
        file: what was signed.
        written: where its signature is; of a ``.viloplugin`` the file itself.
        sha256: of what was signed: the file, or the bundle's lock.
    """

    file: Path
    written: Path
    sha256: str


def sign(
    keeper: TrustStore,
    files: Sequence[Path],
    *,
    token: str | None,
    config: Path | None,
    attestation: bool,
    force: bool,
    person: bool,
    say: Callable[[str], None],
) -> list[SignOutcome]:
    """Sign files and write each signature beside its file, or of a ``.viloplugin`` into it.

    Args:
        keeper: has the configuration of an organisation's own Sigstore, where there is one.
        files: what to sign.
        token: an identity token; None to ask the CI, then a person.
        config: a client configuration for this time.
        attestation: write attestations of PEP 740, for an upload, in place of bundles.
        force: replace signatures that are there.
        person: somebody is at the terminal.
        say: is told what is going on.

    Raises:
        SpecError: a file cannot be signed, or is already; all at once, before anything is signed.
        SigningError: nobody's identity is to be had, or Sigstore did not answer; what was signed is kept.
    """
    targets = _targets(files, attestation=attestation, force=force)
    digests = {path: _digest(path) for path in targets}
    if config is None and keeper.read().config is not None:
        config = keeper.folder / CONFIG_FILE
    outcomes = []
    with open_signer(token=token, config=config, person=person) as signer:
        for path, target in targets.items():
            say(f"signing {path.name}")
            data = signer.attestation(path) if attestation else signer.bundle(digests[path])
            if path == target:
                bundle_archive.add_signature(path, data)
            else:
                write_atomic(target, data, 0o644)
            outcomes.append(SignOutcome(path, target, digests[path]))
    return outcomes


def _targets(files: Sequence[Path], *, attestation: bool, force: bool) -> dict[Path, Path]:
    """Return where the signature of each file goes; every reason why one cannot is an error."""
    targets: dict[Path, Path] = {}
    problems: list[ViloError] = []
    for given in files:
        path = given.absolute()
        is_bundle = path.name.endswith(bundle_format.SUFFIX)
        target = path if is_bundle else path.with_name(path.name + (ATTESTATION if attestation else BUNDLE))
        if not path.is_file():
            problems.append(SpecError(f"there is no file {given}", "check the path"))
        elif path.name.endswith((BUNDLE, ATTESTATION)):
            problems.append(SpecError(f"{given} is a signature itself", "sign the file that it is of"))
        elif attestation and is_bundle:
            problems.append(SpecError(f"{given} is no distribution", "leave out --attestation to sign it"))
        elif not force and (bundle_archive.is_signed(path) if is_bundle else target.exists()):
            problems.append(SpecError(f"{given} is signed already: {target}", "--force signs it anew"))
        else:
            targets[path] = target
    raise_all(problems)
    return targets


def _digest(path: Path) -> str:
    if path.name.endswith(bundle_format.SUFFIX):
        return hashlib.sha256(bundle_archive.read_lock(path)).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
