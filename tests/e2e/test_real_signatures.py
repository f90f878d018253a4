"""Signatures of real publications, verified by the installed command, and each thing that breaks them.

The folder with them is named by ``$VILOAPP_ATTESTATIONS``; the files that they are of come from the index.
The attestation of rfc8785 0.1.2 was made with Sigstore's staging instance: the shipped root has to refuse it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Finished, Viloapp

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        "VILOAPP_ATTESTATIONS" not in os.environ,
        reason="$VILOAPP_ATTESTATIONS names no folder with signatures",
    ),
]
SDIST = "pypi_attestations-0.0.19.tar.gz"
WHEEL = "rfc8785-0.1.2-py3-none-any.whl"
PUBLISHER = (
    "github:trailofbits/pypi-attestations@.github/workflows/release.yml,"
    "repository-id=772247423,owner-id=2314423"
)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published files, from the index."""
    folder = tmp_path_factory.mktemp("artifacts")
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*download, "--only-binary", ":all:", "rfc8785==0.1.2"], check=True, timeout=240)
    subprocess.run(
        [*download, "--no-binary", "pypi-attestations", "pypi-attestations==0.0.19"], check=True, timeout=240
    )
    return folder


@pytest.fixture
def verify(app: Viloapp, artifacts: Path, tmp_path: Path) -> Callable[..., Finished]:
    """Return a function that verifies a copy of the source distribution, after changes, in JSON."""

    def run(
        change: Callable[[Json], None] | None = None,
        *,
        publisher: str = PUBLISHER,
        append: bytes = b"",
        name: str = SDIST,
        signature: str = f"{SDIST}.provenance",
    ) -> Finished:
        copy = tmp_path / name
        shutil.copyfile(artifacts / name, copy)
        copy.write_bytes(copy.read_bytes() + append)
        value = json.loads((Path(os.environ["VILOAPP_ATTESTATIONS"]) / signature).read_bytes())
        if change is not None:
            change(value)
        (tmp_path / "signature.json").write_text(json.dumps(value))
        named = ("--signature", str(tmp_path / "signature.json"), "--publisher", publisher)
        return app("verify", str(copy), *named, "--json")

    return run


def _failed(finished: Finished) -> list[int]:
    assert finished.code == 1
    value = json.loads(finished.out)
    assert value["passed"] is False
    return [step["number"] for step in value["steps"] if step["outcome"] == "failed"]


def _attestation(value: Json) -> Json:
    found = value["attestation_bundles"][0]["attestations"][0]
    assert isinstance(found, dict)
    return found


def _flipped(text: str) -> str:
    data = bytearray(b64decode(text))
    data[-8] ^= 1
    return b64encode(data).decode()


def test_a_real_release_verifies(verify: Callable[..., Finished]) -> None:
    """A release of 2024, built by GitHub Actions from a tag, passes every step under the shipped root."""
    finished = verify()
    assert finished.code == 0, finished.out
    value = json.loads(finished.out)
    assert [step["outcome"] for step in value["steps"]] == ["passed"] * 7
    signer = value["signer"]
    assert (signer["repository"], signer["ref"]) == ("trailofbits/pypi-attestations", "refs/tags/v0.0.19")
    assert (signer["signed_at"], signer["log_index"]) == ("2024-12-04T23:14:01Z", 153454663)
    alone = verify(signature=f"{SDIST}.publish.attestation")
    assert alone.code == 0, alone.out


