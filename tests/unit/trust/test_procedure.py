"""The seven steps, each with what makes it fail. The cryptography is real, the authority the tests' own."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.authority import Authority, email, github, gitlab
from tests.unit.trust.conftest import NOW, SUBJECT, WHEEL, Signed
from viloapp_core import trust
from viloapp_core.trust.blocks import Blocks, read_list
from viloapp_core.trust.book import Book
from viloapp_core.trust.signatures import MAX_SIGNATURE_BYTES

Json = dict[str, Any]
PASSED = ["passed"] * 7
RELEASE = "github:octo/hello@.github/workflows/release.yml,repository-id=123,owner-id=45"


def pinned(text: str = RELEASE) -> Book:
    """A book in which somebody is the publisher of hello."""
    return Book().pinned("hello", trust.parse_publisher(text), "2026-01-01T00:00:00Z")


def outcomes(examination: trust.Examination) -> list[str]:
    """The outcomes of the steps, in order."""
    return [one.outcome for one in examination.steps]


def only_failure(examination: trust.Examination) -> trust.Step:
    """The one step that failed, after which `verify` refuses."""
    (step,) = examination.failed
    with pytest.raises(trust.RefusedError):
        trust.verify(examination, now=NOW, accept=examination.offered)
    return step


def changed(bundle: bytes, how: Callable[[Json], None]) -> trust.BundleSignature:
    """The same bundle after a change to its JSON."""
    value = json.loads(bundle)
    how(value)
    return trust.BundleSignature(json.dumps(value).encode())


def flipped(text: str, place: int = -8) -> str:
    """Base64 of the same bytes with one bit of one byte changed."""
    data = bytearray(b64decode(text))
    data[place] ^= 1
    return b64encode(data).decode()


def _sign(signed: Signed, identity: Json, source: str) -> trust.Signature:
    if source == "bundle":
        return trust.BundleSignature(signed.service.sign(WHEEL, identity))
    if source == "attestation":
        return trust.AttestationSignature(signed.service.attest(signed.wheel, identity))
    return trust.ProvenanceSignature(signed.service.provenance(signed.wheel, identity))


# What passes


@pytest.mark.parametrize("identity", [github(), gitlab(), email()], ids=["github", "gitlab", "email"])
@pytest.mark.parametrize("source", ["bundle", "attestation", "provenance"])
def test_whoever_is_pinned_passes(signed: Signed, identity: Json, source: str) -> None:
    """Each kind of publisher and source of a signature: a person is asked the first time, then it passes."""
    signature = _sign(signed, identity, source)
    first = signed.examine(signature)
    assert outcomes(first) == ["passed"] * 4 + ["needs a person"] + ["passed"] * 2
    assert first.first_use
    with pytest.raises(trust.FirstUseError) as caught:
        trust.verify(first, now=NOW)
    assert str(caught.value.publisher) in caught.value.hint.replace("'", "")
    artifact = trust.verify(first, now=NOW, accept=first.offered)
    assert artifact.publisher is not None
    again = signed.examine(signature, book=pinned(str(artifact.publisher)))
    assert outcomes(again) == PASSED
    assert trust.verify(again, now=NOW).label == f"signed by {artifact.publisher.short}"


def test_who_signed_is_told_in_full(signed: Signed) -> None:
    """The signer has all that a person has to see: repository, ids, workflow, ref, commit, time, log."""
    signer = signed.examine().signer
    assert signer is not None
    lines = "\n".join(signer.lines())
    for part in (
        "signed by: https://github.com/octo/hello/.github/workflows/release.yml@refs/tags/v1.0",
        "vouched for by: https://token.actions.githubusercontent.com",
        "repository: octo/hello (id 123, owner's id 45)",
        "workflow: .github/workflows/release.yml",
        "built from: refs/tags/v1.0",
        "commit: 0123456789abcdef",
        "log entry: ",
    ):
        assert part in lines
    signed_at = datetime.fromisoformat(signer.signed_at)
    assert abs((datetime.now(UTC) - signed_at).total_seconds()) < 3600
    assert trust.Signer.from_json(json.loads(json.dumps(signer.to_json()))) == signer


def test_a_bundle_file_of_an_attestation_passes(signed: Signed) -> None:
    """A ``.sigstore.json`` that holds an attestation of the file, as a build action makes it, is as good."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": SUBJECT.filename, "digest": {"sha256": SUBJECT.sha256}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    bundle = signed.service.attest_statement(json.dumps(statement).encode(), github())
    assert outcomes(signed.examine(trust.BundleSignature(bundle), book=pinned())) == PASSED


