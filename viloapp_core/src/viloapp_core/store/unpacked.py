"""One copy of every wheel: unpacked once, compiled once for each series of Python, never changed again.

wheels/<sha256>/files/…                          what the wheel holds, read-only
wheels/<sha256>/bytecode/<tag>/modules/…         its modules compiled, at their paths
wheels/<sha256>/bytecode/<tag>/hashes.json       the SHA-256 of each

Entries are made in a scratch folder and moved into place, so that one is there whole or not at all; of two
processes that make the same, one comes first and the other takes that. Virtualenvs have links to the files,
through which a change would reach everybody: they are read-only, workers see them on read-only mounts, and
`verified` reads all of them again before they are linked once more. There are thousands, so that their paths
are plain strings: a `Path` takes longer to make than most take to be hashed.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from viloapp_core.foundation import commands
from viloapp_core.foundation.errors import CommandError, FileError
from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.foundation.paths import first_free
from viloapp_core.store.archives import sha256_of
from viloapp_core.store.audit.record import is_digest, new_hash
from viloapp_core.store.errors import LayDownError
from viloapp_core.store.layout import Layout

# Compiling is a convenience: after this many seconds the plugin starts slower, and that is all.
_COMPILE_TIMEOUT_S = 300.0
_CHUNK = 1024 * 1024
_SIGNATURES = (".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")


@dataclass(frozen=True)
class Wheel:
    """A wheel to be laid down: its hash, its file name and, unless only the entry is left, its archive."""

    sha256: str
    filename: str
    archive: Path | None


@dataclass(frozen=True)
class Entry:
    """A wheel of the store whose every file has just been read and is what RECORD says."""

    folder: Path
    filename: str
    info: str
    """The name of its ``.dist-info``."""
    rows: Mapping[str, tuple[str, str]]
    """Hash and size of each file by its path, as RECORD has them; RECORD itself is left out."""
    bytecode: Mapping[str, str] = field(default_factory=dict)
    """The compiled file of each module that has one, by the module's path."""

    @property
    def files(self) -> Path:
        """The folder of what the wheel holds."""
        return self.folder / "files"


class DamagedError(Exception):
    """An entry is not what it was; only `verified` and `Shelf` see this."""


class Shelf:
    """The unpacked wheels of one store, as one change sees them.

    Args:
        layout: the store's.
        scratch: the change's folder, on the store's file system, for what is unfinished.
    """

    def __init__(self, layout: Layout, scratch: Path) -> None:
        self._layout = layout
        self._scratch = scratch

    def take(self, wheels: Sequence[Wheel], tag: str, python: Path) -> list[Entry]:
        """Return a verified entry for each wheel; what is missing or damaged is made anew.

        Args:
            wheels: audited wheels.
            tag: names the series of Python that the bytecode is for.
            python: the base interpreter of that series, which compiles and runs nothing of the wheels.

        Raises:
            LayDownError: an entry cannot be made.
        """
        with _translated():
            for wheel in wheels:
                self._unpack(wheel)
            self._compile([wheel.sha256 for wheel in wheels], tag, python)
            return [self._verified(wheel, tag, python) for wheel in wheels]

    def _verified(self, wheel: Wheel, tag: str, python: Path) -> Entry:
        try:
            return verified(self._layout.wheel(wheel.sha256), wheel, tag)
        except DamagedError:
            # Somebody wrote through a link, or the disk lost something. What is linked to it already stays
            # linked to it; `repair` finds that.
            self._put_aside(self._layout.wheel(wheel.sha256))
        self._unpack(wheel)
        self._compile([wheel.sha256], tag, python)
        try:
            return verified(self._layout.wheel(wheel.sha256), wheel, tag)
        except DamagedError as error:
            raise LayDownError(f"{wheel.filename} cannot be unpacked: {error}") from error

    def _unpack(self, wheel: Wheel) -> None:
        entry = self._layout.wheel(wheel.sha256)
        if entry.is_dir():
            return
        if wheel.archive is None:
            raise LayDownError(f"{wheel.filename} is neither in the archives nor unpacked")
        staged = first_free(self._scratch, f"unpacked-{wheel.sha256[:12]}")
        extract(wheel, staged / "files")
        _move_in(staged, entry)

    def _compile(self, wheels: Sequence[str], tag: str, python: Path) -> None:
        """Compile what has no bytecode of that tag. Where it cannot be done, a plugin starts slower."""
        missing = [sha for sha in wheels if not (self._layout.wheel(sha) / "bytecode" / tag).is_dir()]
        if not missing:
            return
        staged = {sha: first_free(self._scratch, f"compiled-{sha[:12]}") for sha in missing}
        argv = [str(python), "-I", "-S", str(Path(__file__).with_name("_compile.py")), str(os.getpid())]
        for sha, folder in staged.items():
            (folder / "modules").mkdir(parents=True)
            argv += [str(self._layout.wheel(sha) / "files"), str(folder / "modules")]
        try:
            finished = commands.run(argv, env={}, timeout_s=_COMPILE_TIMEOUT_S)
        except CommandError as error:
            if error.code == "command_cancelled":
                raise
            return
        if finished.returncode != 0:
            return
        for sha, folder in staged.items():
            hashes = {}
            for path in _files(folder / "modules"):
                hashes[path.relative_to(folder / "modules").as_posix()] = sha256_of(path)
                path.chmod(0o444)
            write_json(folder / "hashes.json", hashes)
            (self._layout.wheel(sha) / "bytecode").mkdir(exist_ok=True)
            _move_in(folder, self._layout.wheel(sha) / "bytecode" / tag)

    def _put_aside(self, folder: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, first_free(self._scratch, f"damaged-{folder.name[:12]}"))