def test_without_any_network(artifacts: Path, tmp_path: Path) -> None:
    """The same in an empty network namespace: there is not even loopback."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rn", "true"]).returncode:
        pytest.skip("this machine gives no network namespace")
    command = Path(sys.executable).with_name("viloapp")
    signature = Path(os.environ["VILOAPP_ATTESTATIONS"]) / f"{SDIST}.provenance"
    arguments = ["verify", str(artifacts / SDIST), "--signature", str(signature), "--publisher", PUBLISHER]
    ran = subprocess.run(
        ["unshare", "-rn", str(command), *arguments], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr


def test_step_1_the_signature(verify: Callable[..., Finished]) -> None:
    """A provenance without attestations is none."""
    assert _failed(verify(lambda value: value.update(attestation_bundles=[]))) == [1]


def test_step_2_one_byte_of_the_certificate(verify: Callable[..., Finished]) -> None:
    """A changed certificate is of no authority."""

    def change(value: Json) -> None:
        material = _attestation(value)["verification_material"]
        material["certificate"] = _flipped(material["certificate"])

    assert _failed(verify(change)) == [2]


def test_step_3_one_byte_of_the_log_entry(verify: Callable[..., Finished]) -> None:
    """A changed promise of the log, and a changed proof, are not the log's."""

    def promise(value: Json) -> None:
        entry = _attestation(value)["verification_material"]["transparency_entries"][0]
        entry["inclusionPromise"]["signedEntryTimestamp"] = _flipped(
            entry["inclusionPromise"]["signedEntryTimestamp"]
        )

    def proof(value: Json) -> None:
        entry = _attestation(value)["verification_material"]["transparency_entries"][0]
        entry["inclusionProof"]["hashes"][0] = _flipped(entry["inclusionProof"]["hashes"][0])

    assert _failed(verify(promise)) == [3]
    assert _failed(verify(proof)) == [3]


def test_step_4_one_byte_of_the_file_or_of_the_signature(verify: Callable[..., Finished]) -> None:
    """Other bytes, and another signature or statement, do not fit together."""

    def signature(value: Json) -> None:
        envelope = _attestation(value)["envelope"]
        envelope["signature"] = _flipped(envelope["signature"])

    def statement(value: Json) -> None:
        envelope = _attestation(value)["envelope"]
        envelope["statement"] = _flipped(envelope["statement"])

    assert _failed(verify(append=b"!")) == [4]
    assert _failed(verify(signature)) == [4]
    assert _failed(verify(statement)) == [4]


@pytest.mark.parametrize(
    "publisher",
    [
        PUBLISHER.replace("trailofbits", "trailofbit"),
        PUBLISHER.replace("owner-id=2314423", "owner-id=2314424"),
        PUBLISHER.replace("repository-id=772247423", "repository-id=772247424"),
        PUBLISHER.replace("release.yml", "releases.yml"),
        PUBLISHER + ",ref=refs/tags/v0.0.20",
        "email:someone@example.org,issuer=https://accounts.google.com",
    ],
)
def test_step_5_another_identity(verify: Callable[..., Finished], publisher: str) -> None:
    """One thing of the identity that differs is enough."""
    assert _failed(verify(publisher=publisher)) == [5]


def test_a_signature_of_the_staging_instance_is_refused(verify: Callable[..., Finished]) -> None:
    """A true wheel with a true bundle of Sigstore's staging instance: not of the root that counts."""
    someone = "email:william@yossarian.net,issuer=https://github.com/login/oauth"
    for suffix in (".sigstore", ".publish.attestation"):
        assert _failed(verify(name=WHEEL, signature=WHEEL + suffix, publisher=someone)) == [2]


def test_the_staging_bundle_verifies_where_staging_is_configured(
    app: Viloapp, artifacts: Path, tmp_path: Path
) -> None:
    """The same wheel and bundle pass where a configuration has the root of staging."""
    import sigstore

    store = Path(sigstore.__file__).parent / "_store"
    (folder,) = [each for each in store.iterdir() if each.name.endswith("sigstage.dev")]
    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": json.loads((folder / "trusted_root.json").read_bytes()),
        "signingConfig": json.loads((folder / "signing_config.v0.2.json").read_bytes()),
    }
    (tmp_path / "staging.json").write_text(json.dumps(config))
    someone = "email:william@yossarian.net,issuer=https://github.com/login/oauth"
    for suffix in (".sigstore", ".publish.attestation"):
        signature = str(Path(os.environ["VILOAPP_ATTESTATIONS"]) / (WHEEL + suffix))
        arguments = ("--signature", signature, "--publisher", someone)
        app(
            "verify", str(artifacts / WHEEL), *arguments, "--trust-config", str(tmp_path / "staging.json")
        ).ok()
