"""A generation's virtualenv: made empty, filled from audited wheels, compiled. Its interpreter never runs."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation import commands
from viloapp_core.foundation.errors import CommandError
from viloapp_core.store.errors import LayDownError

# Compiling is a convenience: after this many seconds the plugin starts slower, and that is all.
_COMPILE_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Environment:
    """A virtualenv that exists."""

    folder: Path
    schemes: Mapping[str, str]
    """Where each of a wheel's schemes lands: purelib, platlib, scripts, data, headers."""
    base_prefix: Path
    base_executable: Path
    python_version: str

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
    )


def fill(
    environment: Environment,
    wheels: Sequence[Path],
    requested: str,
    on_wheel: Callable[[str, int], None] = lambda name, done: None,
) -> None:
    """Install audited wheels; a file that is already there is never overwritten.

    Args:
        environment: where.
        wheels: files under their proper names; the first is the plugin's own.
        requested: what the user asked for, recorded as ``REQUESTED`` beside the plugin's own wheel.
        on_wheel: told each wheel's name and how many are done.

    Raises:
        LayDownError: a wheel is not one, or two wheels have one file.
    """
    from installer import install
    from installer.destinations import SchemeDictionaryDestination
    from installer.exceptions import InstallerError
    from installer.sources import WheelFile

    for done, wheel in enumerate(wheels):
        on_wheel(wheel.name, done)
        schemes = dict(environment.schemes)
        # As pip does: headers in a folder per distribution, so that they do not meet.
        schemes["headers"] = str(Path(schemes["headers"]) / wheel.name.split("-")[0])
        metadata = {"INSTALLER": b"viloapp\n"}
        if done == 0:
            metadata["REQUESTED"] = requested.encode()
        destination = SchemeDictionaryDestination(schemes, str(environment.python), script_kind="posix")
        try:
            with WheelFile.open(wheel) as source, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a __pycache__ in a wheel is left out, which is what we want
                install(source, destination, metadata)
        except FileExistsError as error:
            raise LayDownError(
                f"{wheel.name} has a file that another wheel of the set already has: {error}",
                "two distributions with one module do not fit into one virtualenv; tell the plugin's author",
            ) from error
        except (InstallerError, ValueError, OSError, AssertionError) as error:
            raise LayDownError(f"{wheel.name} cannot be laid down: {error}") from error


def compile_modules(environment: Environment) -> bool:
    """Compile what was laid down, since workers see it read-only; return whether all of it could be.

    The base interpreter does it, isolated and without `site`: it reads the files and runs none of them.
    The cached files are not checked against their sources later, for a generation never changes.
    """
    script = Path(__file__).with_name("_compile.py")
    argv = [str(environment.base_executable), "-I", "-S", str(script)]
    folders = sorted({environment.schemes["purelib"], environment.schemes["platlib"]})
    try:
        finished = commands.run([*argv, *folders], env={}, timeout_s=_COMPILE_TIMEOUT_S)
    except CommandError as error:
        if error.code == "command_cancelled":
            raise
        return False
    return finished.returncode == 0