def test_evidence_is_kept_and_read_back(signed: Signed, tmp_path: Path) -> None:
    """What an artifact keeps beside its receipt is enough to examine it again."""
    lock = _lock()
    for signature in (
        trust.BundleSignature(signed.bundle),
        trust.LockSignature(signed.service.sign(lock, github()), lock),
        trust.ProvenanceSignature(signed.service.provenance(signed.wheel, github())),
    ):
        artifact = trust.verify(signed.examine(signature, book=pinned()), now=NOW)
        assert artifact.covers_dependencies is isinstance(signature, trust.LockSignature)
        for name, data in artifact.evidence_files().items():
            (tmp_path / name).write_bytes(data)
        kept = trust.read_evidence(tmp_path, artifact.to_receipt()["evidence"])
        assert kept == signature
        assert outcomes(signed.examine(kept, book=pinned())) == PASSED


# Step 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"[" * 200_000,
        b'{"attestation_bundles": [], "version": 1}',
        b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}',
        b"\xff" * 100,
    ],
)
def test_step_1_what_cannot_be_read(signed: Signed, data: bytes) -> None:
    """What is no bundle is refused at the first step, whatever it is called."""
    for signature in (
        trust.BundleSignature(data),
        trust.AttestationSignature(data),
        trust.ProvenanceSignature(data),
        trust.recognize(data),
    ):
        examination = signed.examine(signature, book=pinned())
        assert only_failure(examination).number == 1
        assert outcomes(examination)[1:5] == ["not reached"] * 4


def test_step_1_a_signature_that_is_too_large(signed: Signed) -> None:
    """More than a mebibyte is not even parsed."""
    data = signed.bundle + b" " * MAX_SIGNATURE_BYTES
    step = only_failure(signed.examine(trust.BundleSignature(data), book=pinned()))
    assert (step.number, step.detail) == (1, "it is larger than 1048576 bytes")


def test_step_1_too_many_attestations(signed: Signed) -> None:
    """A provenance of hundreds of attestations is not worked through."""
    value = json.loads(signed.service.provenance(signed.wheel, github()))
    value["attestation_bundles"][0]["attestations"] *= 17
    signature = trust.ProvenanceSignature(json.dumps(value).encode())
    step = only_failure(signed.examine(signature, book=pinned()))
    assert (step.number, step.detail) == (1, "it has 17 attestations, more than 16")


def test_step_1_a_certificate_whose_fields_cannot_be_decoded(signed: Signed) -> None:
    """DER that is well-formed outside and not inside is found when a field is asked for, and is a refusal."""

    def spoil(value: Json) -> None:
        certificate = value["verificationMaterial"]["certificate"]
        data = bytearray(b64decode(certificate["rawBytes"]))
        # The first string of the issuer's name: 0x0C is a UTF8String, 0x0A an enumeration.
        data[data.index(b"\x0c\x0etest authority")] = 0x0A
        certificate["rawBytes"] = b64encode(data).decode()

    assert only_failure(signed.examine(changed(signed.bundle, spoil), book=pinned())).number == 1


def test_step_1_two_log_entries(signed: Signed) -> None:
    """A bundle has exactly one entry: a second could be the one that somebody else looks at."""

    def twice(value: Json) -> None:
        value["verificationMaterial"]["tlogEntries"] *= 2

    assert only_failure(signed.examine(changed(signed.bundle, twice), book=pinned())).number == 1


# Step 2


def test_step_2_one_bit_of_the_certificate(signed: Signed) -> None:
    """A certificate that was changed anywhere is not of the root."""

    def flip(value: Json) -> None:
        certificate = value["verificationMaterial"]["certificate"]
        certificate["rawBytes"] = flipped(certificate["rawBytes"])

    examination = signed.examine(changed(signed.bundle, flip), book=pinned())
    assert only_failure(examination).number == 2
    assert outcomes(examination)[2:5] == ["not reached"] * 3
    assert examination.signer is None


