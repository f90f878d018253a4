"""The wheels as they were fetched, each under the name of its hash, with its file name beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import read_json, sync_dir, write_atomic, write_json
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout
from viloapp_core.trust import LockSignature, Signature
from viloapp_core.trust.signatures import recognize

_CHUNK = 1024 * 1024
# Beside an archive; both begin with its hash, as `gc` wants it, and are none of the ``*.json`` of `known`.
_SIGNATURE, _SIGNED_LOCK = ".signature", ".signed-lock"


def path_of(layout: Layout, sha256: str) -> Path:
    """Return where the wheel with that hash is, or would be."""
    return layout.archives / f"{sha256}.whl"


def is_intact(layout: Layout, sha256: str, filename: str) -> bool:
    """Whether the wheel is there under that file name and still has its hash; reads it in full."""
    path = path_of(layout, sha256)
    try:
        facts = read_json(path.with_suffix(".json"))
        named = isinstance(facts, dict) and facts.get("filename") == filename
        return named and sha256_of(path) == sha256
    except (FileError, OSError):
        return False


def add(layout: Layout, wheel: Path, sha256: str, filename: str, scratch: Path) -> Path:
    """Copy a wheel into the archives, hashing what is written, and return its new place.

    Args:
        layout: the store's.
        wheel: the file to copy.
        sha256: the hash it must have.
        filename: its file name, with version and tags.
        scratch: a folder on the store's file system for the copy while it is unfinished.

    Raises:
        StoreError: its hash is another, or it cannot be copied.
    """
    target, partial = path_of(layout, sha256), scratch / f"{sha256}.part"
    digest = hashlib.sha256()
    try:
        with wheel.open("rb") as source, partial.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            raise StoreError(
                "hash_mismatch",
                f"{filename} has sha256 {digest.hexdigest()}, but {sha256} was expected",
                "it was changed or damaged on its way; try again, and ask who serves it if it stays",
            )
        partial.chmod(0o444)
        write_json(target.with_suffix(".json"), {"filename": filename})
        os.replace(partial, target)
        sync_dir(layout.archives)
    except OSError as error:
        raise StoreError("archive_failed", f"{filename} cannot be kept: {error.strerror}") from error
    return target


def keep_signature(layout: Layout, sha256: str, signature: Signature) -> None:
    """Keep the signature of an archived wheel, so that it can be installed again without a network.

    It is verified anew each time: what lies here proves itself or is refused.
    """
    path = layout.archives / f"{sha256}{_SIGNATURE}"
    lock = path.with_suffix(_SIGNED_LOCK)
    if isinstance(signature, LockSignature):
        write_atomic(lock, signature.lock)
    else:
        lock.unlink(missing_ok=True)
    write_atomic(path, signature.data)


def signature_of(layout: Layout, sha256: str) -> Signature | None:
    """Return the signature that was kept of an archived wheel; None when there is none."""
    path = layout.archives / f"{sha256}{_SIGNATURE}"
    try:
        data = path.read_bytes()
    except OSError:
        return None
    try:
        return LockSignature(data, path.with_suffix(_SIGNED_LOCK).read_bytes())
    except OSError:
        return recognize(data)


def link_farm(layout: Layout, wheels: Iterable[tuple[str, str]], folder: Path) -> list[Path]:
    """Link wheels under their file names into `folder`, for tools that read a wheel's name; return the links.

    Args:
        layout: the store's.
        wheels: pairs of hash and file name.
        folder: an empty folder.
    """
    links = []
    for sha256, filename in wheels:
        link = folder / Path(filename).name
        if not link.exists():
            link.symlink_to(path_of(layout, sha256))
        links.append(link)
    return links


def known(layout: Layout) -> list[tuple[str, str]]:
    """Return hash and file name of every archived wheel that is still what it was."""
    found = []
    for facts_path in sorted(layout.archives.glob("*.json")):
        try:
            facts = read_json(facts_path)
        except FileError:
            continue
        if isinstance(facts, dict) and is_intact(layout, facts_path.stem, str(facts.get("filename"))):
            found.append((facts_path.stem, str(facts["filename"])))
    return found


def sha256_of(path: str | Path) -> str:
    """Return the hex SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
