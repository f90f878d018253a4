"""Steps 1 to 4: the cryptography, all of it done by sigstore and pypi-attestations.

The only module that verifies with them. `Verifier` gets a trusted root of ours and never fetches anything.
What sigstore refuses is an exception with a text; the texts tell only which step is *reported* as failed.
Whatever they say, an exception is a refusal.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from viloapp_core.manifest.strict_json import decode
from viloapp_core.trust.certificate import read_certificate
from viloapp_core.trust.signatures import (
    MAX_ATTESTATIONS,
    MAX_SIGNATURE_BYTES,
    AttestationSignature,
    LockSignature,
    ProvenanceSignature,
    Signature,
    Subject,
)
from viloapp_core.trust.signer import Signer
from viloapp_core.trust.steps import FAILED, NOT_REACHED, PASSED, Step, step

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENTS = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
_PREDICATES = ("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1")
"""Both say: this identity made this file. Source: PEP 740 and PyPI's attestation types."""

# How sigstore's texts begin, of what it checks after the certificate: what belongs to step 4. All others
# are of step 3.
_OF_STEP_4 = (
    "Signature is invalid",
    "Bundle message digest mismatch",
    "Missing bundle message signature",
    "DSSE: ",
    "transparency log entry is inconsistent",
    "log entry payload hash",
    "log entry signatures",
    "Expected entry type",
    "Unsupported DSSE log entry",
)


@dataclass(frozen=True)
class Established:
    """What steps 1 to 4 found.

    Args:
        steps: the four.
        signer: of the certificate; None unless step 2 passed.
    """

    steps: tuple[Step, ...]
    signer: Signer | None

    @property
    def passed(self) -> int:
        """How many steps passed."""
        return sum(found.outcome == PASSED for found in self.steps)


def establish(subject: Subject, signature: Signature, verifier: Verifier) -> Established:
    """Go through steps 1 to 4; never raises for what a signature holds.

    Of a provenance with several attestations, the first that passes counts; else the one that came furthest.
    """
    if len(signature.data) > MAX_SIGNATURE_BYTES:
        return _unread(f"it is larger than {MAX_SIGNATURE_BYTES} bytes")
    try:
        opened = [_open(bundle) for bundle in _bundles(signature)]
    except Exception as error:  # whatever a hostile bundle makes a parser raise is an answer: no
        return _unread(_one_line(error))
    best = None
    for one in opened:
        found = _examine(one, subject, signature, verifier)
        if best is None or found.passed > best.passed:
            best = found
        if found.passed == len(found.steps):
            break
    assert best is not None  # there is at least one
    return best


@dataclass(frozen=True)
class _Opened:
    """A bundle that could be read.

    Args:
        bundle: sigstore's.
        attested: whether it holds an attestation, not a signature over bytes.
        log: the fields of a `Signer` that are of the log.
        certificate: a line about its certificate.
    """

    bundle: Bundle
    attested: bool
    log: dict[str, Any]
    certificate: str


class _Identity:
    """The policy that sigstore asks between the certificate's chain and the log: keeps who it was given to.

    A certificate that names nobody is refused here; whether it names the right one is step 5.
    """

    def __init__(self) -> None:
        self.signer: Signer | None = None

    def verify(self, cert: Certificate) -> None:
        from sigstore.errors import VerificationError

        try:
            self.signer = read_certificate(cert)
        except Exception as error:  # a hostile extension may raise anything
            raise VerificationError(f"the certificate names nobody: {_one_line(error)}") from error


def _bundles(signature: Signature) -> list[Bundle]:
    from sigstore.models import Bundle

    if isinstance(signature, (ProvenanceSignature, AttestationSignature)):
        from pypi_attestations import Attestation, Provenance

        if isinstance(signature, AttestationSignature):
            attestations = [Attestation.model_validate_json(signature.data)]
        else:
            provenance = Provenance.model_validate_json(signature.data)
            attestations = [one for group in provenance.attestation_bundles for one in group.attestations]
        if not attestations:
            raise ValueError("it has no attestation")
        if len(attestations) > MAX_ATTESTATIONS:
            raise ValueError(f"it has {len(attestations)} attestations, more than {MAX_ATTESTATIONS}")
        return [attestation.to_bundle() for attestation in attestations]
    return [Bundle.from_json(signature.data)]


