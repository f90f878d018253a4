"""The adapter to a wheel. Nothing is unpacked, and no more than the metadata is decompressed.

Source: binary distribution format, https://packaging.python.org/specifications/binary-distribution-format/
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from viloapp_core.manifest.errors import Issue, ManifestError
from viloapp_core.manifest.files import MAX_BYTES, split_dist_info
from viloapp_sdk.manifest.shapes import shorten

__all__ = ["WheelFiles"]

_MAX_MEMBERS = 100_000
_MAX_ISSUES = 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class WheelFiles:
    """The metadata of a wheel.

    Use `open`, which closes it.

    Args:
        archive: the wheel, open.
        filename: its name, which has to agree with what is inside.

    Raises:
        ManifestError: with what is wrong with the names in it: members that stand twice, no ``.dist-info``
            or more than one, another name or version than the file's.
    """

    def __init__(self, archive: zipfile.ZipFile, filename: str) -> None:
        self._archive = archive
        self._filename = filename
        names = archive.namelist()
        issues = list(_duplicates(names))
        folders = sorted({name.partition("/")[0] for name in names if ".dist-info/" in name.lower()})
        folders = [folder for folder in folders if folder.lower().endswith(".dist-info")]
        if len(folders) != 1:
            listed = ", ".join(shorten(folder) for folder in folders[:_MAX_ISSUES]) or "none"
            issues.append(Issue("*.dist-info", f"a wheel has exactly one such folder, not {listed}"))
        issues += _filename_issues(filename, folders)
        if issues:
            raise ManifestError(issues, filename, "build the wheel again, or tell its author")
        self.dist_info = folders[0]

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[WheelFiles]:
        """Open a wheel for as long as the context lasts.

        Raises:
            ManifestError: it is not there, is no wheel, or its names are not as they have to be.
        """
        try:
            if not path.is_file():  # a folder, a pipe: zipfile would wait or talk of permissions
                raise FileNotFoundError(f"there is no file {path}")
            archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise ManifestError([Issue(path.name, f"is no readable wheel: {error}")], path.name) from error
        with archive:
            if len(archive.filelist) > _MAX_MEMBERS:
                raise ManifestError([Issue(path.name, f"has more than {_MAX_MEMBERS} members")], path.name)
            yield cls(archive, path.name)

    def read(self, path: str) -> bytes | None:
        """Return a member's content, None when it is not there.

        Raises:
            ManifestError: it is damaged, encrypted, too large, or packed in a way wheels are not.
        """
        name = path.rpartition("/")[2]
        try:
            info = self._archive.getinfo(path)
        except KeyError:
            return None
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Python unpacks the others in whole blocks, whatever size was asked for.
            raise ManifestError([Issue(name, "is packed with neither deflate nor store")], self._filename)
        try:
            with self._archive.open(info) as file:
                content = file.read(MAX_BYTES + 1)
        except _BROKEN as error:
            raise ManifestError([Issue(name, f"cannot be unpacked: {error}")], self._filename) from error
        if len(content) > MAX_BYTES:
            raise ManifestError([Issue(name, f"is larger than {MAX_BYTES} bytes")], self._filename)
        return content

    def names(self, folder: str) -> list[str]:
        """Return the names of the members directly in a folder."""
        inside = (name.removeprefix(folder) for name in self._archive.namelist() if name.startswith(folder))
        return [name for name in inside if name and "/" not in name]


def _duplicates(names: list[str]) -> Iterator[Issue]:
    """Yield the members that stand twice: installers differ in which of them they take."""
    seen: set[str] = set()
    twice: set[str] = set()
    for name in names:
        (twice if name in seen else seen).add(name)
    for name in sorted(twice)[:_MAX_ISSUES]:
        yield Issue(shorten(name), "stands twice in the wheel")


def _filename_issues(filename: str, folders: list[str]) -> Iterator[Issue]:
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        yield Issue(shorten(filename), f"is no file name of a wheel: {error}")
        return
    for folder in folders if len(folders) == 1 else []:
        inner_name, inner_version = split_dist_info(folder)
        try:
            same = canonicalize_name(inner_name) == name and Version(inner_version) == version
        except InvalidVersion:
            same = False
        if not same:
            yield Issue(shorten(folder), f"is not the folder of {name} {version}, which the file name says")
