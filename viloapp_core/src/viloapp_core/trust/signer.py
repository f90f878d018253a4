"""`Signer`: what a verified certificate and log entry say of who signed. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Signer:
    """Who signed, as the certificate authority and the log have it.

    Args:
        kind: ``github``, ``gitlab``, ``email``, or ``other`` for what cannot be pinned.
        issuer: URL of who vouched for the identity.
        identity: the certificate's name: an e-mail address, or the URL of a workflow at a reference.
        repository: ``owner/name``, of a workflow.
        repository_id: the repository's number.
        owner_id: the number of its owner.
        workflow: path of the workflow in the repository.
        builder: URL of the workflow that signed, without its reference; where it is a reusable one of
            another file.
        ref: what was built, like ``refs/tags/v1.0``.
        commit: the hash of the commit that was built.
        trigger: what started the workflow, like ``push``.
        run: URL of the run.
        signed_at: RFC 3339; when the log took the signature, or where the log gives no time, since when the
            certificate was valid, which is for ten minutes.
        log_index: number of the entry in the log.
        log_id: the log's key, hexadecimal.
    """

    kind: str
    issuer: str
    identity: str
    repository: str = ""
    repository_id: str = ""
    owner_id: str = ""
    workflow: str = ""
    builder: str = ""
    ref: str = ""
    commit: str = ""
    trigger: str = ""
    run: str = ""
    signed_at: str = ""
    log_index: int = -1
    log_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return every field, for a receipt or ``--json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Signer:
        """Return the signer that `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        kinds = {field.name: int if field.type == "int" else str for field in fields(cls)}
        if not isinstance(value, dict) or value.keys() != kinds.keys():
            raise ValueError("a signer has other fields")
        if wrong := [name for name, kind in kinds.items() if type(value[name]) is not kind]:
            raise ValueError(f"a signer's {wrong[0]} is of another kind")
        return cls(**value)

    def lines(self) -> list[str]:
        """Return what a person has to see before trusting this signer, a line each."""
        said = [
            ("signed by", self.identity),
            ("vouched for by", self.issuer),
            ("repository", _with_ids(self.repository, self.repository_id, self.owner_id)),
            ("workflow", self.workflow),
            ("signing workflow", self.builder),
            ("built from", self.ref),
            ("commit", self.commit),
            ("started by", self.trigger),
            ("run", self.run),
            ("signed at", self.signed_at),
            ("log entry", f"{self.log_index} in log {self.log_id[:16]}…" if self.log_id else ""),
        ]
        return [f"{name}: {value}" for name, value in said if value]


def _with_ids(repository: str, repository_id: str, owner_id: str) -> str:
    ids = [f"id {repository_id}"] if repository_id else []
    ids += [f"owner's id {owner_id}"] if owner_id else []
    return f"{repository} ({', '.join(ids)})" if repository and ids else repository
