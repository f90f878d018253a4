"""What is to be trusted, and where its signature comes from: nothing is believed before `procedure`."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from viloapp_core.foundation.errors import FileError

MAX_SIGNATURE_BYTES = 1 << 20
"""A real bundle has 4 to 10 KiB; a hostile one must not fill memory."""
MAX_LOCK_BYTES = 8 << 20
MAX_ATTESTATIONS = 16
"""How many attestations of one file are looked at."""


@dataclass(frozen=True)
class Subject:
    """The artifact at hand, as whoever read it has it; nothing here is a claim of the signer.

    Args:
        plugin_id: the plugin that was asked for, by its normalized name.
        version: of the artifact.
        filename: the wheel's.
        sha256: of the bytes that are installed, hexadecimal.
        lock_digest: of the lock it is installed with; empty outside an installation.
    """

    plugin_id: str
    version: str
    filename: str
    sha256: str
    lock_digest: str = ""


@dataclass(frozen=True)
class ProvenanceSignature:
    """The provenance object of an index: attestations of one file.

    Source: PEP 740.
    """

    KIND: ClassVar = "provenance"
    data: bytes


@dataclass(frozen=True)
class AttestationSignature:
    """One attestation beside a file, ``<wheel>.publish.attestation``.

    Source: PEP 740.
    """

    KIND: ClassVar = "attestation"
    data: bytes


@dataclass(frozen=True)
class BundleSignature:
    """A sigstore bundle beside a wheel, ``<wheel>.sigstore.json``, of its bytes or an attestation of it.

    Source: the bundle format of sigstore/protobuf-specs.
    """

    KIND: ClassVar = "bundle"
    data: bytes


@dataclass(frozen=True)
class LockSignature:
    """The signature of a ``.viloplugin``: a bundle over the bytes of its lock, which has every hash."""

    KIND: ClassVar = "lock"
    data: bytes
    lock: bytes

    def problems(self, subject: Subject) -> list[str]:
        """Return in what the lock is not of the subject: another plugin, another version, another hash."""
        import tomllib

        try:
            value = tomllib.loads(self.lock.decode())
        except (ValueError, RecursionError) as error:
            return [f"the lock is not TOML: {error}"]
        named = _table(value.get("tool"), "viloapp").get("plugin")
        found = (
            [] if named == subject.plugin_id else [f"the lock is of {named!r}, not of {subject.plugin_id}"]
        )
        packages = value.get("packages")
        rows = [row for row in packages if isinstance(row, Mapping)] if isinstance(packages, list) else []
        own = [row for row in rows if row.get("name") == subject.plugin_id]
        if len(own) != 1 or own[0].get("version") != subject.version:
            return [*found, f"the lock does not have {subject.plugin_id} {subject.version}, once"]
        wheels = own[0].get("wheels")
        hashes = (
            [_table(wheel, "hashes").get("sha256") for wheel in wheels] if isinstance(wheels, list) else []
        )
        if subject.sha256 not in hashes:
            found.append(f"the lock has no wheel of {subject.plugin_id} with sha256 {subject.sha256}")
        return found


Signature = ProvenanceSignature | AttestationSignature | BundleSignature | LockSignature

EVIDENCE = "signature.json"
SIGNED_LOCK = "signed-pylock.toml"


def evidence_files(signature: Signature) -> dict[str, bytes]:
    """Return the files that keep a signature beside a receipt, so that it can be checked again."""
    files = {EVIDENCE: signature.data}
    return files | {SIGNED_LOCK: signature.lock} if isinstance(signature, LockSignature) else files


def read_evidence(generation: Path, kind: str) -> Signature | None:
    """Return the signature that was kept in a generation, or None when there is none.

    Args:
        generation: its folder.
        kind: the ``evidence`` of the receipt.

    Raises:
        FileError: it cannot be read or is too large.
    """
    if (data := _read(generation / EVIDENCE, MAX_SIGNATURE_BYTES)) is None:
        return None
    if kind == LockSignature.KIND:
        lock = _read(generation / SIGNED_LOCK, MAX_LOCK_BYTES)
        return None if lock is None else LockSignature(data, lock)
    plain = (ProvenanceSignature, AttestationSignature, BundleSignature)
    return next((cls(data) for cls in plain if kind == cls.KIND), None)


def read_beside(path: Path) -> Signature | None:
    """Return the signature beside a file, under the names that its tools give it; None when there is none.

    Raises:
        FileError: it cannot be read or is too large.
    """
    for suffix in (".sigstore.json", ".sigstore", ".provenance", ".publish.attestation"):
        if (data := _read(path.with_name(path.name + suffix), MAX_SIGNATURE_BYTES)) is not None:
            return recognize(data)
    return None


def recognize(data: bytes) -> Signature:
    """Return a signature by the look of its JSON; what looks like nothing is called a bundle, and fails."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "attestation_bundles" in value:
        return ProvenanceSignature(data)
    if isinstance(value, dict) and "verification_material" in value:
        return AttestationSignature(data)
    return BundleSignature(data)


def _read(path: Path, limit: int) -> bytes | None:
    try:
        # Of a pipe that somebody put there nobody may ever write the other end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileError(f"{path} is no file")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise FileError(f"{path} is larger than {limit} bytes")
    return data


def _table(value: Any, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}
