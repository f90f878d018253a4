"""The Python interpreters of this machine that a plugin may get."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.resolve.errors import InterpreterError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from python_discovery import DiskCache, PythonInfo

# The oldest Python that the SDK and pip run on.
_OLDEST = (3, 10)


@dataclass(frozen=True)
class Interpreter:
    """A base interpreter: no virtualenv, no shim."""

    executable: Path
    prefix: Path
    version: str
    """Such as ``3.11.7``."""

    @property
    def series(self) -> str:
        """Such as ``3.11``."""
        return ".".join(self.version.split(".")[:2])


def candidates(
    wanted: str | None, requires_python: SpecifierSet, *, cache: Path, environ: Mapping[str, str] = os.environ
) -> Iterator[Interpreter]:
    """Yield the interpreters to try: the host's first, then one of each other series, the newest first.

    The search for others starts only when the first is not enough.

    Args:
        wanted: what the user named: a path or a version such as ``3.12``; None for any.
        requires_python: what the plugin's metadata allows, as far as it is known already.
        cache: a folder for what was learnt of interpreters.
        environ: where to look: ``PATH``, ``PYENV_ROOT``, ``HOME``.

    Raises:
        InterpreterError: the interpreter that the user named is not there or is not allowed.
    """
    from python_discovery import DiskCache

    disk = DiskCache(cache)
    if wanted is not None:
        yield _named(wanted, requires_python, disk, environ)
        return
    host = _host(disk)
    if host is not None and requires_python.contains(host.version, prereleases=True):
        yield host
    for found in _others(disk, environ):
        if (host is None or found.series != host.series) and requires_python.contains(found.version):
            yield found


def known_versions(cache: Path, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the versions of all interpreters found, for an error message."""
    from python_discovery import DiskCache

    return _versions(DiskCache(cache), environ)


def _versions(disk: DiskCache, environ: Mapping[str, str]) -> list[str]:
    host = _host(disk)
    found = [host] if host is not None else []
    return sorted({item.version for item in [*found, *_others(disk, environ)]}, key=_as_numbers)


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _host(disk: DiskCache) -> Interpreter | None:
    from python_discovery import PythonInfo

    info = PythonInfo.current_system(disk)
    return _interpreter(info, strict=False)


def _named(
    wanted: str, requires_python: SpecifierSet, disk: DiskCache, environ: Mapping[str, str]
) -> Interpreter:
    from python_discovery import PythonInfo

    if os.sep in wanted:
        info = _probe(PythonInfo, Path(wanted).expanduser().absolute(), disk, environ)
        found = None if info is None else _interpreter(info, strict=False)
    else:
        host = _host(disk)
        every = [host, *_others(disk, environ)] if host else list(_others(disk, environ))
        prefix = wanted.removeprefix("python")
        found = next((item for item in every if f"{item.version}.".startswith(f"{prefix}.")), None)
    if found is None:
        raise InterpreterError(
            f"no Python {wanted} is on this machine", f"there are: {', '.join(_versions(disk, environ))}"
        )
    if not requires_python.contains(found.version, prereleases=True):
        raise InterpreterError(
            f"the plugin requires Python {requires_python}, and {found.executable} is {found.version}"
        )
    return found


def _others(disk: DiskCache, environ: Mapping[str, str]) -> list[Interpreter]:
    """Return one interpreter of each series, the newest first."""
    best: dict[str, Interpreter] = {}
    for info in _search(disk, environ):
        found = _interpreter(info, strict=True)
        if found is None:
            continue
        known = best.get(found.series)
        if known is None or _as_numbers(found.version) > _as_numbers(known.version):
            best[found.series] = found
    return sorted(best.values(), key=lambda item: _as_numbers(item.version), reverse=True)


def _search(disk: DiskCache, environ: Mapping[str, str]) -> Iterator[PythonInfo]:
    """Yield what pyenv has, what is on PATH and what uv has.

    pyenv's shims answer with whatever version is selected in the current folder, or not at all: what they
    stand for is found in pyenv's own folder instead.
    """
    from python_discovery import PythonInfo, iter_interpreters

    roots = {environ.get("PYENV_ROOT", ""), str(Path(environ.get("HOME", "/")) / ".pyenv")} - {""}
    for root in sorted(roots):
        for folder in sorted(Path(root).glob("versions/3.*")):
            if _may_be_new_enough(folder.name) and (
                info := _probe(PythonInfo, folder / "bin" / "python", disk, environ)
            ):
                yield info
    path = environ.get("PATH", "").split(os.pathsep)
    clean = {**environ, "PATH": os.pathsep.join(item for item in path if Path(item).name != "shims")}
    yield from iter_interpreters(f">={'.'.join(map(str, _OLDEST))}", cache=disk, env=clean)


def _may_be_new_enough(name: str) -> bool:
    numbers = _as_numbers(name)
    return len(numbers) < 2 or numbers[:2] >= _OLDEST


def _probe(
    kind: type[PythonInfo], executable: Path, disk: DiskCache, environ: Mapping[str, str]
) -> PythonInfo | None:
    """Run an interpreter once and return what it says of itself, or None when it does not work."""
    if not os.access(executable, os.X_OK):
        return None
    return kind.from_exe(str(executable), disk, raise_on_error=False, env=environ)


def _interpreter(info: PythonInfo, *, strict: bool) -> Interpreter | None:
    """Return a description of a usable base interpreter.

    Args:
        info: what discovery found; of a virtualenv, its base is meant.
        strict: only a released, ordinary CPython: what is taken without being asked for.
    """
    version = info.version_info
    if info.implementation != "CPython" or (version.major, version.minor) < _OLDEST:
        return None
    if strict and (version.releaselevel != "final" or info.free_threaded):
        return None
    executable = Path(info.system_executable or info.executable or "")
    if not executable.is_absolute() or not executable.exists():
        return None
    number = f"{version.major}.{version.minor}.{version.micro}"
    return Interpreter(executable, Path(info.system_prefix), number)
