"""Whether an artifact is what its publisher made. Seven steps, each of which reports.

1. *The signature can be read*: at most 1 MiB, a PEP 740 provenance or attestation or a sigstore bundle with
   exactly one certificate and one log entry.
2. *The certificate is of the trusted root*: it chains to a certificate authority of the root at the time of
   signing, a certificate transparency log of the root took it (SCT), it may sign code, and it names one
   identity.
3. *The log has the entry*: the inclusion proof leads to a checkpoint that a log of the root signed, its
   promise (SET) is true where there is one, and its time lies in the certificate's ten minutes.
4. *The signature is of exactly these bytes*: of the wheel's SHA-256; or an attestation of a kind that is
   known, which names one file, by this file name and this SHA-256; or of the lock of a ``.viloplugin``,
   which names this plugin and has this SHA-256. The log's entry is of the same signature.
5. *The publisher is the one that is pinned* for the plugin that was asked for: kind, issuer, repository,
   their ids, workflow, and a reference that fits the pattern. A branch is no release.
6. *No block list names it*, by plugin and version, publisher or hash.
7. *It is not older than what was installed* of this plugin before.

Steps 2 to 4 build on those before; 5 needs the certificate of step 2; 6 and 7 are always taken. `examine`
takes them and never raises for what an artifact holds; only `viloapp_core.trust.artifact.verify` lets
something through.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any

from viloapp_core.trust import policy
from viloapp_core.trust._seal import SEAL, check_seal
from viloapp_core.trust.blocks import Blocks
from viloapp_core.trust.book import Book
from viloapp_core.trust.publishers import Publisher
from viloapp_core.trust.signatures import Signature, Subject
from viloapp_core.trust.signer import Signer
from viloapp_core.trust.steps import ASKS, FAILED, NOT_REACHED, PASSED, Step, step

if TYPE_CHECKING:
    from viloapp_core.trust.roots import Authority


@dataclass(frozen=True)
class Examination:
    """What the procedure found. Only `examine` and `without_signature` make one.

    Args:
        subject: what was examined.
        signature: what was examined with it.
        steps: the seven.
        signer: who the certificate was given to; None unless step 2 passed.
        pinned: who is pinned for the plugin.
        offered: who would be pinned for this signer: its releases. None where its kind cannot be.
        block: what blocks it.
        root: the name of the trusted root it was examined under.
        seal: proof of where this was made.
    """

    subject: Subject
    signature: Signature | None
    steps: tuple[Step, ...]
    signer: Signer | None
    pinned: Publisher | None
    offered: Publisher | None
    root: str = ""
    # Not kept, so that `dataclasses.replace` cannot hand it on.
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        check_seal(seal, type(self))

    @property
    def failed(self) -> tuple[Step, ...]:
        """The steps that failed."""
        return tuple(one for one in self.steps if one.outcome == FAILED)

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return all(one.outcome == PASSED for one in self.steps)

    @property
    def first_use(self) -> bool:
        """Whether all is true but that nobody has pinned the publisher yet."""
        return {one.outcome for one in self.steps} == {PASSED, ASKS}

    def to_json(self) -> dict[str, Any]:
        """Return everything for ``--json``."""
        return {
            "plugin": self.subject.plugin_id,
            "version": self.subject.version,
            "file": self.subject.filename,
            "sha256": self.subject.sha256,
            "steps": [one.to_json() for one in self.steps],
            "signer": self.signer and self.signer.to_json(),
            "pinned": self.pinned and str(self.pinned),
            "offered": self.offered and str(self.offered),
            "root": self.root,
        }


def examine(
    subject: Subject,
    signature: Signature,
    *,
    authority: Authority,
    book: Book,
    blocks: Blocks,
    allow_downgrade: bool = False,
) -> Examination:
    """Take the seven steps for an artifact and its signature.

    Args:
        subject: the artifact at hand.
        signature: from wherever it came.
        authority: whose certificates and logs count.
        book: who is pinned, and what was installed before.
        blocks: what is blocked.
        allow_downgrade: a person asked for the older version by name.
    """
    from viloapp_core.trust.sigstore_port import establish

    established = establish(subject, signature, authority.verifier())
    signer = established.signer
    pinned = book.publisher(subject.plugin_id)
    offered = policy.offer(signer) if signer else None
    steps = (
        *established.steps,
        _publisher_step(signer, pinned, offered),
        _block_step(subject, offered, blocks),
        _version_step(subject, book, allow_downgrade),
    )
    return Examination(subject, signature, steps, signer, pinned, offered, authority.name, SEAL)


def without_signature(
    subject: Subject, *, book: Book, blocks: Blocks, allow_downgrade: bool = False
) -> Examination:
    """Return what can be said of an artifact that nobody signed; arguments as `examine` has them."""
    steps = (
        *(step(number, NOT_REACHED, "there is no signature") for number in range(1, 6)),
        _block_step(subject, None, blocks),
        _version_step(subject, book, allow_downgrade),
    )
    return Examination(subject, None, steps, None, book.publisher(subject.plugin_id), None, "", SEAL)


def _publisher_step(signer: Signer | None, pinned: Publisher | None, offered: Publisher | None) -> Step:
    if signer is None:
        return step(5, NOT_REACHED, "step 2 failed")
    if pinned is not None:
        if wrong := policy.mismatches(signer, pinned):
            return step(5, FAILED, "; ".join(wrong))
        return step(5, PASSED, f"{signer.identity} is {pinned.short}, as pinned")
    if offered is None:
        return step(5, FAILED, f"{signer.identity} of {signer.issuer} is of a kind that cannot be pinned")
    if wrong := policy.mismatches(signer, offered):
        return step(5, FAILED, "; ".join(wrong))
    return step(5, ASKS, f"nobody is pinned yet; {signer.identity} signed")


def _block_step(subject: Subject, publisher: Publisher | None, blocks: Blocks) -> Step:
    block = blocks.blocking(subject.plugin_id, subject.version, publisher, subject.sha256)
    if block is not None:
        return step(6, FAILED, str(block))
    lists = len(blocks.lists)
    return step(6, PASSED, f"{lists} list{'' if lists == 1 else 's'} looked at")


def _version_step(subject: Subject, book: Book, allowed: bool) -> Step:
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(subject.version)
    except InvalidVersion:
        return step(7, FAILED, f"{subject.version!r} is not a version")
    highest = book.highest_version(subject.plugin_id)
    if highest is None:
        return step(7, PASSED, "nothing of it was installed before")
    if version >= Version(highest):
        return step(7, PASSED, f"{version}; the highest so far is {highest}")
    if allowed:
        return step(7, PASSED, f"{version} is older than {highest}, which was asked for")
    return step(7, FAILED, f"{version} is older than {highest}, which was installed before")
