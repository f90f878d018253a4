"""A generation's virtualenv: made empty, filled from the unpacked wheels of the store. It never runs."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.store import binding
from viloapp_core.store.errors import LayDownError
from viloapp_core.store.unpacked import Shelf, Wheel

if TYPE_CHECKING:
    from viloapp_core.trust import VerifiedArtifact


@dataclass(frozen=True)
class Environment:
    """A virtualenv that exists."""

    folder: Path
    schemes: Mapping[str, str]
    """Where each of a wheel's schemes lands: purelib, platlib, scripts, data, headers."""
    base_prefix: Path
    base_executable: Path
    python_version: str
    bytecode_tag: str
    """Names the series whose compiled modules it can use, such as ``cpython-3.11``."""

    @property
    def python(self) -> Path:
        """The virtualenv's interpreter, to be started only inside the sandbox."""
        return self.folder / "bin" / "python"


def create(folder: Path, python: Path, *, cache: Path) -> Environment:
    """Make a virtualenv without pip or anything else in it.

    Args:
        folder: where; it must not exist, since a virtualenv cannot be moved.
        python: absolute path of the base interpreter.
        cache: a folder where virtualenv keeps what it knows of interpreters.

    Raises:
        LayDownError: it cannot be made.
    """
    import virtualenv

    argv = [str(folder), "-q", "--no-seed", "--no-vcs-ignore", "-p", str(python), "--app-data", str(cache)]
    # VIRTUALENV_* variables and the user's configuration file would change what is made.
    env = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUALENV_")}
    env["VIRTUALENV_CONFIG_FILE"] = os.devnull
    try:
        session = virtualenv.cli_run(argv, setup_logging=False, env=env)
    except (RuntimeError, OSError, SystemExit) as error:
        raise LayDownError(f"no virtualenv can be made with {python}: {error}") from error
    creator = session.creator
    interpreter = creator.interpreter
    # virtualenv's patch for distutils' settings costs every start of the interpreter; nothing here builds.
    for name in ("_virtualenv.py", "_virtualenv.pth"):
        with contextlib.suppress(FileNotFoundError):
            (Path(creator.purelib) / name).unlink()
    return Environment(
        folder=folder,
        schemes={
            "purelib": str(creator.purelib),
            "platlib": str(creator.platlib),
            "scripts": str(creator.script_dir),
            "data": str(creator.dest),
            "headers": str(Path(creator.dest) / "include"),
        },
        base_prefix=Path(interpreter.system_prefix),
        base_executable=Path(interpreter.system_executable or python),
        python_version=interpreter.version_str,
        bytecode_tag=_tag(interpreter),
    )


def _tag(interpreter: Any) -> str:
    version = interpreter.version_info
    free_threaded = "t" if getattr(interpreter, "free_threaded", False) else ""
    return f"{interpreter.implementation.lower()}-{version.major}.{version.minor}{free_threaded}"


def fill(
    environment: Environment,
    artifact: VerifiedArtifact,
    lock: bytes,
    wheels: Sequence[Wheel],
    requested: str,
    shelf: Shelf,
    on_wheel: Callable[[str, int], None] = lambda name, done: None,
) -> None:
    """Install audited wheels, exactly those that were verified; no file that is there is overwritten.

    Their modules come compiled, since workers see them read-only, and are shared with all virtualenvs that
    have the same wheel. What is not compiled yet, the base interpreter compiles, isolated and without `site`.

    Args:
        environment: where.
        artifact: what was verified.
        lock: names the wheels; it is kept beside the virtualenv.
        wheels: the first is the plugin's own.
        requested: what the user asked for, recorded as ``REQUESTED`` beside the plugin's own wheel.
        shelf: the unpacked wheels.
        on_wheel: told each wheel's name and how many are done.

    Raises:
        NotVerifiedError: the wheels or the lock are not those that were verified.
        LayDownError: a wheel is not one, or two wheels have one file.
    """
    from installer import install
    from installer.exceptions import InstallerError

    from viloapp_core.store.linking import LinkingDestination, UnpackedSource

    binding.check_wheels(artifact, lock, wheels)
    (environment.folder.parent / binding.LOCK).write_bytes(lock)
    on_wheel("unpacking and checking", 0)
    entries = shelf.take(wheels, environment.bytecode_tag, environment.base_executable)
    for done, entry in enumerate(entries):
        on_wheel(entry.filename, done)
        schemes = dict(environment.schemes)
        # As pip does: headers in a folder per distribution, so that they do not meet.
        schemes["headers"] = str(Path(schemes["headers"]) / entry.filename.split("-")[0])
        metadata = {"INSTALLER": b"viloapp\n"}
        if done == 0:
            metadata["REQUESTED"] = requested.encode()
        destination = LinkingDestination(schemes, environment.python, entry)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a __pycache__ in a wheel is left out, which is what we want
                install(UnpackedSource(entry), destination, metadata)
        except FileExistsError as error:
            raise LayDownError(
                f"{entry.filename} has a file that another wheel of the set already has: {error}",
                "two distributions with one module do not fit into one virtualenv; tell the plugin's author",
            ) from error
        except (InstallerError, ValueError, OSError, AssertionError) as error:
            raise LayDownError(f"{entry.filename} cannot be laid down: {error}") from error
