"""Whether a signer is the publisher that is expected. Pure: this decides, `procedure` asks.

>>> from viloapp_core.trust.publishers import parse_publisher
>>> from viloapp_core.trust.signer import Signer
>>> someone = Signer("email", issuer="https://accounts.example", identity="a@example.org")
>>> offer(someone).short
'email:a@example.org'
>>> mismatches(someone, parse_publisher("email:b@example.org,issuer=https://accounts.example"))
['e-mail address: a@example.org signed, b@example.org is expected']
"""

from __future__ import annotations

import re
from dataclasses import replace

from viloapp_core.trust.publishers import TAGS, Publisher
from viloapp_core.trust.signer import Signer


def offer(signer: Signer) -> Publisher | None:
    """Return the publisher that a person would pin for this signer: its releases, and nothing else of it.

    None where the signer is of a kind that cannot be pinned.
    """
    if signer.kind == "email":
        publisher = Publisher("email", signer.issuer, email=signer.identity)
    else:
        publisher = Publisher(
            signer.kind,
            signer.issuer,
            repository=signer.repository,
            repository_id=signer.repository_id,
            owner_id=signer.owner_id,
            workflow=signer.workflow,
            ref=TAGS,
            builder=signer.builder,
        )
    return None if publisher.problems() else publisher


def filled(named: Publisher, signer: Signer | Publisher) -> Publisher:
    """Return what is pinned when a person named a publisher: the ids that were left open are the signer's."""
    return replace(
        named,
        repository_id=named.repository_id or signer.repository_id,
        owner_id=named.owner_id or signer.owner_id,
    )


def narrowed(offered: Publisher, signer: Signer) -> Publisher:
    """Return a publisher that takes what was built from this reference, and from no other."""
    return replace(offered, ref=signer.ref)


def mismatches(signer: Signer, publisher: Publisher) -> list[str]:
    """Return in what a signer is not the publisher that is expected; nothing when it is.

    An id that the publisher leaves open is not asked for; everything else has to be there and the same.
    """
    # First of all, so that a workflow is never taken for an address or one forge for the other.
    if signer.kind != publisher.kind:
        return [_line("kind", f"{signer.kind} ({signer.identity})", publisher.short)]
    pairs = [("issuer", signer.issuer, publisher.issuer)]
    if publisher.kind == "email":
        pairs.append(("e-mail address", signer.identity, publisher.email))
        return [_line(*pair) for pair in pairs if pair[1] != pair[2]]
    pairs += [("workflow", signer.workflow, publisher.workflow)]
    pairs += [("signing workflow", signer.builder, publisher.builder)]
    if publisher.repository_id:
        pairs.append(("repository's id", signer.repository_id, publisher.repository_id))
    if publisher.owner_id:
        pairs.append(("owner's id", signer.owner_id, publisher.owner_id))
    wrong = [_line(*pair) for pair in pairs if pair[1] != pair[2]]
    # Forges compare names without case.
    if signer.repository.casefold() != publisher.repository.casefold():
        wrong.insert(0, _line("repository", signer.repository, publisher.repository))
    if not matches_ref(signer.ref, publisher.ref):
        wrong.append(_line("ref", signer.ref, publisher.ref))
    return wrong


def matches_ref(ref: str, pattern: str) -> bool:
    """Return whether a git reference fits a pattern, in which only ``*`` is special."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return bool(ref) and re.fullmatch(".*".join(parts), ref) is not None


def _line(what: str, signed: str, expected: str) -> str:
    return f"{what}: {signed or 'nothing'} signed, {expected or 'nothing'} is expected"
