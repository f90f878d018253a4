"""One release of a plugin, as it can be compared with another: from a folder, an archive, git or an index.

Nothing of it is run or built. An archive is unpacked into a temporary folder: of a wheel what is read of it,
of a source distribution what tar's filter for data lets through, both up to a bound.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from viloapp_core.devtools.errors import ReleaseError
from viloapp_core.foundation import commands
from viloapp_core.manifest import PluginDescription, read_source, read_wheel
from viloapp_core.resolve import Pip, Sources
from viloapp_core.resolve.interpreters import candidates
from viloapp_sdk.manifest import FILE_NAME
from viloapp_sdk.manifest.project import packages, read_pyproject

__all__ = ["Release", "release"]

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==(?P<version>[A-Za-z0-9.!+_-]+)")
_REVISION = re.compile(r"[^\s:-][^\s:]*")
_MAX_BYTES = 256 * 1024 * 1024
"""Unpacked; a larger release is not compared."""
_GIT_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Release:
    """What was released.

    Args:
        plugin: what it says about itself.
        packages: the folders and files of its code.
        root: what its paths are relative to.
        manifest: the file in which its settings stand, relative to the root.
    """

    plugin: PluginDescription
    packages: tuple[Path, ...]
    root: Path
    manifest: Path

    def shown(self, path: Path) -> str:
        """Return a path as the author knows it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def modules(self) -> Iterator[Path]:
        """Yield its modules, in a fixed order."""
        for package in self.packages:
            yield from sorted(package.rglob("*.py")) if package.is_dir() else [package]


@contextmanager
def release(
    text: str, beside: Path, sources: Sources, environ: Mapping[str, str], cache: Path
) -> Iterator[Release]:
    """Open the release that somebody named, for as long as the context lasts.

    Args:
        text: a folder, a ``.whl``, a ``.tar.gz``, ``NAME==VERSION``, or a revision of git.
        beside: the folder of the project in whose repository a revision is looked for.
        sources: where a version is downloaded from.
        environ: the person's, of which pip and git get little.
        cache: where what is known of interpreters is kept.

    Raises:
        ReleaseError: it is none of these, or cannot be had.
        ManifestError: it is no plugin.
        ResolveError: there is no wheel of that version, or the index does not answer.
    """
    path = Path(text)
    with TemporaryDirectory(prefix="viloapp-release-") as scratch:
        folder = Path(scratch).resolve()
        if path.is_dir():
            yield _of_source(path.resolve())
        elif path.suffix == ".whl" and path.is_file():
            yield _of_wheel(path, folder)
        elif path.name.endswith((".tar.gz", ".tgz")) and path.is_file():
            yield _of_source(_only(_unpacked(path, folder), path))
        elif _PINNED.fullmatch(text):
            yield _of_wheel(_downloaded(text, sources, environ, cache, folder), folder / "wheel")
        else:
            yield _of_source(_of_git(text, beside, environ, folder))


def _of_source(folder: Path) -> Release:
    plugin = read_source(folder)
    return Release(plugin, tuple(packages(folder, read_pyproject(folder))), folder, Path("pyproject.toml"))


def _of_wheel(wheel: Path, folder: Path) -> Release:
    plugin = read_wheel(wheel)
    manifest, total = Path(FILE_NAME), 0
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                path = PurePosixPath(member.filename)
                if path.suffix != ".py" and path.name != FILE_NAME:
                    continue
                total += member.file_size
                if path.is_absolute() or ".." in path.parts or "\\" in member.filename or total > _MAX_BYTES:
                    raise ReleaseError(f"{wheel.name} cannot be unpacked: {member.filename[:80]!r}")
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as content:  # no more than it announced: zipfile sees to that
                    target.write_bytes(content.read())
                if path.name == FILE_NAME:
                    manifest = Path(path)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise ReleaseError(f"{wheel.name} cannot be unpacked: {error}") from error
    found = (each for each in sorted(folder.iterdir()) if each.suffix not in (".dist-info", ".data"))
    return Release(plugin, tuple(found), folder, manifest)


def _unpacked(archive: Path, folder: Path) -> Path:
    """Unpack a tar; what would leave the folder, links out of it and devices are refused."""
    total = 0

    def judge(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
        nonlocal total
        total += member.size
        if total > _MAX_BYTES:
            raise ReleaseError(f"{archive.name} has more than {_MAX_BYTES // 1024**2} MiB")
        return tarfile.data_filter(member, path)

    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter=judge)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ReleaseError(f"{archive.name} cannot be unpacked: {error}") from error
    return folder


def _only(folder: Path, archive: Path) -> Path:
    """Return the one folder of a source distribution. Source: PEP 625."""
    found = [each for each in folder.iterdir() if each.is_dir()]
    if len(found) != 1:
        raise ReleaseError(f"{archive.name} is no source distribution: it has {len(found)} folders, not one")
    return found[0]


def _downloaded(pinned: str, sources: Sources, environ: Mapping[str, str], cache: Path, folder: Path) -> Path:
    """Return the wheel of a version; source distributions are not asked for, pip would have to build them."""
    from packaging.specifiers import SpecifierSet

    interpreter = next(iter(candidates(None, SpecifierSet(""), cache=cache)))
    target = folder / "downloaded"
    arguments = [pinned, "--no-deps", "--ignore-requires-python", "--dest", str(target)]
    Pip(environ, folder).run(interpreter, "download", sources, arguments)
    return next(target.glob("*.whl"))


def _of_git(revision: str, beside: Path, environ: Mapping[str, str], folder: Path) -> Path:
    """Return the project as it was at a revision of its repository."""
    known = "a folder, a wheel, a .tar.gz, NAME==VERSION, or a revision of the project's git repository"
    git = shutil.which("git", path=environ.get("PATH", os.defpath))
    if not _REVISION.fullmatch(revision) or git is None:
        raise ReleaseError(f"{revision[:200]!r} is no release: nothing has that name", f"name {known}")
    tar = folder / "revision.tar"
    argv = [git, "-C", str(beside), "archive", "--format=tar", f"--output={tar}"]
    env = {name: environ[name] for name in ("HOME", "PATH", "LANG") if name in environ}
    done = commands.run([*argv, f"{revision}^{{commit}}", "."], env=env, timeout_s=_GIT_TIMEOUT_S)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["it failed"])[-1].removeprefix("fatal: ")
        raise ReleaseError(f"{revision!r} is no release: git says {why}", f"name {known}")
    target = folder / "revision"
    target.mkdir()
    return _unpacked(tar, target)