def test_step_2_another_authority(signed: Signed) -> None:
    """The same identity from an authority that is not trusted, as anybody can run one, is nobody."""
    with Authority() as other:
        bundle = other.sign(WHEEL, github())
    examination = signed.examine(trust.BundleSignature(bundle), book=pinned())
    assert only_failure(examination).number == 2


def test_step_2_the_shipped_root_refuses_the_test_authority(signed: Signed) -> None:
    """Without a configuration that says otherwise, only Sigstore's public root counts."""
    examination = signed.examine(book=pinned(), authority=signed.keeper.authority(NOW))
    assert only_failure(examination).number == 2


def test_step_2_no_log_of_certificates_knows_it(signed: Signed, tmp_path: Path) -> None:
    """A certificate that the authority gave away without its log is refused (SCT)."""
    config = json.loads(signed.service.client_trust_config())
    with Authority() as other:
        config["trustedRoot"]["ctlogs"] = other.trusted_root()["ctlogs"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    authority = signed.keeper.authority(NOW, tmp_path / "config.json")
    step = only_failure(signed.examine(book=pinned(), authority=authority))
    assert step.number == 2
    assert "SCT" in step.detail


def test_step_2_signed_after_the_certificate_had_expired(signed: Signed) -> None:
    """A key that was stolen after its ten minutes signs nothing: the log's time is outside of them."""
    signed.service.log.skew_s = 3600
    try:
        bundle = signed.service.sign(WHEEL, github())
    finally:
        signed.service.log.skew_s = 0
    assert only_failure(signed.examine(trust.BundleSignature(bundle), book=pinned())).number == 2


# Step 3


def _entry(value: Json) -> Json:
    (entry,) = value["verificationMaterial"]["tlogEntries"]
    assert isinstance(entry, dict)
    return entry


def _flip_promise(value: Json) -> None:
    promise = _entry(value)["inclusionPromise"]
    promise["signedEntryTimestamp"] = flipped(promise["signedEntryTimestamp"])


def _flip_root(value: Json) -> None:
    proof = _entry(value)["inclusionProof"]
    proof["rootHash"] = flipped(proof["rootHash"])


def _flip_checkpoint(value: Json) -> None:
    checkpoint = _entry(value)["inclusionProof"]["checkpoint"]
    head, _, signature = checkpoint["envelope"].rstrip("\n").rpartition(" ")
    checkpoint["envelope"] = f"{head} {flipped(signature)}\n"


def _earlier(value: Json) -> None:
    entry = _entry(value)
    entry["integratedTime"] = str(int(entry["integratedTime"]) - 1)


def _other_place(value: Json) -> None:
    entry = _entry(value)
    entry["logIndex"] = str(int(entry["logIndex"]) + 1)


def _no_proof(value: Json) -> None:
    proof = _entry(value)["inclusionProof"]
    proof["treeSize"], proof["logIndex"] = "1", "0"
    proof["hashes"] = []


@pytest.mark.parametrize(
    "how", [_flip_promise, _flip_root, _flip_checkpoint, _earlier, _other_place, _no_proof]
)
def test_step_3_the_log_entry(signed: Signed, how: Callable[[Json], None]) -> None:
    """A promise, proof, checkpoint, time or place that is not what the log signed is refused."""
    signed.service.sign(b"something before", github())  # so that the proof has hashes
    bundle = signed.service.sign(WHEEL, github())
    examination = signed.examine(changed(bundle, how), book=pinned())
    assert only_failure(examination).number == 3
    assert outcomes(examination)[:4] == ["passed", "passed", "failed", "not reached"]


def test_step_3_a_log_that_is_not_of_the_root(signed: Signed, tmp_path: Path) -> None:
    """An entry of a log that nobody trusts is none."""
    config = json.loads(signed.service.client_trust_config())
    with Authority() as other:
        config["trustedRoot"]["tlogs"] = other.trusted_root()["tlogs"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    authority = signed.keeper.authority(NOW, tmp_path / "config.json")
    assert only_failure(signed.examine(book=pinned(), authority=authority)).number == 3


# Step 4


def test_step_4_one_byte_of_the_wheel(signed: Signed) -> None:
    """Other bytes under the same name are refused, whatever the source of the signature."""
    subject = replace(SUBJECT, sha256=hashlib.sha256(WHEEL + b"!").hexdigest())
    for signature in (
        trust.BundleSignature(signed.bundle),
        trust.AttestationSignature(signed.service.attest(signed.wheel, github())),
        trust.ProvenanceSignature(signed.service.provenance(signed.wheel, github())),
    ):
        examination = signed.examine(signature, subject=subject, book=pinned())
        assert only_failure(examination).number == 4
        assert outcomes(examination)[:4] == ["passed", "passed", "passed", "failed"]


def test_step_4_one_bit_of_the_signature(signed: Signed) -> None:
    """A signature that was changed is refused, and the log's entry is of another one."""

    def flip(value: Json) -> None:
        value["messageSignature"]["signature"] = flipped(value["messageSignature"]["signature"], -1)

    assert only_failure(signed.examine(changed(signed.bundle, flip), book=pinned())).number == 4


def test_step_4_a_true_entry_of_something_else(signed: Signed) -> None:
    """Certificate and signature of one, log entry of another signature: refused."""
    other = json.loads(signed.service.sign(b"something else", github()))

    def swap(value: Json) -> None:
        value["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]

    assert only_failure(signed.examine(changed(signed.bundle, swap), book=pinned())).number == 4


def test_step_4_the_bundle_of_another_wheel(signed: Signed) -> None:
    """A true bundle of the right publisher, over another file."""
    bundle = signed.service.sign(b"another wheel", github())
    assert only_failure(signed.examine(trust.BundleSignature(bundle), book=pinned())).number == 4


def test_step_4_the_right_bytes_under_another_name(signed: Signed) -> None:
    """An attestation is of a file name too: the same bytes under the name of a higher version are refused."""
    signature = trust.AttestationSignature(signed.service.attest(signed.wheel, github()))
    subject = replace(SUBJECT, filename="hello-9.0-py3-none-any.whl", version="9.0")
    step = only_failure(signed.examine(signature, subject=subject, book=pinned()))
    assert (step.number, "not of hello-9.0" in step.detail) == (4, True)


STATEMENT: Json = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": SUBJECT.filename, "digest": {"sha256": SUBJECT.sha256}}],
    "predicateType": "https://docs.pypi.org/attestations/publish/v1",
    "predicate": None,
}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"predicateType": "https://example.org/review/v1"}, "is not known"),
        ({"subject": STATEMENT["subject"] * 2}, "does not name exactly one file"),
        (
            {"subject": [{"name": "other-1.0-py3-none-any.whl", "digest": {"sha256": SUBJECT.sha256}}]},
            "the attestation is of 'other-1.0-py3-none-any.whl'",
        ),
        (
            {"subject": [{"name": SUBJECT.filename, "digest": {"sha512": "0" * 128}}]},
            "the attestation is of sha256 None",
        ),
    ],
)
def test_step_4_an_attestation_of_something_else(signed: Signed, change: Json, why: str) -> None:
    """A true attestation that says something else of this file, or the same of another, is refused."""
    statement = json.dumps(STATEMENT | change).encode()
    signature = trust.BundleSignature(signed.service.attest_statement(statement, github()))
    step = only_failure(signed.examine(signature, book=pinned()))
    assert (step.number, why in step.detail) == (4, True), step.detail


