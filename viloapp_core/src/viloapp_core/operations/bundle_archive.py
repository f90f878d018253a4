"""Writes bundles, and takes them apart; `bundle_format` says what they are."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from viloapp_core.operations import bundle_format
from viloapp_core.operations.bundle_format import BundleLock, FormatError, Label
from viloapp_core.operations.errors import BundleError, SpecError
from viloapp_core.trust import LockSignature, Signature
from viloapp_core.trust.signatures import recognize

_CHUNK = 1 << 20
_FIRST_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o100644
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OverflowError),
    *(RuntimeError, ValueError),
)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose wheels lie in a folder, each with the hash that its lock says."""

    label: Label
    lock: BundleLock
    folder: Path
    signature: Signature | None = None
    """Over the lock, else of the plugin's own wheel; not verified."""


def write(
    target: Path,
    label: Label,
    lock: bytes,
    wheels: Mapping[str, Path],
    signatures: Mapping[str, bytes] = MappingProxyType({}),
) -> str:
    """Write a bundle, whole or not at all, and return its SHA-256.

    Members are sorted, stored, with one time and one mode: the same input gives the same bytes.

    Args:
        target: the file; one that is there is replaced.
        label: for the member ``.viloplugin``.
        lock: the bytes of ``pylock.toml``.
        wheels: by file name.
        signatures: by the member's name.

    Raises:
        SpecError: the file cannot be written.
    """
    partial = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with partial.open("xb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(_member(bundle_format.METADATA), bundle_format.encode_label(label))
                archive.writestr(_member(bundle_format.LOCK), lock)
                if (signature := signatures.get(bundle_format.SIGNATURE)) is not None:
                    archive.writestr(_member(bundle_format.SIGNATURE), signature)
                for name in sorted(wheels):
                    member = bundle_format.WHEELS + name
                    _add(archive, member, wheels[name])
                    for sidecar in (member + suffix for suffix in bundle_format.SIDECARS):
                        if sidecar in signatures:
                            archive.writestr(_member(sidecar), signatures[sidecar])
            stream.flush()
            os.fsync(stream.fileno())
        with partial.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        os.replace(partial, target)
    except OSError as error:
        raise SpecError(
            f"{target} cannot be written: {error.strerror}", "choose another folder with -o"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return sha256


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _FIRST_TIME)
    info.create_system, info.external_attr = _UNIX, _MODE << 16
    return info


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    info = _member(name)
    info.file_size = path.stat().st_size  # it tells zipfile whether 32 bits are enough
    with path.open("rb") as source, archive.open(info, "w") as member:
        while chunk := source.read(_CHUNK):
            member.write(chunk)


def extract(path: Path, folder: Path) -> Bundle:
    """Take a bundle apart: its wheels into `folder`, hashed while they are written.

    No name from the archive becomes a path before it was found to be the plain file name of a wheel, and
    nothing is written before label, lock and members agree.

    Args:
        path: the bundle.
        folder: an empty folder.

    Raises:
        BundleError: it is none; has every reason.
        SpecError: it cannot be read.
    """
    try:
        # One descriptor for all, so that what is judged is what is read.
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > bundle_format.MAX_TOTAL_BYTES:
                raise BundleError(path.name, [f"is larger than {bundle_format.MAX_TOTAL_BYTES} bytes"])
            with zipfile.ZipFile(stream) as archive:
                return _extract(archive, path.name, size, folder)
    except FormatError as error:
        raise BundleError(path.name, error.issues) from error
    except _BROKEN as error:
        raise BundleError(path.name, [str(error) or type(error).__name__]) from error
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error


def _extract(archive: zipfile.ZipFile, name: str, size: int, folder: Path) -> Bundle:
    infos = archive.infolist()
    if bundle_format.is_of_older_form(info.filename for info in infos):
        raise BundleError(
            name,
            ["it holds a source tree (plugin.json, src/): the older form, which is not installed any more"],
            f"make a project of it and package that: viloapp create-plugin --from-legacy {name}",
        )
    if issues := bundle_format.member_issues(infos, size):
        raise FormatError(issues)
    label = bundle_format.decode_label(archive.read(bundle_format.METADATA))
    lock = bundle_format.decode_lock(archive.read(bundle_format.LOCK))
    if issues := bundle_format.agreement_issues(label, lock, archive.namelist()):
        raise FormatError(issues)
    issues = []
    for package in lock.packages:
        with archive.open(package.url) as member, (folder / package.filename).open("xb") as target:
            found = _copy(member, target)
        if found != package.sha256:
            issues.append(
                f"{package.url}: has sha256 {found}, and {bundle_format.LOCK} says {package.sha256}"
            )
    if issues:
        raise FormatError(issues)
    return Bundle(label, lock, folder, _signature(archive, lock))


def _signature(archive: zipfile.ZipFile, lock: BundleLock) -> Signature | None:
    """Return the signature that a bundle came with; the one over its lock covers all of it."""
    names = set(archive.namelist())
    if bundle_format.SIGNATURE in names:
        return LockSignature(archive.read(bundle_format.SIGNATURE), archive.read(bundle_format.LOCK))
    beside = [lock.plugin.url + suffix for suffix in bundle_format.SIDECARS]
    return next((recognize(archive.read(name)) for name in beside if name in names), None)


def read_lock(path: Path) -> bytes:
    """Return the bytes of a bundle's lock, which is what is signed; the whole bundle was looked at.

    Raises:
        BundleError: the file is none; has every reason.
        SpecError: it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="viloapp-") as folder:
        extract(path, Path(folder))
        with zipfile.ZipFile(path) as archive:
            return archive.read(bundle_format.LOCK)


def is_signed(path: Path) -> bool:
    """Whether a file is an archive with the signature of a bundle in it; what is no archive is not."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bundle_format.SIGNATURE in archive.namelist()
    except (*_BROKEN, OSError):
        return False


def add_signature(path: Path, data: bytes) -> None:
    """Put a signature over its lock into a bundle, in place of any that is there.

    Args:
        path: the bundle; it is written anew, whole or not at all.
        data: a sigstore bundle.

    Raises:
        BundleError: the file is none; has every reason.
        SpecError: it cannot be read or written.
    """
    with tempfile.TemporaryDirectory(prefix="viloapp-") as name:
        folder = Path(name)
        bundle = extract(path, folder)
        with zipfile.ZipFile(path) as archive:
            lock = archive.read(bundle_format.LOCK)
            kept = {each: archive.read(each) for each in archive.namelist() if not each.endswith(".whl")}
        signatures = kept | {bundle_format.SIGNATURE: data}
        wheels = {package.filename: folder / package.filename for package in bundle.lock.packages}
        write(path, bundle.label, lock, wheels, signatures)


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy, and return the SHA-256 of what was."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()
