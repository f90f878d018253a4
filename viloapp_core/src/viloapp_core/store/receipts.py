"""Whether a receipt says what its generation is: it is compared with the lock, the evidence and the wheel.

This needs no cryptography and finds an edit; that the evidence itself is true, `viloapp verify` finds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.store import archives, binding
from viloapp_core.store.layout import Layout

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription


def receipt_problems(layout: Layout, generation: Path, receipt: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a receipt contradicts its generation; of one from before signatures, nothing."""
    kept = receipt.get("trust")
    if not isinstance(kept, Mapping):
        return
    yield from _lock_problems(generation, receipt, kept)
    yield from _label_problems(generation, receipt, kept)
    if receipt.get("source") != "dev":
        yield from _manifest_problems(layout, receipt, kept)


def _lock_problems(generation: Path, receipt: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    try:
        locked = binding.read_lock((generation / binding.LOCK).read_bytes())
    except (OSError, ValueError):
        return  # told elsewhere
    wheels = dict(locked.wheels)
    digests = {locked.digest, receipt.get("lock_digest"), kept.get("lock_digest")}
    if len(digests) != 1 or wheels.get(str(receipt.get("plugin_id"))) != kept.get("sha256"):
        yield "its receipt or its lock was edited: they are of different wheels"
    elif wheels != {str(each.get("name")): each.get("sha256") for each in receipt.get("packages", ())}:
        yield "its receipt was edited: it lists other packages than its lock"


def _label_problems(generation: Path, receipt: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    from viloapp_core.trust import label_of, read_evidence

    if receipt.get("signature") != label_of(dict(kept)):
        yield "its receipt was edited: it is labelled as what it is not"
    if kept.get("kind") == "signed" and read_evidence(generation, str(kept.get("evidence", ""))) is None:
        yield "the evidence of its signature is missing"
    if kept.get("kind") == "dev" and receipt.get("source") != "dev":
        yield "its receipt was edited: it is labelled as what it is not"


def _manifest_problems(layout: Layout, receipt: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    described = describe_archived(layout, str(kept.get("sha256", "")), str(kept.get("filename", "")))
    if described is None:
        return
    for key, value in facts_of(described).items():
        if receipt.get(key) != value:
            yield f"its receipt was edited: {key} is not what its wheel says"


def describe_archived(layout: Layout, sha256: str, filename: str) -> PluginDescription | None:
    """Return what a plugin's wheel in the archives says of it; None where it is not there, intact."""
    from viloapp_core import manifest

    if not archives.is_intact(layout, sha256, filename):
        return None
    with tempfile.TemporaryDirectory(prefix="viloapp-") as folder:
        (link,) = archives.link_farm(layout, [(sha256, filename)], Path(folder))
        try:
            return manifest.read_wheel(link)
        except manifest.ManifestError:
            return None


def facts_of(described: PluginDescription) -> dict[str, Any]:
    """Return what a receipt takes from a plugin's wheel."""
    return {
        "name": described.name,
        "entry_point": described.entry_point.value,
        "manifest": described.manifest.to_json(),
        "permissions": [permission.id for permission in described.manifest.permissions],
    }