def _examine(opened: _Opened, subject: Subject, signature: Signature, verifier: Verifier) -> Established:
    identity, failed, why, covered = _Identity(), 5, "", ""
    try:
        covered = _covers(opened, subject, signature, verifier, identity)
    except _OtherBytesError as error:
        failed, why = 4, str(error)
    except Exception as error:  # sigstore's own errors, and what hostile DER makes the parsers raise
        why = _one_line(error)
        failed = 2 if identity.signer is None else 4 if why.startswith(_OF_STEP_4) else 3
    details = {2: opened.certificate, 3: _log_line(opened.log), 4: covered}
    steps = [step(1, PASSED, f"{signature.KIND}, {len(signature.data)} bytes")]
    for number, detail in details.items():
        if number < failed:
            steps.append(step(number, PASSED, detail))
        elif number == failed:
            steps.append(step(number, FAILED, why))
        else:
            steps.append(step(number, NOT_REACHED, f"step {failed} failed"))
    return Established(tuple(steps), identity.signer and replace(identity.signer, **opened.log))


class _OtherBytesError(Exception):
    """The signature is true, and of something else."""


def _covers(
    opened: _Opened, subject: Subject, signature: Signature, verifier: Verifier, identity: _Identity
) -> str:
    """Let sigstore verify, then compare what was signed with what there is; return what was signed."""
    from sigstore.hashes import Hashed

    bundle = opened.bundle
    if isinstance(signature, LockSignature):
        digest = hashlib.sha256(signature.lock).digest()
    elif opened.attested:
        kind, payload = verifier.verify_dsse(bundle, identity)
        _check_statement(kind, payload, subject)
        return f"an attestation names {subject.filename}, sha256 {subject.sha256}"
    else:
        digest = bytes.fromhex(subject.sha256)
    hashed = Hashed.model_validate({"algorithm": "SHA2_256", "digest": digest})
    verifier.verify_artifact(hashed, bundle, identity)
    if not isinstance(signature, LockSignature):
        return f"sha256 {subject.sha256}"
    if problems := signature.problems(subject):
        raise _OtherBytesError("; ".join(problems))
    return f"the lock names {subject.filename}, sha256 {subject.sha256}"


def _check_statement(kind: str, payload: bytes, subject: Subject) -> None:
    """Refuse an attestation that is not of exactly this file.

    Source: in-toto Statement v1; PEP 740.
    """
    if kind != _PAYLOAD_TYPE:
        raise _OtherBytesError(f"the payload is {kind!r}, not an in-toto statement")
    statement, issues = decode(payload)
    if issues:
        raise _OtherBytesError(f"the statement {issues[0].message}")
    if not isinstance(statement, dict) or statement.get("_type") not in _STATEMENTS:
        raise _OtherBytesError("the payload is not an in-toto statement of a version that is known")
    if statement.get("predicateType") not in _PREDICATES:
        raise _OtherBytesError(f"predicate {str(statement.get('predicateType'))[:100]!r} is not known")
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise _OtherBytesError("the attestation does not name exactly one file")
    name, digest = subjects[0].get("name"), subjects[0].get("digest")
    if name != subject.filename:
        raise _OtherBytesError(f"the attestation is of {str(name)[:200]!r}, not of {subject.filename}")
    sha256 = digest.get("sha256") if isinstance(digest, dict) else None
    if sha256 != subject.sha256:
        raise _OtherBytesError(
            f"the attestation is of sha256 {str(sha256)[:64]}, the file has {subject.sha256}"
        )


def _open(bundle: Bundle) -> _Opened:
    """Read what a report needs of a bundle, from its public JSON and its certificate.

    The certificate's fields are decoded when they are asked for, so a malformed one shows here.
    """
    value = json.loads(bundle.to_json())
    entry = value["verificationMaterial"]["tlogEntries"][0]
    seconds = int(entry.get("integratedTime") or 0) if entry.get("inclusionPromise") else 0
    certificate = bundle.signing_certificate
    time = datetime.fromtimestamp(seconds, UTC) if seconds else certificate.not_valid_before_utc
    log = {
        "signed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "log_index": int(entry.get("logIndex") or 0),
        "log_id": b64decode(entry["logId"]["keyId"]).hex(),
    }
    line = f"issued by {certificate.issuer.rfc4514_string()}, serial {certificate.serial_number:x}"
    return _Opened(bundle, value.get("dsseEnvelope") is not None, log, line)


def _log_line(log: dict[str, Any]) -> str:
    return f"entry {log['log_index']} in log {log['log_id'][:16]}…, {log['signed_at']}"


def _unread(why: str) -> Established:
    rest = tuple(step(number, NOT_REACHED, "step 1 failed") for number in (2, 3, 4))
    return Established((step(1, FAILED, why), *rest), None)


def _one_line(error: Exception) -> str:
    """Return an error's text on one line, without control characters: a bundle may have written some."""
    text = " ".join((str(error) or type(error).__name__).split())
    return "".join(c for c in text if c.isprintable())[:300]