def _lock(plugin: str = "hello", version: str = "1.0", sha256: str = SUBJECT.sha256) -> bytes:
    return (
        f'lock-version = "1.0"\ncreated-by = "viloapp"\n[[packages]]\nname = "hello"\nversion = "{version}"\n'
        f'[[packages.wheels]]\npath = "wheels/{SUBJECT.filename}"\nhashes = {{sha256 = "{sha256}"}}\n'
        f'[[packages]]\nname = "numpy"\nversion = "2.0"\n[[packages.wheels]]\npath = "wheels/numpy.whl"\n'
        f'hashes = {{sha256 = "{"d" * 64}"}}\n[tool.viloapp]\nplugin = "{plugin}"\n'
    ).encode()


def test_step_4_a_signed_lock(signed: Signed) -> None:
    """One signature over a bundle's lock covers the plugin's wheel in it."""
    lock = _lock()
    signature = trust.LockSignature(signed.service.sign(lock, github()), lock)
    assert outcomes(signed.examine(signature, book=pinned())) == PASSED


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        (_lock(plugin="other"), "the lock is of 'other', not of hello"),
        (_lock(version="2.0"), "does not have hello 1.0"),
        (_lock(sha256="e" * 64), "has no wheel of hello with sha256"),
        (b"not toml [", "the lock is not TOML"),
        (b"", "the lock is of None"),
    ],
)
def test_step_4_a_signed_lock_of_something_else(signed: Signed, lock: bytes, why: str) -> None:
    """A true signature over a lock that names another plugin, version or wheel is refused.

    A dependency that stands in the lock with its own hash does not pass for the plugin.
    """
    signature = trust.LockSignature(signed.service.sign(lock, github()), lock)
    step = only_failure(signed.examine(signature, book=pinned()))
    assert (step.number, why in step.detail) == (4, True), step.detail


