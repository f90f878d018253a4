"""`VerifiedArtifact`: the only thing that the store accepts, and the three ways to get one.

examination = examine(subject, signature, authority=authority, book=book, blocks=blocks)
artifact = verify(examination)                               # signed by whoever is pinned
artifact = verify(examination, accept=examination.offered)   # the first time, after a person said so
artifact = accept_unsigned(subject, book=book, blocks=blocks, now=now)   # allowed by name, recorded
artifact = accept_dev(subject, folder, now=now)              # the person's own source
"""

from __future__ import annotations

import shlex
from dataclasses import InitVar, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from viloapp_core.trust import policy
from viloapp_core.trust._seal import SEAL, check_seal
from viloapp_core.trust.errors import (
    ChangedPublisherError,
    DowngradeError,
    FirstUseError,
    PublisherTextError,
    RefusedError,
    RevokedError,
    SignatureError,
    UnsignedError,
)
from viloapp_core.trust.publishers import Publisher, parse_publisher
from viloapp_core.trust.signatures import LockSignature, Signature, Subject, evidence_files
from viloapp_core.trust.signer import Signer
from viloapp_core.trust.steps import ASKS, PASSED

if TYPE_CHECKING:
    from viloapp_core.trust.blocks import Blocks
    from viloapp_core.trust.book import Book
    from viloapp_core.trust.procedure import Examination

SIGNED, UNSIGNED, DEV = "signed", "unsigned", "dev"
DEPENDENCIES_NOTE = "dependencies: pinned by hash, not signed"


@dataclass(frozen=True)
class VerifiedArtifact:
    """A plugin's wheel that may be installed. Only the functions of this module make one.

    Args:
        subject: what was verified: plugin, version, hashes.
        kind: ``signed``, ``unsigned`` or ``dev``.
        verified_at: RFC 3339.
        signer: who signed it.
        publisher: who is pinned for it from now on.
        signature: the evidence, kept beside the receipt.
        dev_source: the folder of a ``dev`` one.
        root: the trusted root it was verified under.
        seal: proof of where this was made.
    """

    subject: Subject
    kind: str
    verified_at: str
    signer: Signer | None = None
    publisher: Publisher | None = None
    signature: Signature | None = None
    dev_source: Path | None = None
    root: str = ""
    # Not kept, so that `dataclasses.replace` cannot hand it on.
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        check_seal(seal, type(self))

    @property
    def plugin_id(self) -> str:
        """The plugin it was verified for."""
        return self.subject.plugin_id

    @property
    def version(self) -> str:
        """Of the plugin."""
        return self.subject.version

    @property
    def filename(self) -> str:
        """Of the plugin's wheel."""
        return self.subject.filename

    @property
    def sha256(self) -> str:
        """Of the plugin's wheel."""
        return self.subject.sha256

    @property
    def lock_digest(self) -> str:
        """Of the lock it is installed with."""
        return self.subject.lock_digest

    @property
    def covers_dependencies(self) -> bool:
        """Whether the signature is over the whole lock, and so over every wheel's hash."""
        return isinstance(self.signature, LockSignature)

    @property
    def label(self) -> str:
        """What listings say."""
        return _label(self.kind, self.publisher.shown if self.publisher else "")

    def evidence_files(self) -> dict[str, bytes]:
        """Return the files that go beside the receipt."""
        return evidence_files(self.signature) if self.signature is not None else {}

    def to_receipt(self) -> dict[str, Any]:
        """Return what the receipt keeps under ``trust``."""
        return {
            "kind": self.kind,
            "filename": self.filename,
            "sha256": self.sha256,
            "lock_digest": self.lock_digest,
            "verified_at": self.verified_at,
            "signer": self.signer and self.signer.to_json(),
            "publisher": str(self.publisher) if self.publisher else "",
            "evidence": self.signature.KIND if self.signature is not None else "",
            "covers_dependencies": self.covers_dependencies,
            "root": self.root,
        }


def label_of(receipt: Any) -> str:
    """Return what listings say of a receipt's ``trust``; of what is no such thing, ``UNSIGNED``."""
    if not isinstance(receipt, dict):
        return _label(UNSIGNED, "")
    try:
        publisher = parse_publisher(str(receipt.get("publisher", ""))).shown
    except PublisherTextError:
        publisher = ""
    return _label(str(receipt.get("kind", "")), publisher)


def verify(examination: Examination, *, now: datetime, accept: Publisher | None = None) -> VerifiedArtifact:
    """Return the artifact of an examination in which every step passed.

    Args:
        examination: from `viloapp_core.trust.procedure.examine`.
        now: the time.
        accept: whom a person named as the right publisher; asked only where nobody is pinned yet.

    Raises:
        SignatureError: one of steps 1 to 4 failed.
        ChangedPublisherError: another publisher is pinned.
        FirstUseError: nobody is pinned, and `accept` does not name the one who signed.
        RevokedError: a block list names it.
        DowngradeError: it is older than what was installed.
    """
    publisher = _publisher(examination, accept)
    passed = {one.number for one in examination.steps if one.outcome == PASSED}
    if publisher is None or not passed >= {1, 2, 3, 4, 6, 7}:
        _refuse(examination, accept, publisher)
    return VerifiedArtifact(
        examination.subject,
        SIGNED,
        _stamp(now),
        examination.signer,
        publisher,
        examination.signature,
        root=examination.root,
        seal=SEAL,
    )


