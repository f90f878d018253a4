"""Reads a signing certificate into a `Signer`. The certificate is one that `sigstore_port` already verified.

Source: "Fulcio OID information", https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viloapp_core.trust.publishers import forge
from viloapp_core.trust.signer import Signer

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_FULCIO = "1.3.6.1.4.1.57264.1."
_ISSUER_V1, _ISSUER = "1", "8"
_REPOSITORY, _COMMIT, _REF, _REPOSITORY_ID, _OWNER_ID = "12", "13", "14", "15", "17"
_CONFIG, _TRIGGER, _RUN = "18", "20", "21"


def read_certificate(certificate: Certificate) -> Signer:
    """Return who a certificate was given to.

    Raises:
        ValueError: it has not one identity, or an extension cannot be decoded.
    """
    from cryptography import x509

    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = list(extension.value)
    if len(names) != 1:
        raise ValueError(f"the certificate has {len(names)} identities")
    said = _extensions(certificate)
    issuer = said.get(_ISSUER) or said.get(_ISSUER_V1, "")
    if not issuer:
        raise ValueError("the certificate does not say who vouched for the identity")
    (name,) = names
    if isinstance(name, x509.RFC822Name) and _REPOSITORY not in said:
        return Signer("email", issuer, name.value)
    if isinstance(name, x509.UniformResourceIdentifier):
        return _workflow(issuer, name.value, said)
    return Signer("other", issuer, str(getattr(name, "value", name)))


def _workflow(issuer: str, identity: str, said: dict[str, str]) -> Signer:
    kind, web = forge(issuer)
    source, config, ref = said.get(_REPOSITORY, ""), said.get(_CONFIG, ""), said.get(_REF, "")
    # GitLab has a second slash between the project and the path of the file.
    start = f"{source}/" if kind == "github" else f"{source}//"
    ends = [f"@{end}" for end in (ref, said.get(_COMMIT, "")) if end and config.endswith(f"@{end}")]
    if not source.startswith(f"{web}/") or not config.startswith(start) or not ends:
        return Signer("other", issuer, identity)
    base = config.removesuffix(ends[0])
    # A reusable workflow of another file signs in its own name; whoever runs it is in the other fields.
    builder = identity.partition("@")[0]
    return Signer(
        kind,
        issuer,
        identity,
        repository=source.removeprefix(f"{web}/"),
        repository_id=said.get(_REPOSITORY_ID, ""),
        owner_id=said.get(_OWNER_ID, ""),
        workflow=base.removeprefix(start),
        builder="" if builder == base else builder,
        ref=ref,
        commit=said.get(_COMMIT, ""),
        trigger=said.get(_TRIGGER, ""),
        run=said.get(_RUN, ""),
    )


def _extensions(certificate: Certificate) -> dict[str, str]:
    """Return Fulcio's extensions by the last number of their object identifier, as text."""
    from cryptography import x509
    from cryptography.hazmat import asn1

    said = {}
    for extension in certificate.extensions:
        number = extension.oid.dotted_string.removeprefix(_FULCIO)
        value = extension.value
        if number == extension.oid.dotted_string or not isinstance(value, x509.UnrecognizedExtension):
            continue
        # Up to .7 the text stands there as it is; from .8 on it is a DER UTF8String.
        if number == _ISSUER_V1:
            said[number] = value.value.decode()
        elif int(number) >= int(_ISSUER):
            said[number] = asn1.decode_der(str, value.value)
    return said
