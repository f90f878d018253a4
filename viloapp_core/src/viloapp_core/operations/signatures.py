"""Where the signature of a plugin's own wheel comes from; it is found here and believed nowhere.

In this order: the bundle that it came in, a file beside the wheel, the store's archives, where what was
verified once is kept, and the index. What is found first counts: one that does not hold is refused, however
good the next might be.
"""

from __future__ import annotations

from pathlib import Path

from viloapp_core.foundation.errors import FileError
from viloapp_core.operations.errors import SpecError
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import fetch_provenance
from viloapp_core.store import archives as archive
from viloapp_core.trust import LockSignature, ProvenanceSignature, Signature, read_beside


def find_signature(plan: Plan, workshop: Workshop) -> Signature | None:
    """Return the signature of a plan's own wheel; None when it has none.

    Raises:
        SpecError: there is one that cannot be read.
        ProvenanceError: the index names one that cannot be fetched.
    """
    if plan.source == "dev":
        return None
    if plan.signature is not None:
        return plan.signature
    own = plan.resolution.plugin
    if (beside := _beside(plan, workshop)) is not None:
        return beside
    kept = archive.signature_of(workshop.store.layout, own.sha256)
    if kept is not None and (not isinstance(kept, LockSignature) or _is_of_lock(kept, plan)):
        return kept
    if plan.source != "index":
        return None
    workshop.say(plan.plugin_id, "verify", f"asking the index who published {own.filename}")
    sources = workshop.sources_of(plan.plugin_id)
    data = fetch_provenance(own, sources=sources, environ=workshop.environ, cancel=workshop.cancel)
    return None if data is None else ProvenanceSignature(data)


def _is_of_lock(signature: LockSignature, plan: Plan) -> bool:
    """Whether a signed lock has exactly the wheels of a plan: it says nothing of other libraries."""
    from viloapp_core.store.binding import read_lock

    try:
        signed = read_lock(signature.lock)
    except ValueError:
        return False
    return sorted(signed.wheels) == sorted((item.name, item.sha256) for item in plan.resolution.packages)


def _beside(plan: Plan, workshop: Workshop) -> Signature | None:
    """Return the signature beside the wheel, where the user has that or in a folder that was named."""
    own = plan.resolution.plugin
    places = [plan.spec.path] if plan.spec.kind == "wheel" and plan.spec.path is not None else []
    places += [own.local] if own.local is not None else []
    links = workshop.sources_of(plan.plugin_id).find_links
    places += [Path(link, own.filename) for link in links if "://" not in link]
    try:
        return next((found for place in places if (found := read_beside(place)) is not None), None)
    except FileError as error:
        raise SpecError(error.detail, "get the signature again") from error
