"""From a request to the whole view of the disk that a worker gets. Pure: nothing is opened or made here.

The order of the mounts is the order in which they are made, and a later one covers an earlier one: what
the person shares comes first, what must stay hidden covers it, and the plugin's own parts come last, since
they may lie below a hidden store.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from viloapp_core.sandbox.links import links_on_the_way
from viloapp_core.sandbox.masks import masked, within
from viloapp_core.sandbox.mounts import Mount, MountKind, Mounts
from viloapp_core.sandbox.request import Disk, Request
from viloapp_core.sandbox.shared import shared_folders

__all__ = ["BOOTSTRAP", "ROOT_ONLY", "RUN", "SCRIPT", "Inside", "Mount", "MountKind", "Profile", "profile"]

RUN = Path("/run/viloapp")
"""The folder of what is the sandbox's own."""
BOOTSTRAP = RUN / "bootstrap.py"
"""Where a sandboxed worker finds its bootstrap, whatever folder the core is installed in."""
SCRIPT = RUN / "script.py"
"""Where another program of the core's finds itself, see `Inside`."""
ROOT_ONLY = RUN / "root-only"
"""A file that is root's alone: a worker that can read it is not confined."""

# Libraries of the system and their data, but no programs: those are another permission's, and run elsewhere.
# The stores are those of Nix and Guix, whose interpreters need them. Python finds libraries by `ldconfig`.
_LIBRARIES = (
    *("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/local/lib", "/usr/local/lib64"),
    *("/lib", "/lib32", "/lib64", "/libx32", "/usr/share", "/usr/local/share", "/nix/store", "/gnu/store"),
    *("/sbin/ldconfig", "/usr/sbin/ldconfig"),
)
_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_PROGRAM_FOLDERS = tuple(map(Path, _PROGRAMS))
# Mostly links, into what is mounted anyway. A link costs nothing, where each mount takes a third of a
# millisecond: bubblewrap reads the whole table of mounts for it.
_OFTEN_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/localtime", "/etc/os-release")