def test_step_4_a_lock_that_was_changed(signed: Signed) -> None:
    """The signature of one lock is not of another."""
    signature = trust.LockSignature(signed.service.sign(_lock(), github()), _lock() + b"\n")
    assert only_failure(signed.examine(signature, book=pinned())).number == 4


# Step 5


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (github("octo/other"), "repository: octo/other signed"),
        (github(owner_id="46"), "owner's id: 46 signed, 45 is expected"),
        (github(repository_id="124"), "repository's id: 124 signed, 123 is expected"),
        (github(ref="refs/heads/main"), "ref: refs/heads/main signed, refs/tags/* is expected"),
        (github(ref="refs/pull/7/merge"), "ref: refs/pull/7/merge signed"),
        (github(workflow=".github/workflows/test.yml"), "workflow: .github/workflows/test.yml signed"),
        (github(builder="evil/w/.github/workflows/x.yml@refs/tags/v1"), "signing workflow: "),
        (gitlab("octo/hello"), "kind: gitlab"),
        (email("octo@example.org"), "kind: email"),
    ],
)
def test_step_5_a_changed_publisher(signed: Signed, identity: Json, why: str) -> None:
    """Whoever is not the pinned publisher is a hard stop that shows both, and naming them does not help."""
    signature = trust.BundleSignature(signed.service.sign(WHEEL, identity))
    examination = signed.examine(signature, book=pinned())
    (step,) = examination.failed
    assert (step.number, why in step.detail) == (5, True), step.detail
    for accept in (None, examination.offered):
        with pytest.raises(trust.ChangedPublisherError) as caught:
            trust.verify(examination, now=NOW, accept=accept)
        assert f"pinned: {RELEASE}" in caught.value.detail
        assert str(examination.offered) in caught.value.detail
        assert "viloapp trust unpin hello" in caught.value.hint


def test_step_5_the_first_use_of_a_branch_build(signed: Signed) -> None:
    """The first time too a branch is no release; a person can name that very branch."""
    signature = trust.BundleSignature(signed.service.sign(WHEEL, github(ref="refs/heads/main")))
    examination = signed.examine(signature)
    assert not examination.first_use
    with pytest.raises(trust.RefusedError, match="which is no release") as caught:
        trust.verify(examination, now=NOW)
    assert "ref=refs/heads/main" in caught.value.hint
    named = trust.parse_publisher(f"{RELEASE},ref=refs/heads/main")
    assert trust.verify(examination, now=NOW, accept=named).publisher == named


def test_step_5_naming_somebody_else(signed: Signed) -> None:
    """``--trust-publisher`` that names another than who signed is refused, pinned or not."""
    named = trust.parse_publisher("github:octo/other@.github/workflows/release.yml")
    for book in (Book(), pinned()):
        with pytest.raises(trust.ChangedPublisherError, match="is not signed by the named publisher"):
            trust.verify(signed.examine(book=book), now=NOW, accept=named)


def test_step_5_what_a_person_left_open_is_filled_in(signed: Signed) -> None:
    """Naming a repository without ids pins the ids of the one that signed."""
    named = trust.parse_publisher("github:octo/hello@.github/workflows/release.yml")
    artifact = trust.verify(signed.examine(), now=NOW, accept=named)
    assert str(artifact.publisher) == RELEASE


