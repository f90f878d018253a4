"""Build the user's own folder, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation import commands
from viloapp_core.resolve import own_names
from viloapp_core.resolve.errors import BuildError
from viloapp_core.resolve.pip import Sources, clean_environment

_TIMEOUT_S = 900.0
_SHOWN_LINES = 25
# What earlier builds and tools leave in a folder: stale modules of build/ would end in the wheel.
_LEFTOVERS = shutil.ignore_patterns(
    *("build", "dist", "*.egg-info", "__pycache__", "*.pyc", ".venv", ".nox", ".tox", ".coverage"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
)


def build_editable(
    source: Path,
    destination: Path,
    *,
    sources: Sources,
    wheels: Mapping[str, Path],
    environ: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Build `source` into an editable wheel in `destination` (PEP 660) and return the wheel.

    Build requirements are installed into an isolated environment from the stated index; our own names come
    from the wheelhouse. The folder's build backend runs with the user's rights, as any build does.

    Raises:
        BuildError: with the end of what the build said.
    """
    env = _environment(destination, sources, wheels, environ)
    return Path(_build("editable", source, source, destination, env, on_line, cancel)["wheel"])


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made.

    Args:
        wheel: built from the source distribution.
        sdist: the source distribution.
    """

    wheel: Path
    sdist: Path


def build_distributions(
    source: Path,
    destination: Path,
    *,
    epoch: int,
    sources: Sources,
    wheels: Mapping[str, Path],
    environ: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Built:
    """Build a source distribution of `source` and from that a wheel, both in `destination` (PEP 517).

    A copy is built: the folder stays as it is, and what an earlier build left there is in neither. The same
    folder gives the same bytes, as far as the build backend keeps to ``SOURCE_DATE_EPOCH``.

    Args:
        source: the folder.
        destination: where to.
        epoch: the time that files get, in seconds since 1970 (``SOURCE_DATE_EPOCH``).
        sources: of the build's requirements.
        wheels: the wheelhouse.
        environ: the user's environment.
        on_line: told each line of the build.
        cancel: ends the build when set.

    Raises:
        BuildError: with the end of what the build said.
    """
    env = _environment(destination, sources, wheels, environ) | {"SOURCE_DATE_EPOCH": str(epoch)}
    copy = destination / "source" / source.name
    try:
        shutil.copytree(source, copy, ignore=_LEFTOVERS, symlinks=True)
    except (shutil.Error, OSError) as error:
        raise BuildError(f"{source} cannot be copied to be built: {error}") from error
    made = _build("distributions", source, copy, destination, env, on_line, cancel)
    return Built(Path(made["wheel"]), Path(made["sdist"]))


def _environment(
    destination: Path, sources: Sources, wheels: Mapping[str, Path], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a build, and make its folder."""
    destination.mkdir(parents=True, exist_ok=True)
    constraints = destination / "constraints.txt"
    constraints.write_text("\n".join(own_names.constraints(wheels, named=None)) + "\n", encoding="utf-8")
    env = {
        **clean_environment(environ, destination),
        # A build may need a compiler, git or whatever is on the user's PATH.
        "PATH": environ.get("PATH", os.defpath),
        # As addresses: pip takes several words from a variable, and a folder may have a space in its name.
        "PIP_CONSTRAINT": constraints.absolute().as_uri(),
        **sources.environment(),
        "PIP_FIND_LINKS": " ".join(map(_address, sources.find_links)),
    }
    if sources.offline:
        env["PIP_NO_INDEX"] = "1"
    # The process finds the core and `build` wherever this one does; it drops the variable before it builds.
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return env


def _build(
    kind: str,
    source: Path,
    folder: Path,
    destination: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None] | None,
    cancel: threading.Event | None,
) -> dict[str, str]:
    argv = [sys.executable, "-s", "-P", "-m", "viloapp_core.resolve._build"]
    argv += [str(folder), str(destination), kind]
    finished = commands.run(
        argv, env=env, cwd=destination, timeout_s=_TIMEOUT_S, on_line=on_line, cancel=cancel
    )
    result = destination / "result.json"
    if finished.returncode != 0 or not result.is_file():
        lines = [line for line in (finished.stdout + finished.stderr).splitlines() if line.strip()]
        shown = "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
        raise BuildError(
            f"{source} could not be built:\n{shown}", f"the same error: python -m build {source}"
        )
    made: dict[str, str] = json.loads(result.read_text(encoding="utf-8"))
    return made


def _address(link: str) -> str:
    """Return a folder or an address of wheels without a space."""
    return link if "://" in link else Path(link).absolute().as_uri()