# What programs expect to read of /etc. Never shadow, gshadow, private keys (ssl/private) or a machine's own
# configuration. passwd and group are there for the names of users; passwords are in shadow.
_ETC = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki/ca-trust",
    "pki/tls/certs",
    "pki/tls/cert.pem",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything a backend needs to confine one worker.

    Args:
        mounts: in the order in which they are made.
        environment: the worker's whole environment.
        folder: its working folder.
        user_namespace: whether it needs one of its own (everybody but root).
        shared: folders and files of the person's among the mounts.
        scratch_bytes: the most that a private folder in memory holds; None where that cannot be bounded.
    """

    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    folder: Path
    user_namespace: bool
    shared: tuple[Path, ...] = ()
    scratch_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """Files of the sandbox's own, by where they lie outside.

    Args:
        bootstrap: runs first.
        root_only: root's alone, readable by nobody else; None where there is no other identity to check.
        script: what runs in place of the SDK, None for a worker.
    """

    bootstrap: Path
    root_only: Path | None = None
    script: Path | None = None


def profile(
    request: Request,
    *,
    environment: Mapping[str, str],
    inside: Inside,
    home: Path,
    user_namespace: bool,
    disk: Disk,
) -> Profile:
    """Decide what the worker of ``request`` sees.

    Args:
        request: the worker.
        environment: the environment it gets, see `viloapp_core.sandbox.environment`.
        inside: the sandbox's own files.
        home: the person's home, whose secrets are hidden.
        user_namespace: see `Profile`.
        disk: what is there.

    Raises:
        PermissionSyntaxError: an id is no permission.
        FolderRefusedError: a permission shares a folder that is the machine's own, or holds secrets.
    """
    folders = shared_folders(request, home=home, disk=disk)
    mounts = _system(request.programs, disk).copy()
    for mount in _shared(request, folders, home, disk):
        mounts.add(mount)
    for kind, path, source in _own(request, disk):
        mounts.add(Mount(kind, path, str(source)))
    for link, target in links_on_the_way(_named(request, mounts, disk), disk):
        if not (mounts.shows(link) or mounts.links(link)):
            mounts.add(Mount(MountKind.LINK, link, target))
    mounts.add(Mount(MountKind.READ, BOOTSTRAP, str(inside.bootstrap)))
    for place, file in ((ROOT_ONLY, inside.root_only), (SCRIPT, inside.script)):
        if file is not None:
            mounts.add(Mount(MountKind.READ, place, str(file)))
    return Profile(
        tuple(mounts.made),
        dict(environment),
        request.data_dir,
        user_namespace,
        shared=tuple(folders),
        scratch_bytes=request.scratch_bytes,
    )


def _system(programs: bool, disk: Disk) -> Mounts:
    """What is the same for every plugin; what is missing on this machine is left out."""
    return _mounted(programs, tuple(_found(mount.target, disk) for mount in _if_there(programs)))


def _found(path: Path, disk: Disk) -> bool | str:
    """Tell whether a path is there; of a link that leads to its goal at once, what it points to."""
    if not disk.exists(path):
        return False
    if str(path) in _OFTEN_LINKS and (text := disk.link(str(path))) is not None:
        goal = _goal(path, text)
        if disk.resolve(path.parent) == path.parent and disk.resolve(goal) == goal:
            return text
    return True


def _goal(link: Path, text: str) -> Path:
    return Path(os.path.normpath(link.parent / text))


@cache
def _if_there(programs: bool) -> tuple[Mount, ...]:
    # Made once: paths are slow to make, and there is a start for each plugin.
    system = _PROGRAMS if programs else _LIBRARIES
    return (
        *(Mount(MountKind.READ_IF_THERE, Path(path), path) for path in system),
        *(Mount(MountKind.READ_IF_THERE, Path("/etc", name), f"/etc/{name}") for name in _ETC),
    )


@lru_cache(maxsize=16)
def _mounted(programs: bool, there: tuple[bool | str, ...]) -> Mounts:
    mounts = Mounts()
    for mount, found in zip(_if_there(programs), there, strict=True):
        if isinstance(found, str) and mounts.shows(_goal(mount.target, found)):
            mounts.add(Mount(MountKind.LINK, mount.target, found))
        elif found:
            mounts.add(mount)
    mounts.add(Mount(MountKind.PROCESSES, Path("/proc")))
    mounts.add(Mount(MountKind.DEVICES, Path("/dev")))
    for place in ("/dev/shm", "/tmp"):
        mounts.add(Mount(MountKind.SCRATCH, Path(place)))
    return mounts


def _own(request: Request, disk: Disk) -> Iterator[tuple[MountKind, Path, Path]]:
    """What is the plugin's, and what is shown there: its interpreter, its code, its data.

    The system's libraries are there already.
    """
    prefix = disk.resolve(request.base_prefix)
    of_system = any(within(prefix, folder) for folder in _PROGRAM_FOLDERS)
    if not of_system:
        yield MountKind.READ, prefix, prefix
    executable = disk.resolve(request.base_executable)
    if not within(executable, prefix) or of_system:
        yield MountKind.READ, executable, executable
    generation, data = disk.resolve(request.generation), disk.resolve(request.data_dir)
    yield MountKind.READ, generation, generation
    if request.dev_source is not None:
        yield MountKind.READ, (source := disk.resolve(request.dev_source)), request.dev_copy or source
    yield MountKind.WRITE, data, data


def _named(request: Request, mounts: Mounts, disk: Disk) -> list[Path]:
    """The paths as the plugin is told them: links on the way to them have to exist inside too."""
    paths = [request.python, request.base_prefix, request.base_executable, request.data_dir]
    if request.dev_source is not None:
        paths.append(request.dev_source)
    if request.workspace is not None and mounts.shows(disk.resolve(request.workspace)):
        paths.append(request.workspace)
    return paths


def _shared(request: Request, folders: Mapping[Path, bool], home: Path, disk: Disk) -> list[Mount]:
    """The person's folders at their own paths, with holes where secrets are."""
    hidden = {
        path: disk.is_folder(path)
        for folder in folders
        for path in masked(folder, home=home, store=disk.resolve(request.store), disk=disk)
    }
    mounts: list[Mount] = []
    for folder, writable in sorted({**_held(folders, hidden), **folders}.items()):
        mounts.append(Mount(MountKind.WRITE if writable else MountKind.READ, folder, str(folder)))
    for path, is_folder in hidden.items():
        mounts.append(Mount(MountKind.HIDE_FOLDER if is_folder else MountKind.HIDE_FILE, path))
    return mounts


def _held(folders: Mapping[Path, bool], hidden: Iterable[Path]) -> dict[Path, bool]:
    """The folders between a writable one and a hidden path in it, to be mounted over themselves.

    What is hidden is hidden by its path: a plugin that renames a folder above it would find it elsewhere at
    its next start. A place where something is mounted cannot be renamed (``rename(2)``, EBUSY).
    """
    return {
        parent: True
        for path in hidden
        for parent in path.parents
        if any(
            writable and parent != folder and within(parent, folder) for folder, writable in folders.items()
        )
    }
