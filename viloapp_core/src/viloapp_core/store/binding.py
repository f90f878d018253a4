"""What ties a generation to the artifact that was verified: nothing else may become a generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.store.errors import NotVerifiedError

if TYPE_CHECKING:
    from viloapp_core.store.unpacked import Wheel
    from viloapp_core.trust import VerifiedArtifact

LOCK = "pylock.toml"


@dataclass(frozen=True)
class Locked:
    """What the lock of a generation says."""

    series: str
    """Of Python, such as ``3.11``; its wheels may fit others too."""
    wheels: tuple[tuple[str, str], ...]
    """Name of the distribution and SHA-256 of each wheel."""

    @property
    def digest(self) -> str:
        """What a verified artifact calls this lock."""
        from viloapp_core.resolve.lock import lock_digest

        return lock_digest(self.series, self.wheels)


def read_lock(data: bytes) -> Locked:
    """Return what a generation's lock says.

    Raises:
        ValueError: it is none.
    """
    import tomllib

    try:
        value = tomllib.loads(data.decode())
        series = str(value.get("requires-python", "")).removeprefix("==").removesuffix(".*")
        rows = [(str(item["name"]), str(item["wheels"][0]["hashes"]["sha256"])) for item in value["packages"]]
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"is no lock of a generation: {error!r}") from error
    return Locked(series, tuple(rows))


def check_wheels(artifact: VerifiedArtifact, lock: bytes, wheels: Sequence[Wheel]) -> None:
    """Refuse wheels that are not exactly those that were verified, the plugin's own first.

    Args:
        artifact: what was verified.
        lock: of the generation.
        wheels: what is to be laid down.

    Raises:
        NotVerifiedError: they are others.
    """
    _check_lock(artifact, lock)
    laid = sorted(wheel.sha256 for wheel in wheels)
    if laid != sorted(sha256 for _, sha256 in read_lock(lock).wheels) or wheels[0].sha256 != artifact.sha256:
        raise NotVerifiedError(artifact.plugin_id, "its wheels are not those of its lock")


def check_generation(plugin_id: str, generation: Path, artifact: VerifiedArtifact) -> None:
    """Refuse a generation that is not the artifact's.

    Raises:
        NotVerifiedError: it was made for another plugin, or of other wheels.
    """
    if plugin_id != artifact.plugin_id:
        raise NotVerifiedError(plugin_id, f"what was verified is {artifact.plugin_id}")
    try:
        lock = (generation / LOCK).read_bytes()
    except OSError as error:
        raise NotVerifiedError(plugin_id, f"its lock cannot be read: {error.strerror}") from error
    _check_lock(artifact, lock)


def _check_lock(artifact: VerifiedArtifact, lock: bytes) -> None:
    from viloapp_core.trust import LockSignature  # readers of the store do without

    locked = _locked(artifact, lock)
    if locked.digest != artifact.lock_digest:
        raise NotVerifiedError(artifact.plugin_id, "its lock is not the one that was verified")
    if dict(locked.wheels).get(artifact.plugin_id) != artifact.sha256:
        raise NotVerifiedError(artifact.plugin_id, "its wheel is not the one that was verified")
    if artifact.covers_dependencies:
        assert isinstance(artifact.signature, LockSignature)
        signed = _locked(artifact, artifact.signature.lock)
        if sorted(signed.wheels) != sorted(locked.wheels):
            raise NotVerifiedError(artifact.plugin_id, "its libraries are not those of the signed lock")


def _locked(artifact: VerifiedArtifact, lock: bytes) -> Locked:
    try:
        return read_lock(lock)
    except ValueError as error:
        raise NotVerifiedError(artifact.plugin_id, f"its lock {error}") from error


def receipt_facts(artifact: VerifiedArtifact) -> dict[str, Any]:
    """Return what a receipt keeps of a verified artifact, over whatever else it says."""
    return {
        "plugin_id": artifact.plugin_id,
        "version": artifact.version,
        "lock_digest": artifact.lock_digest,
        "signature": artifact.label,
        "trust": artifact.to_receipt(),
    }
