"""Verify again what is installed, from what was kept: evidence, archives, and every installed file."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock
from viloapp_core.operations.changing import find
from viloapp_core.operations.verifying import Verification, check_publisher
from viloapp_core.store import Store, archives
from viloapp_core.store.checking import generation_problems
from viloapp_core.store.unpacked import has_hash
from viloapp_core.trust import (
    PublisherTextError,
    Step,
    Subject,
    TrustStore,
    examine,
    label_of,
    parse_publisher,
    read_evidence,
    without_signature,
)
from viloapp_core.trust.steps import FAILED, PASSED

_MADE_HERE = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
"""Files of a dist-info that an installer writes. Source: the recording-installed-packages specification."""


def verify_installed(store: Store, name: str, *, config: Path | None, clock: Clock) -> Verification:
    """Take the seven steps with the evidence that was kept, and look at every installed file.

    A rollback may have gone back to an older version, so step 7 allows it.

    Args:
        store: where it is installed.
        name: the plugin, however its id is written.
        config: an organisation's own Sigstore, for this time.
        clock: for the time.

    Raises:
        NotInstalledError: there is no such plugin.
        StoreError: its receipt is damaged.
        TrustFileError: what is trusted cannot be read.
    """
    (plugin,) = find(store, [name])
    receipt, generation = store.receipt(plugin.plugin_id), plugin.generation
    kept = receipt.get("trust")
    kept = kept if isinstance(kept, Mapping) else {}
    subject = _subject(store, plugin.plugin_id, receipt, kept)
    keeper, now = TrustStore(store.root), clock.now()
    book, blocks = keeper.read(), keeper.blocks(now)
    signature = read_evidence(generation, str(kept.get("evidence", "")))
    notes = [f"labelled: {label_of(dict(kept))}", *blocks.warnings]
    if kept.get("kind") == "dev":
        notes.append(
            "a folder of your own (--dev) has no signature; a wheel of it can be signed and verified"
        )
    if signature is None:
        examination = without_signature(subject, book=book, blocks=blocks, allow_downgrade=True)
    else:
        authority = keeper.authority(now, config)
        examination = examine(
            subject, signature, authority=authority, book=book, blocks=blocks, allow_downgrade=True
        )
        notes += authority.warnings
    try:
        publisher = parse_publisher(str(kept.get("publisher", "")))
    except PublisherTextError:
        publisher = None
    further = (
        check_publisher(examination, publisher),
        _step(9, "receipt, lock and files agree", generation_problems(store.layout, generation)),
        _step(10, "the archives are what was installed", _archive_problems(store, receipt)),
        _step(
            11, "the installed files are those of the archives", _file_problems(store, generation, receipt)
        ),
    )
    return Verification(plugin.plugin_id, examination, further, tuple(notes))


def _subject(store: Store, plugin_id: str, receipt: Mapping[str, Any], kept: Mapping[str, Any]) -> Subject:
    """Return the plugin's wheel as it lies in the archives, hashed now."""
    sha256 = str(kept.get("sha256", ""))
    path = archives.path_of(store.layout, sha256)
    actual = archives.sha256_of(path) if path.is_file() and "/" not in sha256 else ""
    return Subject(plugin_id, str(receipt.get("version", "")), str(kept.get("filename", "")), actual)


def _archive_problems(store: Store, receipt: Mapping[str, Any]) -> Iterator[str]:
    for package in receipt.get("packages", ()):
        if not archives.is_intact(store.layout, str(package["sha256"]), str(package["filename"])):
            yield f"{package['filename']} is missing from the archives or was changed"


def _file_problems(store: Store, generation: Path, receipt: Mapping[str, Any]) -> Iterator[str]:
    """Yield installed files that are not those of the archives, whatever the installed RECORD says."""
    sites = list(generation.glob("venv/lib/python*/site-packages"))
    if len(sites) != 1:
        return
    site, known = sites[0], set()
    for package in receipt.get("packages", ()):
        path = archives.path_of(store.layout, str(package["sha256"]))
        try:
            rows = list(_record(path))
        except (OSError, KeyError, StopIteration, ValueError, zipfile.BadZipFile):
            yield f"{package['filename']} cannot be read from the archives"
            continue
        for name, told in rows:
            known.add(name)
            try:
                if told and not has_hash(site / name, told):
                    yield f"{name} is not the file of {package['filename']}"
            except OSError:
                yield f"{name} is missing"
    yield from (f"{name} is of no archive" for name in _installed(site) if name not in known)


def _record(wheel: Path) -> Iterator[tuple[str, str]]:
    """Yield path below site-packages and hash of what a wheel puts there; scripts and data go elsewhere."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        text = archive.read(record).decode()
    for row in csv.reader(io.StringIO(text)):
        name, told = row[0], row[1]
        folder, _, rest = name.partition("/")
        if folder.endswith(".data"):
            scheme, _, name = rest.partition("/")
            if scheme not in ("purelib", "platlib"):
                continue
        yield os.path.normpath(name), "" if name == record else told


def _installed(site: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(site):
        folders[:] = sorted(folder for folder in folders if folder != "__pycache__")
        for name in sorted(names):
            if not (parent.endswith(".dist-info") and name in _MADE_HERE):
                yield os.path.relpath(os.path.join(parent, name), site)


def _step(number: int, name: str, problems: Iterator[str]) -> Step:
    found = list(dict.fromkeys(problems))
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return Step(number, name, FAILED if found else PASSED, "; ".join(found[:5]) + more)