def accept_unsigned(
    subject: Subject, *, book: Book, blocks: Blocks, now: datetime, allow_downgrade: bool = False
) -> VerifiedArtifact:
    """Return the artifact of a plugin that a person allowed without a signature, by name.

    Args:
        subject: the artifact at hand.
        book: has the permission.
        blocks: what is blocked all the same.
        now: the time.
        allow_downgrade: a person asked for the older version by name.

    Raises:
        UnsignedError: nobody allowed it, or a publisher is pinned.
        RevokedError: a block list names it.
        DowngradeError: it is older than what was installed.
    """
    from viloapp_core.trust.procedure import without_signature

    examination = without_signature(subject, book=book, blocks=blocks, allow_downgrade=allow_downgrade)
    plugin_id = subject.plugin_id
    if examination.pinned is not None:
        raise UnsignedError(
            "unsigned",
            f"{plugin_id} is pinned to {examination.pinned.shown}, and {subject.filename} is not signed",
            f"nothing was changed; viloapp trust unpin {plugin_id} gives the pin up",
            examination,
        )
    if plugin_id not in book.unsigned:
        raise UnsignedError(
            "unsigned",
            f"{plugin_id} {subject.version} is not signed",
            f"ask its author to sign it; --allow-unsigned {plugin_id} installs it all the same",
            examination,
        )
    if any(one.number in (6, 7) and one.outcome != PASSED for one in examination.steps):
        _refuse(examination, None, None)
    return VerifiedArtifact(subject, UNSIGNED, _stamp(now), seal=SEAL)


def accept_dev(subject: Subject, folder: Path, *, now: datetime) -> VerifiedArtifact:
    """Return the artifact of a folder named with ``--dev``: the person's own, nothing is asked of it."""
    return VerifiedArtifact(subject, DEV, _stamp(now), dev_source=folder, seal=SEAL)


def _publisher(examination: Examination, accept: Publisher | None) -> Publisher | None:
    """Return who is pinned from now on, or None where step 5 lets nobody through."""
    signer, pinned = examination.signer, examination.pinned
    # Whom a person names has to be the signer, even where a pin says enough.
    if signer is None or (accept is not None and policy.mismatches(signer, accept)):
        return None
    if pinned is not None:
        passed = any(one.number == 5 and one.outcome == PASSED for one in examination.steps)
        return policy.filled(pinned, signer) if passed else None
    return policy.filled(accept, signer) if accept is not None else None


def _refuse(examination: Examination, accept: Publisher | None, publisher: Publisher | None) -> NoReturn:
    """Raise what fits the first thing that is wrong: signature, revocation, publisher, version."""
    subject, failed = examination.subject, {one.number: one for one in examination.failed}
    what = f"{subject.plugin_id} {subject.version}"
    for number in (1, 2, 3, 4):
        if (one := failed.get(number)) is not None:
            detail = f"{what}: the signature does not hold, step {number} ({one.name}): {one.detail}"
            hint = "get the file from its author again; viloapp verify FILE shows each step"
            raise SignatureError("bad_signature", detail, hint, examination)
    if (one := failed.get(6)) is not None:
        hint = "viloapp trust block-list list shows the lists"
        raise RevokedError("revoked", one.detail, hint, examination)
    if examination.signer is not None and publisher is None:
        _refuse_publisher(examination, examination.signer, accept, what)
    if (one := failed.get(7)) is not None:
        hint = f"viloapp rollback {subject.plugin_id} goes back to what was installed before"
        raise DowngradeError("downgrade", f"{subject.plugin_id}: {one.detail}", hint, examination)
    raise RefusedError("not_trusted", f"{what}: not every step passed", "", examination)


def _refuse_publisher(
    examination: Examination, signer: Signer, accept: Publisher | None, what: str
) -> NoReturn:
    plugin_id, offered = examination.subject.plugin_id, examination.offered
    signed = str(offered or f"{signer.identity} of {signer.issuer}")
    for expected, name in ((examination.pinned, "pinned"), (accept, "named")):
        if expected is not None and (wrong := policy.mismatches(signer, expected)):
            detail = f"{what} is not signed by the {name} publisher: {'; '.join(wrong)}"
            both = f" ({name}: {expected}; signed by: {signed}, built from {signer.ref or 'nothing'})"
            hint = f"if the plugin has moved: viloapp trust unpin {plugin_id}, then install it again"
            if name == "named":
                hint = _name_that(examination.offered, signer)
            raise ChangedPublisherError("changed_publisher", detail + both, hint, examination)
    if offered is None:
        detail = f"{what}: {signed} is of a kind that cannot be pinned"
        raise RefusedError(
            "unknown_publisher", detail, "ask its author to sign with another identity", examination
        )
    if any(one.outcome == ASKS for one in examination.steps):
        detail = f"{what} is signed by {offered.shown}, who is not known yet"
        hint = f"if that is its author: --trust-publisher {shlex.quote(str(offered))}"
        raise FirstUseError(offered, "unknown_publisher", detail, hint, examination)
    branch = policy.narrowed(offered, signer)
    detail = f"{what} is signed by {offered.shown}, built from {signer.ref}, which is no release"
    hint = f"if that is wanted: --trust-publisher {shlex.quote(str(branch))}"
    raise RefusedError("not_a_release", detail, hint, examination)


def _name_that(offered: Publisher | None, signer: Signer) -> str:
    """Return the hint that names who did sign; a branch build only with its reference, or it is no help."""
    if offered is None:
        return "ask its author to sign with another identity"
    if policy.mismatches(signer, offered):
        narrowed = shlex.quote(str(policy.narrowed(offered, signer)))
        return f"{signer.ref} is no release; if that is wanted: --trust-publisher {narrowed}"
    return f"if {offered} is its author, name that"


def _label(kind: str, publisher: str) -> str:
    if kind == SIGNED and publisher:
        return f"signed by {publisher}"
    return DEV if kind == DEV else "UNSIGNED"


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
