"""What a plugin needs, exactly: one interpreter and one wheel of each distribution, with its hash."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from viloapp_core.foundation.paths import first_free
from viloapp_core.resolve import own_names
from viloapp_core.resolve.errors import DirectUrlError, InterpreterError, PipError, UnsatisfiableError
from viloapp_core.resolve.interpreters import Interpreter
from viloapp_core.resolve.pip import Pip, Sources


@dataclass(frozen=True)
class Package:
    """One distribution of a lock."""

    name: str
    """Normalized."""
    version: str
    filename: str
    url: str
    sha256: str

    @property
    def local(self) -> Path | None:
        """The file, when it needs no network."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None


@dataclass(frozen=True)
class Resolution:
    """A complete answer."""

    python: Interpreter
    packages: tuple[Package, ...]
    """The plugin's own first, then the others by name."""
    notes: tuple[str, ...] = ()
    """What a person should know of how it was found."""

    @property
    def plugin(self) -> Package:
        """The plugin's own distribution."""
        return self.packages[0]

    @property
    def digest(self) -> str:
        """Sixty-four hexadecimal digits that stand for this set of wheels on this series of Python."""
        return lock_digest(self.python.series, [(p.name, p.sha256) for p in self.packages])


def lock_digest(series: str, wheels: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 that stands for a set of wheels on a series of Python, in hexadecimal.

    Args:
        series: such as ``3.11``.
        wheels: normalized name and SHA-256 of each.
    """
    lines = [f"python {series}", *sorted(f"{name} {sha256}" for name, sha256 in wheels)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Target:
    """What is to be resolved.

    Args:
        plugin_id: the plugin's normalized name.
        requirement: what pip is asked: a requirement, or the URL of a file.
        file_sha256: the hash of the file, when the user named one.
        constraints: further constraints in pip's syntax.
        beside: what else to lock for the same environment, as arguments of pip's.
    """

    plugin_id: str
    requirement: str
    file_sha256: str | None = None
    constraints: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def lock(
    target: Target,
    *,
    interpreters: Iterable[Interpreter],
    sources: Sources,
    wheels: Mapping[str, Path],
    pip: Pip,
    explain: Callable[[str], None] = lambda line: None,
) -> Resolution:
    """Find an interpreter and wheels for a plugin and everything it imports.

    The interpreters are tried in their order; the next only where the last had no version or wheel that fits.

    Args:
        target: the plugin.
        interpreters: the candidates, best first.
        sources: the index and folders to ask.
        wheels: the wheelhouse, whose names come from nowhere else.
        pip: how to run pip.
        explain: told, for people, why a candidate was passed over.

    Raises:
        UnsatisfiableError: no candidate fits; has pip's reason for the first.
        InterpreterError: there was no candidate.
        OwnNameError: one of ViloApp's own names would have come from elsewhere.
        IndexUnreachableError, PipError: pip could not do it.
    """
    failures: list[tuple[Interpreter, UnsatisfiableError]] = []
    notes: list[str] = []
    for interpreter in interpreters:
        try:
            packages = _lock_for(target, interpreter, sources, wheels, pip)
        except UnsatisfiableError as error:
            if refusal := own_names.refusal(target.plugin_id, error.detail):
                raise refusal from error
            failures.append((interpreter, error))
            explain(f"Python {interpreter.version} does not fit: {error.detail.splitlines()[-1]}")
            continue
        if failures:
            passed = ", ".join(failed.version for failed, _ in failures)
            notes.append(f"uses Python {interpreter.version}, since {passed} has no wheels that fit")
        return Resolution(interpreter, packages, tuple(notes))
    raise _no_candidate(target, failures, sources)


def _no_candidate(
    target: Target, failures: Sequence[tuple[Interpreter, UnsatisfiableError]], sources: Sources
) -> UnsatisfiableError | InterpreterError:
    if not failures:
        return InterpreterError(f"{target.plugin_id}: no Python on this machine fits its Requires-Python")
    tried = ", ".join(interpreter.version for interpreter, _ in failures)
    hint = f"tried Python {tried}"
    hint += "; only what was fetched before is known with --offline" if sources.offline else ""
    detail = failures[0][1].detail
    return UnsatisfiableError(f"{target.plugin_id}: {detail}", hint)


def _lock_for(
    target: Target,
    interpreter: Interpreter,
    sources: Sources,
    wheels: Mapping[str, Path],
    pip: Pip,
) -> tuple[Package, ...]:
    """Lock for one interpreter."""
    named = target.plugin_id if target.file_sha256 is not None else None
    folder = first_free(pip.scratch, f"lock-{target.plugin_id}")
    folder.mkdir()
    bound = [*own_names.constraints(wheels, named=named), *target.constraints]
    (folder / "constraints.txt").write_text("\n".join(bound) + "\n", encoding="utf-8")
    lock_file = folder / "pylock.toml"
    arguments = ["--constraint", str(folder / "constraints.txt"), "--output", str(lock_file)]
    pip.run(interpreter, "lock", sources, [*arguments, target.requirement, *target.beside])
    packages = parse(lock_file.read_bytes(), target.plugin_id, direct=wheels)
    hashes = {name: _sha256(wheel) for name, wheel in wheels.items()}
    own_names.check(target.plugin_id, [(p.name, p.sha256) for p in packages], wheels, hashes, named)
    if target.file_sha256 is not None and packages[0].sha256 != target.file_sha256:
        raise PipError(f"{target.plugin_id}: pip locked another file than the one that was named")
    return packages


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def parse(data: bytes, plugin_id: str, *, direct: Iterable[str] = ()) -> tuple[Package, ...]:
    """Return the packages of a lock, the plugin's first.

    Args:
        data: the lock's bytes.
        plugin_id: the plugin, which the user may have named by a URL.
        direct: further names that may stand for a file of our own choice instead of an index's.

    Raises:
        PipError: it is no lock, holds something that is not a wheel with a hash, or lacks the plugin.
        DirectUrlError: a distribution asks for files from elsewhere than the index.

    Source: PEP 751.
    """
    from packaging.pylock import Pylock, PylockValidationError

    try:
        pylock = Pylock.from_dict(tomllib.loads(data.decode()))
    except (PylockValidationError, ValueError) as error:
        raise PipError(f"pip's lock cannot be read: {error}") from error
    allowed = {plugin_id, *direct}
    elsewhere = [item for item in pylock.packages if item.archive or item.vcs or item.directory]
    if strangers := sorted(item.name for item in elsewhere if item.name not in allowed):
        raise DirectUrlError(plugin_id, strangers)
    packages = [_package(item) for item in pylock.packages]
    own = [item for item in packages if item.name == plugin_id]
    if len(own) != 1:
        raise PipError(f"pip's lock has {len(own)} distributions called {plugin_id}; one was expected")
    return (own[0], *sorted((item for item in packages if item is not own[0]), key=lambda p: p.name))


def _package(item: Any) -> Package:
    """Return a package of `packaging.pylock` as ours: a wheel with a hash, or nothing."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    # A file that was named by its URL is an archive to PEP 751; several wheels are a choice that pip leaves.
    found = item.archive if item.archive is not None else (item.wheels or [None])[0]
    url = getattr(found, "url", None) or ""
    filename = getattr(found, "name", None) or unquote(urlsplit(url).path.rpartition("/")[2])
    try:
        _, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise PipError(f"{item.name}: the lock has no wheel of it, and nothing else is installed") from error
    sha256 = found.hashes.get("sha256") if found is not None else None
    if not sha256 or len(item.wheels or ()) > 1:
        raise PipError(f"{item.name}: the lock does not name one wheel by its SHA-256")
    return Package(str(item.name), str(version), filename, url, sha256.lower())


def to_pylock(resolution: Resolution) -> bytes:
    """Return the lock that is kept with a generation: the same wheels, by their names and hashes.

    Wheels from an index keep their URL; those from this machine have only a name, for their path would say
    nothing on the next machine.
    """
    import tomli_w

    packages = []
    for package in resolution.packages:
        wheel: dict[str, Any] = {"name": package.filename}
        wheel["path" if package.local else "url"] = package.filename if package.local else package.url
        wheel["hashes"] = {"sha256": package.sha256}
        packages.append({"name": package.name, "version": package.version, "wheels": [wheel]})
    value = {
        "lock-version": "1.0",
        "created-by": "viloapp",
        "requires-python": f"=={resolution.python.series}.*",
        "packages": packages,
    }
    return tomli_w.dumps(value).encode()
