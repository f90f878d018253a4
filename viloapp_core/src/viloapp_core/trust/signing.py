"""Signs with a key that lives for one command: sigstore's keyless signing, and nothing of our own.

    with open_signer(token=None, config=None) as signer:
        data = signer.bundle(sha256)          # <file>.sigstore.json
        data = signer.attestation(path)       # <file>.publish.attestation, PEP 740

Who signs is an identity that somebody vouches for: a token that is given, the one that the CI offers to the
job, or a person who logs in with a browser.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.trust.errors import SigningError
from viloapp_core.trust.roots import load_config

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityToken
    from sigstore.sign import Signer as SigstoreSigner

_REKOR_VERSION = 1
"""Attestations of PEP 740 drop the timestamps that entries of version 2 need: pypi-attestations issue 142."""


class BundleSigner:
    """Signs one thing after the other with the key and the certificate of one command."""

    def __init__(self, signer: SigstoreSigner) -> None:
        self._signer = signer

    def bundle(self, sha256: str) -> bytes:
        """Return a sigstore bundle over bytes of which the hash is given, hexadecimal.

        Raises:
            SigningError: it could not be signed.
        """
        from sigstore.hashes import Hashed

        hashed = Hashed.model_validate({"algorithm": "SHA2_256", "digest": bytes.fromhex(sha256)})
        with _told():
            return self._signer.sign_artifact(hashed).to_json().encode()

    def attestation(self, path: Path) -> bytes:
        """Return an attestation that a wheel or source distribution is published.

        Raises:
            SigningError: it could not be signed, or has no name of a distribution.
        """
        from pypi_attestations import Attestation, Distribution

        with _told():
            return Attestation.sign(self._signer, Distribution.from_file(path)).model_dump_json().encode()


@contextmanager
def open_signer(*, token: str | None, config: Path | None, person: bool) -> Iterator[BundleSigner]:
    """Settle who signs, get a certificate for it, and give a signer.

    Args:
        token: an identity token; without it that of the CI, then of whoever logs in.
        config: an organisation's own Sigstore; None for the public one.
        person: somebody is at a terminal, who can type a code where no browser opens.

    Raises:
        SigningError: nobody's identity is to be had, or the certificate is not given.
        TrustFileError: the configuration cannot be used.
    """
    from sigstore.sign import SigningContext

    services = load_config(config) if config is not None else _public()
    services.force_tlog_version = _REKOR_VERSION
    with _told():
        identity = _identity(token, services, person)
        context = SigningContext.from_trust_config(services)
    with ExitStack() as stack:
        with _told():
            # Never `cache=False`: each access would make another key, and the bundle would never verify.
            signer = stack.enter_context(context.signer(identity, cache=True))
        yield BundleSigner(signer)


def _public() -> ClientTrustConfig:
    from sigstore.models import ClientTrustConfig

    with _told():
        return ClientTrustConfig.production()


def _identity(token: str | None, services: ClientTrustConfig, person: bool) -> IdentityToken:
    from sigstore.oidc import IdentityToken, Issuer, detect_credential

    if token is None:
        token = detect_credential()
    if token is not None:
        return IdentityToken(token)
    if not person and not _has_browser():
        raise SigningError(
            "nobody's identity is to be had: no --identity-token, no CI that vouches for the job, no browser",
            "in GitHub Actions give the job `permissions: id-token: write`; elsewhere pass --identity-token",
        )
    return Issuer(services.signing_config.get_oidc_url()).identity_token()


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


@contextmanager
def _told() -> Iterator[None]:
    """Translate what sigstore and what it stands on raise; they have no common root."""
    try:
        yield
    except SigningError:
        raise
    except Exception as error:
        seen: BaseException | None = error
        texts: list[str] = []
        while seen is not None and len(texts) < 4:
            texts += [" ".join(str(seen).split())] if str(seen) else []
            seen = seen.__cause__
        why = "; ".join(dict.fromkeys(texts)) or type(error).__name__
        if "Max retries exceeded" in why:  # urllib3's, by whichever way it came
            raise SigningError(
                f"it could not be signed: Sigstore cannot be reached: {texts[-1]}",
                "check the network: a signature is made and noted there",
            ) from error
        raise SigningError(f"it could not be signed: {why[:500]}") from error