def extract(wheel: Wheel, folder: Path) -> None:
    """Unpack an audited wheel, read-only; only whether a file is executable is kept of its mode.

    It was audited and verified by its hash, and a person may have thought for a while since: what is
    unpacked is the file that was hashed now, whatever lies in its place later.

    Raises:
        LayDownError: it is not the wheel of that hash, or leads outside.
    """
    assert wheel.archive is not None
    folder.mkdir(parents=True)
    with wheel.archive.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != wheel.sha256:
            raise LayDownError(
                f"{wheel.filename} was changed in the store after it was verified", "install it again"
            )
        _extract(stream, wheel.filename, folder)


def _extract(stream: IO[bytes], name: str, folder: Path) -> None:
    with zipfile.ZipFile(stream) as opened:
        for item in opened.infolist():
            if item.is_dir():
                continue
            target = folder / item.filename
            if not target.resolve().is_relative_to(folder.resolve()):  # the audit was there before us
                raise LayDownError(f"{name}: {item.filename} leads outside")
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(item) as source, target.open("xb") as copy:
                shutil.copyfileobj(source, copy, _CHUNK)
            target.chmod(0o555 if (item.external_attr >> 16) & 0o111 else 0o444)


def verified(folder: Path, wheel: Wheel, tag: str | None = None) -> Entry:
    """Read every file of an entry and compare it with RECORD, and RECORD with the archive's.

    Args:
        folder: the entry.
        wheel: what it should be; without an archive its own RECORD is believed.
        tag: whose bytecode to take along; None for none.

    Raises:
        DamagedError: something of it is missing or changed.
    """
    files = folder / "files"
    try:
        infos = [name for name in os.listdir(files) if name.endswith(".dist-info")]
        if len(infos) != 1:
            raise DamagedError("it has not one .dist-info")
        record = (files / infos[0] / "RECORD").read_bytes()
        if wheel.archive is not None:
            with zipfile.ZipFile(wheel.archive) as opened:
                if opened.read(f"{infos[0]}/RECORD") != record:
                    raise DamagedError("its RECORD is not that of the wheel")
        rows = _rows(record, infos[0])
        for name, (told, _) in rows.items():
            if not has_hash(f"{files}/{name}", told):
                raise DamagedError(f"{name} is changed")
        return Entry(folder, wheel.filename, infos[0], rows, _bytecode(folder, tag))
    except (OSError, FileError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DamagedError(str(error)) from error


def has_hash(path: str | Path, told: str) -> bool:
    """Whether a file has the hash that a row of RECORD tells, as ``algorithm=digest``."""
    hasher = new_hash(told)
    if hasher is None:
        return False
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            hasher.update(chunk)
    return is_digest(told, hasher.digest())


def place(source: str, target: str) -> None:
    """Put a verified file of the store at `target`: a link where there can be one, else a read-only copy.

    Raises:
        FileExistsError: there is something.
    """
    try:
        os.link(source, target)
        return
    except OSError as error:
        # Another file system, no links at all, links only for the owner, or more than an inode can have.
        if error.errno not in _NO_LINK:
            raise
    with open(source, "rb") as stream, open(target, "xb") as copy:
        shutil.copyfileobj(stream, copy, _CHUNK)
        os.fchmod(copy.fileno(), os.fstat(stream.fileno()).st_mode & 0o777)


_NO_LINK = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS)


def _bytecode(folder: Path, tag: str | None) -> dict[str, str]:
    modules = folder / "bytecode" / (tag or "") / "modules"
    if tag is None or not modules.is_dir():
        return {}
    found = {}
    hashes = read_json(modules.with_name("hashes.json"))
    for name, expected in (hashes if isinstance(hashes, dict) else {}).items():
        path = f"{modules}/{name}"
        if sha256_of(path) != expected:
            raise DamagedError(f"bytecode {name} is changed")
        parent, _, cached = name.rpartition("__pycache__/")
        found[f"{parent}{cached.partition('.')[0]}.py"] = path
    return found


def _rows(record: bytes, info: str) -> dict[str, tuple[str, str]]:
    lines = csv.reader(io.StringIO(record.decode("utf-8"), newline=""))
    rows = {path: (told, size) for path, told, size in lines}
    return {
        path: row for path, row in rows.items() if path != f"{info}/RECORD" and not path.endswith(_SIGNATURES)
    }


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _move_in(staged: Path, target: Path) -> None:
    """Move a finished folder to its place, unless another process was first."""
    try:
        os.rename(staged, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileError as error:
        raise LayDownError(error.detail, error.hint) from error
    except (OSError, zipfile.BadZipFile) as error:
        what = getattr(error, "strerror", None) or error
        raise LayDownError(f"a wheel cannot be unpacked: {what}", "is the disk full?") from error
