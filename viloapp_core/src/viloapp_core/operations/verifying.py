"""Verify a file, or again what is installed: every step with its outcome."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock
from viloapp_core.operations import bundle_archive, bundle_format
from viloapp_core.operations.errors import SpecError
from viloapp_core.store import Store
from viloapp_core.trust import (
    Examination,
    Publisher,
    Signature,
    Step,
    Subject,
    TrustStore,
    examine,
    mismatches,
    read_beside,
    recognize,
    without_signature,
)
from viloapp_core.trust.steps import FAILED, PASSED

_OLDER = ("plugin.sig", "author.id")
_HINT = "name a wheel, a .viloplugin, or the id of an installed plugin"


@dataclass(frozen=True)
class Verification:
    """What was found of one file or plugin.

    Args:
        target: what was named.
        examination: the seven steps.
        further: steps beyond them, of what is installed.
        notes: what a person should know, a line each.
    """

    target: str
    examination: Examination
    further: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps."""
        return (*self.examination.steps, *self.further)

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return all(one.outcome == PASSED for one in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Return everything for ``--json``."""
        value = self.examination.to_json()
        steps = [one.to_json() for one in self.steps]
        return {"target": self.target, "passed": self.passed, **value, "steps": steps, "notes": [*self.notes]}


def verify_file(
    store: Store,
    path: Path,
    *,
    signature: Path | None,
    publisher: Publisher | None,
    config: Path | None,
    clock: Clock,
) -> Verification:
    """Take the seven steps for a file and the signature beside or in it. Nothing is changed.

    Args:
        store: has the pins and the block lists.
        path: a wheel, a source distribution or a ``.viloplugin``.
        signature: its signature, where that is not beside it.
        publisher: who has to have signed it; None for who is pinned.
        config: an organisation's own Sigstore, for this time.
        clock: for the time.

    Raises:
        SpecError: the file cannot be read, or has no name of a distribution.
        BundleError: it is called a bundle and is none.
        TrustFileError: what is trusted cannot be read.
    """
    subject, found = _read_bundle(path) if path.name.endswith(bundle_format.SUFFIX) else _read_plain(path)
    if signature is not None:
        found = recognize(_read(signature))
    keeper, now = TrustStore(store.root), clock.now()
    book, blocks = keeper.read(), keeper.blocks(now)
    if publisher is not None:
        book = book.pinned(subject.plugin_id, publisher, "")
    notes = [*_older_form(path), *blocks.warnings]
    if found is None:
        return Verification(str(path), without_signature(subject, book=book, blocks=blocks), (), tuple(notes))
    authority = keeper.authority(now, config)
    examination = examine(subject, found, authority=authority, book=book, blocks=blocks)
    return Verification(str(path), examination, (), (*notes, *authority.warnings))


def older_form(path: Path) -> list[str]:
    """Return what a file or folder has of the older form of signing, which proves nothing any more."""
    return _older_form(path)


def _read_plain(path: Path) -> tuple[Subject, Signature | None]:
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        if path.name.endswith(".whl"):
            name, version = parse_wheel_filename(path.name)[:2]
        else:
            name, version = parse_sdist_filename(path.name)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise SpecError(f"{path} is not called like a wheel: {error}", _HINT) from error
    try:
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}", _HINT) from error
    return Subject(name, str(version), path.name, sha256), read_beside(path)


def _read_bundle(path: Path) -> tuple[Subject, Signature | None]:
    with tempfile.TemporaryDirectory(prefix="viloapp-") as folder:
        bundle = bundle_archive.extract(path, Path(folder))
    own = bundle.lock.plugin
    return Subject(bundle.lock.plugin_id, own.version, own.filename, own.sha256), bundle.signature


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error


def _older_form(path: Path) -> list[str]:
    names: Iterable[str] = [path.name]
    if path.is_dir():
        names = [str(each.relative_to(path)) for each in path.rglob("*")]
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [path.name, *archive.namelist()]
    found = dict.fromkeys(each for name in names if (each := _older_name(name)))
    return [f"{each} is of the older form of signing and proves nothing" for each in found]


def _older_name(name: str) -> str:
    parts = name.split("/")
    if parts[-1] in _OLDER:
        return parts[-1]
    return "trusted_keys/*.pub" if "trusted_keys" in parts and name.endswith(".pub") else ""


def check_publisher(examination: Examination, kept: Publisher | None) -> Step:
    """Return whether the evidence says what a receipt says: who is its publisher."""
    if examination.signer is None or kept is None:
        return Step(8, "the receipt says who signed", FAILED, "there is nobody to compare")
    wrong = mismatches(examination.signer, kept)
    outcome = FAILED if wrong else PASSED
    return Step(8, "the receipt says who signed", outcome, "; ".join(wrong) or f"{kept.short}")
