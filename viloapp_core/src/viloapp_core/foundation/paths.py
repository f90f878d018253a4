"""Where things are on this machine. The only module that knows platformdirs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from viloapp_core.foundation.errors import FolderError

# sun_path of a Unix socket address holds 108 bytes on Linux and 104 on macOS, with the final zero.
# Source: unix(7); sys/un.h of macOS.
_MAX_SOCKET_PATH = 100
_SOCKET_NAME = "host.sock"
# Root's, for what all stores of a machine share: for good, or where a container's disk is read-only, for now.
_MACHINE = (Path("/var/lib/viloapp"), Path("/run/viloapp"))


def store_root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of everything installed: ``$VILOAPP_HOME``, else the user's data folder.

    Raises:
        FolderError: ``$VILOAPP_HOME`` is not an absolute path.
    """
    if home := environ.get("VILOAPP_HOME"):
        path = Path(home).expanduser()
        if not path.is_absolute():
            raise FolderError(
                f"VILOAPP_HOME is {home!r}, which is not an absolute path",
                "give VILOAPP_HOME an absolute path or unset it",
            )
        return path
    import platformdirs  # costs 10 ms, and most runs of the tests name the store themselves

    return Path(platformdirs.user_data_path("viloapp", appauthor=False))


def template_dir() -> Path:
    """Return the folder in which the versions of the template for new plugins are kept."""
    import platformdirs

    return Path(platformdirs.user_data_path("viloapp-template", appauthor=False))


def runtime_dir(store: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the store's sockets, made 0700 and ours, with a path short enough for a socket.

    Each store has a folder of its own, named by a digest of the store's path.

    Raises:
        FolderError: the folder exists and belongs to someone else, is a link, or cannot be made.
    """
    digest = hashlib.sha256(os.fsencode(store.resolve())).hexdigest()[:12]
    for parent in _runtime_parents(environ):
        folder = parent / digest
        if len(os.fsencode(folder / _SOCKET_NAME)) < _MAX_SOCKET_PATH:
            private_dir(parent)
            return private_dir(folder)
    raise FolderError(
        "no folder for sockets has a path short enough", "set XDG_RUNTIME_DIR to a short path of yours"
    )


def _runtime_parents(environ: Mapping[str, str]) -> list[Path]:
    """Return where the runtime folder may be, the best first: what the session gives, then a private /tmp."""
    import tempfile  # brings random and more, which the readers of a store need not pay for

    parents = []
    given = environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/") and os.access(given, os.W_OK | os.X_OK) and Path(given).is_dir():
        parents.append(Path(given) / "viloapp")
    parents += [Path(folder) / f"viloapp-{os.getuid()}" for folder in (tempfile.gettempdir(), "/tmp")]
    return parents


def machine_dir() -> Path:
    """Return root's folder for what all stores of this machine have to agree on, made when it is missing.

    Raises:
        FolderError: there is none that is root's alone and can be written.
    """
    problems = []
    for folder in _MACHINE:
        try:
            found = private_dir(folder)
        except FolderError as error:
            problems.append(error.detail)
        else:
            if os.access(found, os.W_OK):
                return found
            problems.append(f"{found} cannot be written")
    raise FolderError("; ".join(problems), f"let root write to {_MACHINE[0]}")


def private_dir(folder: Path) -> Path:
    """Make `folder` when it is missing, check that it is ours alone, and return it.

    In a folder that all may write to (``/tmp``) another user could have made it first, or put a link
    there: both are refused, and nothing is ever followed.

    Raises:
        FolderError: the folder is a link, no folder, another user's, or cannot be made.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
    except OSError as error:
        raise FolderError(f"{folder} cannot be made: {error.strerror}") from error
    if stat.S_ISLNK(status.st_mode) or not stat.S_ISDIR(status.st_mode):
        raise FolderError(f"{folder} is not a plain folder", f"remove it: rm {folder}")
    if status.st_uid != os.geteuid():
        raise FolderError(f"{folder} belongs to another user", "set XDG_RUNTIME_DIR to a folder of your own")
    if stat.S_IMODE(status.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def first_free(folder: Path, name: str) -> Path:
    """Return ``folder/name``, or ``folder/name-2``, ``-3`` …: the first that does not exist."""
    candidate = folder / name
    for number in count(2):
        if not os.path.lexists(candidate):
            break
        candidate = folder / f"{name}-{number}"
    return candidate
