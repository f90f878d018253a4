"""From unpacked wheels into a virtualenv, with `installer` deciding what goes where.

Files of ``purelib`` and ``platlib`` are placed by link. Scripts, data, headers and RECORD are made for each
virtualenv.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

from installer.destinations import SchemeDictionaryDestination
from installer.records import RecordEntry
from installer.sources import WheelContentElement, WheelSource
from installer.utils import Scheme, parse_wheel_filename

from viloapp_core.store.unpacked import Entry, place

__all__ = ["LinkingDestination", "UnpackedSource"]


class UnpackedSource(WheelSource):
    """A verified entry of the store as `installer` reads a wheel."""

    def __init__(self, entry: Entry) -> None:
        name = parse_wheel_filename(entry.filename)
        super().__init__(name.distribution, name.version)
        self._entry = entry

    @property
    def dist_info_dir(self) -> str:
        """Return the name of the folder of the metadata."""
        return self._entry.info

    @property
    def dist_info_filenames(self) -> list[str]:
        """Return what is in that folder."""
        prefix = f"{self._entry.info}/"
        return [path.removeprefix(prefix) for path in self._entry.rows if path.startswith(prefix)]

    def read_dist_info(self, filename: str) -> str:
        """Return a file of that folder."""
        return (self._entry.files / self._entry.info / filename).read_text("utf-8")

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Yield the row, a stream and whether it is executable, for each file that RECORD names."""
        files = self._entry.files
        for path, (told, size) in self._entry.rows.items():
            with open(f"{files}/{path}", "rb", buffering=0) as stream:
                executable = bool(os.fstat(stream.fileno()).st_mode & 0o111)
                yield (path, told, size), cast(BinaryIO, stream), executable


class LinkingDestination(SchemeDictionaryDestination):
    """A virtualenv that takes modules by link; never over a file that is there."""

    def __init__(self, schemes: Mapping[str, str], interpreter: Path, entry: Entry) -> None:
        super().__init__(dict(schemes), str(interpreter), script_kind="posix")
        self._entry = entry
        self._folders: set[str] = set()

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Place a file of the wheel, and its bytecode; write what is not of the wheel or not a module's."""
        source = getattr(stream, "name", None)
        if source is None or scheme not in ("purelib", "platlib"):
            return super().write_file(scheme, path, stream, is_executable)
        root = os.path.abspath(self.scheme_dict[scheme])
        target = os.path.abspath(os.path.join(root, path))
        if not target.startswith(f"{root}/"):
            raise ValueError(f"{os.fspath(path)} leads outside")
        inside = source.removeprefix(f"{self._entry.files}/")
        self._place(source, target)
        if compiled := self._entry.bytecode.get(inside):
            folder, name = os.path.dirname(target), os.path.basename(compiled)
            self._place(compiled, f"{folder}/__pycache__/{name}")
        told, size = self._entry.rows[inside]
        return RecordEntry.from_elements(os.fspath(path), told, size)

    def _place(self, source: str, target: str) -> None:
        folder = os.path.dirname(target)
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        place(source, target)