def test_step_5_an_identity_that_cannot_be_pinned(signed: Signed) -> None:
    """Another CI's identity is true, and of a kind that no pin can hold: refused."""
    identity = {"iss": "https://oidc.circleci.com/org/1", "sub": "https://circleci.com/a/b"}
    examination = signed.examine(trust.BundleSignature(signed.service.sign(WHEEL, identity)))
    (step,) = examination.failed
    assert (step.number, "cannot be pinned" in step.detail) == (5, True)
    with pytest.raises(trust.RefusedError, match="cannot be pinned"):
        trust.verify(examination, now=NOW)


def test_step_5_the_pin_of_another_plugin_is_not_asked(signed: Signed) -> None:
    """Being pinned for one plugin does not make somebody the publisher of another."""
    book = Book().pinned("other", trust.parse_publisher(RELEASE), "2026-01-01T00:00:00Z")
    assert signed.examine(book=book).first_use


# Steps 6 and 7


def _blocks(**entry: str) -> Blocks:
    listed = {
        "schema": 1,
        "name": "test list",
        "issued": "2026-01-01T00:00:00Z",
        "expires": "2036-01-01T00:00:00Z",
        "entries": [{"reason": "it leaks tokens", **entry}],
    }
    return Blocks((read_list(listed),))


@pytest.mark.parametrize(
    "entry",
    [
        {"plugin": "hello"},
        {"plugin": "hello", "versions": "<1.1"},
        {"publisher": "github:octo/*"},
        {"publisher": "github:*", "owner_id": "45"},
        {"sha256": SUBJECT.sha256},
    ],
)
def test_step_6_what_is_blocked(signed: Signed, entry: dict[str, str]) -> None:
    """A block by plugin, version, publisher, owner or hash holds for what is signed and pinned."""
    examination = signed.examine(book=pinned(), blocks=_blocks(**entry))
    assert only_failure(examination).number == 6
    with pytest.raises(trust.RevokedError, match="hello is blocked by the list 'test list': it leaks tokens"):
        trust.verify(examination, now=NOW)


@pytest.mark.parametrize(
    "entry",
    [
        {"plugin": "other"},
        {"plugin": "hello", "versions": ">=1.1"},
        {"publisher": "github:evil/*"},
        {"plugin": "hello", "publisher": "github:evil/*"},
        {"sha256": "0" * 64},
    ],
)
def test_step_6_what_is_not_blocked(signed: Signed, entry: dict[str, str]) -> None:
    """What an entry names has to hold all at once."""
    assert outcomes(signed.examine(book=pinned(), blocks=_blocks(**entry))) == PASSED


def test_step_7_an_older_release(signed: Signed) -> None:
    """A true signature of a release that is older than what was installed is refused: it is replayed."""
    examination = signed.examine(book=pinned().seen("hello", "1.10"))
    assert only_failure(examination).number == 7
    with pytest.raises(trust.DowngradeError, match=r"1\.0 is older than 1\.10") as caught:
        trust.verify(examination, now=NOW)
    assert "viloapp rollback hello" in caught.value.hint


def test_step_7_the_same_release_again(signed: Signed) -> None:
    """Installing what is installed is no downgrade."""
    assert outcomes(signed.examine(book=pinned().seen("hello", "1.0"))) == PASSED


def test_every_failure_is_reported_at_once(signed: Signed) -> None:
    """Steps that do not depend on each other each report: a changed publisher of a blocked, older release."""
    signature = trust.BundleSignature(signed.service.sign(WHEEL, github("octo/other")))
    book = pinned().seen("hello", "2.0")
    examination = signed.examine(signature, book=book, blocks=_blocks(plugin="hello"))
    assert [one.number for one in examination.failed] == [5, 6, 7]


@given(data=st.data())
def test_no_change_to_a_bundle_passes_for_something_else(signed: Signed, data: st.DataObject) -> None:
    """Whatever byte is changed: no exception, and what passes is the same signer and the same bytes."""
    place = data.draw(st.integers(0, len(signed.bundle) - 1))
    value = data.draw(st.integers(0, 255))
    mutant = signed.bundle[:place] + bytes([value]) + signed.bundle[place + 1 :]
    examination = signed.examine(trust.recognize(mutant), book=pinned())
    if examination.passed:
        assert examination.signer == signed.examine().signer
