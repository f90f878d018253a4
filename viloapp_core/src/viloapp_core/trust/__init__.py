"""Who made a plugin, checked before anything of it is unpacked.

Keyless sigstore: what is pinned is a publisher's identity, not a key. The cryptography is sigstore's and
pypi-attestations'; they are imported when something is verified or signed, never before.

    keeper = TrustStore(store.root)
    examination = examine(
        Subject("hello", "1.0", "hello-1.0-py3-none-any.whl", sha256, lock_digest),
        BundleSignature(path.read_bytes()),
        authority=keeper.authority(now), book=keeper.read(), blocks=keeper.blocks(now),
    )
    artifact = verify(examination, now=now)      # raises what was refused, and at which step
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viloapp_core.trust.artifact import (
        DEPENDENCIES_NOTE,
        VerifiedArtifact,
        accept_dev,
        accept_unsigned,
        label_of,
        verify,
    )
    from viloapp_core.trust.block_lists import drop_list, take_list
    from viloapp_core.trust.blocks import Block, Blocks
    from viloapp_core.trust.book import Book
    from viloapp_core.trust.errors import (
        ChangedPublisherError,
        DowngradeError,
        FirstUseError,
        PublisherTextError,
        RefreshError,
        RefusedError,
        RevokedError,
        SignatureError,
        SigningError,
        TrustError,
        TrustFileError,
        UnsignedError,
    )
    from viloapp_core.trust.keeper import TrustStore
    from viloapp_core.trust.policy import mismatches
    from viloapp_core.trust.procedure import Examination, examine, without_signature
    from viloapp_core.trust.publishers import Publisher, parse_publisher
    from viloapp_core.trust.refreshing import refresh_root
    from viloapp_core.trust.roots import Authority
    from viloapp_core.trust.signatures import (
        AttestationSignature,
        BundleSignature,
        LockSignature,
        ProvenanceSignature,
        Signature,
        Subject,
        read_beside,
        read_evidence,
        recognize,
    )
    from viloapp_core.trust.signer import Signer
    from viloapp_core.trust.signing import BundleSigner, open_signer
    from viloapp_core.trust.steps import Step

__all__ = [
    "AttestationSignature",
    "Authority",
    "Block",
    "Blocks",
    "Book",
    "BundleSignature",
    "BundleSigner",
    "ChangedPublisherError",
    "DEPENDENCIES_NOTE",
    "DowngradeError",
    "Examination",
    "FirstUseError",
    "LockSignature",
    "ProvenanceSignature",
    "Publisher",
    "PublisherTextError",
    "RefreshError",
    "RefusedError",
    "RevokedError",
    "Signature",
    "SignatureError",
    "Signer",
    "SigningError",
    "Step",
    "Subject",
    "TrustError",
    "TrustFileError",
    "TrustStore",
    "UnsignedError",
    "VerifiedArtifact",
    "accept_dev",
    "accept_unsigned",
    "examine",
    "drop_list",
    "label_of",
    "mismatches",
    "open_signer",
    "parse_publisher",
    "read_beside",
    "read_evidence",
    "recognize",
    "refresh_root",
    "take_list",
    "verify",
    "without_signature",
]


_MODULES = {
    "artifact": (
        *("DEPENDENCIES_NOTE", "VerifiedArtifact", "accept_dev", "accept_unsigned", "label_of", "verify"),
    ),
    "blocks": ("Block", "Blocks"),
    "book": ("Book",),
    "errors": (
        *("ChangedPublisherError", "DowngradeError", "FirstUseError", "PublisherTextError", "RefreshError"),
        *("RefusedError", "RevokedError", "SignatureError", "SigningError", "TrustError", "TrustFileError"),
        *("UnsignedError",),
    ),
    "keeper": ("TrustStore",),
    "policy": ("mismatches",),
    "procedure": ("Examination", "examine", "without_signature"),
    "publishers": ("Publisher", "parse_publisher"),
    "roots": ("Authority",),
    "signatures": (
        *("AttestationSignature", "BundleSignature", "LockSignature", "ProvenanceSignature", "Signature"),
        *("Subject", "read_beside", "read_evidence", "recognize"),
    ),
    "block_lists": ("drop_list", "take_list"),
    "refreshing": ("refresh_root",),
    "signing": ("BundleSigner", "open_signer"),
    "signer": ("Signer",),
    "steps": ("Step",),
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: a listing must not pay for what an installation needs."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
