"""From a request to the whole view of the disk that a worker gets. Pure: nothing is opened or made here.

The order of the mounts is the order in which they are made, and a later one covers an earlier one: what
the person shares comes first, what must stay hidden covers it, and the plugin's own parts come last, since
they may lie below a hidden store.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from viloapp_core.sandbox.links import links_on_the_way
from viloapp_core.sandbox.masks import masked, within
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


class MountKind(enum.Enum):
    """How a path comes to be inside."""

    READ = "read-only, must exist"
    READ_IF_THERE = "read-only, left out when missing"
    WRITE = "writable"
    SCRATCH = "private and empty, writable, gone with the worker"
    HIDE_FOLDER = "empty and read-only over a folder"
    HIDE_FILE = "a file that cannot be opened"
    FOLDER = "a plain folder anyone may enter"
    LINK = "a symbolic link"
    PROCESSES = "the sandbox's own /proc"
    DEVICES = "the harmless devices"


@dataclass(frozen=True, slots=True)
class Mount:
    """One path inside. ``source`` is the path outside, or what a link points to; empty for the others."""

    kind: MountKind
    target: Path
    source: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything a backend needs to confine one worker.

    Args:
        mounts: in the order in which they are made.
        environment: the worker's whole environment.
        folder: its working folder.
        user_namespace: whether it needs one of its own (everybody but root).
        own_network: whether it has a network of its own, which leads nowhere.
        shared: folders and files of the person's among the mounts.
        scratch_bytes: the most that a private folder in memory holds; None where that cannot be bounded.
    """

    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    folder: Path
    user_namespace: bool
    own_network: bool = True
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
    mounts = [*_system(request.programs)]
    mounts += _shared(request, folders, home, disk)
    for kind, path, source in _own(request, disk):
        mounts += _folders_above(path, mounts)
        mounts.append(Mount(kind, path, str(source)))
    for link, target in links_on_the_way(_named(request, mounts, disk), disk):
        if not _shown(link, mounts):
            mounts += _folders_above(link, mounts)
            mounts.append(Mount(MountKind.LINK, link, target))
    mounts.append(Mount(MountKind.READ, BOOTSTRAP, str(inside.bootstrap)))
    for place, file in ((ROOT_ONLY, inside.root_only), (SCRIPT, inside.script)):
        if file is not None:
            mounts.append(Mount(MountKind.READ, place, str(file)))
    return Profile(
        tuple(_with_parents(mounts, disk)),
        dict(environment),
        request.data_dir,
        user_namespace,
        shared=tuple(folders),
        scratch_bytes=request.scratch_bytes,
    )


@cache
def _system(programs: bool) -> tuple[Mount, ...]:
    """What is the same for every plugin. Made once: paths are slow to make, and there is a start for each."""
    system = _PROGRAMS if programs else _LIBRARIES
    return (
        *(Mount(MountKind.READ_IF_THERE, Path(path), path) for path in system),
        *(Mount(MountKind.READ_IF_THERE, Path("/etc", name), f"/etc/{name}") for name in _ETC),
        Mount(MountKind.PROCESSES, Path("/proc")),
        Mount(MountKind.DEVICES, Path("/dev")),
        Mount(MountKind.SCRATCH, Path("/dev/shm")),
        Mount(MountKind.SCRATCH, Path("/tmp")),
    )


def _own(request: Request, disk: Disk) -> Iterator[tuple[MountKind, Path, Path]]:
    """What is the plugin's, and what is shown there: its interpreter, its code, its data.

    The system's libraries are there already.
    """
    prefix = disk.resolve(request.base_prefix)
    of_system = any(within(prefix, mount.target) for mount in _system(True) if mount.source in _PROGRAMS)
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


def _named(request: Request, mounts: list[Mount], disk: Disk) -> list[Path]:
    """The paths as the plugin is told them: links on the way to them have to exist inside too."""
    paths = [request.python, request.base_prefix, request.base_executable, request.data_dir]
    if request.dev_source is not None:
        paths.append(request.dev_source)
    if request.workspace is not None and _shown(disk.resolve(request.workspace), mounts):
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
        mounts += _folders_above(folder, mounts)
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


def _with_parents(mounts: list[Mount], disk: Disk) -> list[Mount]:
    """Name every folder above a mount: what bubblewrap makes by itself is its own user's alone."""
    complete: list[Mount] = []
    made: set[str] = set()
    for mount in mounts:
        if mount.kind is not MountKind.READ_IF_THERE or disk.exists(_path(mount.source)):
            above = _folders_above(mount.target, complete, made)
            made.update(str(folder.target) for folder in (*above, mount))
            complete += above
            complete.append(mount)
    return complete


def _folders_above(path: Path, mounts: list[Mount], made: Set[str] | None = None) -> list[Mount]:
    """The folders above ``path`` that no mount shows: they may have a private mode outside (a 0700 home).

    Args:
        path: what is to be mounted.
        mounts: what is mounted before it.
        made: the places of these, where they are known already.
    """
    if made is None:
        made = {str(mount.target) for mount in mounts}
    above: list[Mount] = []
    for parent in _parents(path):
        if str(parent) in made or _shown(parent, mounts):
            break
        above.append(Mount(MountKind.FOLDER, parent))
    return above[::-1]


@lru_cache(maxsize=1024)
def _parents(path: Path) -> tuple[Path, ...]:
    """Return the folders above a path but the root, the nearest first."""
    return tuple(path.parents)[:-1]


@lru_cache(maxsize=1024)
def _path(text: str) -> Path:
    return Path(text)


def _shown(path: Path, mounts: list[Mount]) -> bool:
    """Tell whether what is at ``path`` outside is there inside: the last mount above it decides."""
    for mount in reversed(mounts):
        if mount.kind is not MountKind.FOLDER and within(path, mount.target):
            return mount.kind in (MountKind.READ, MountKind.READ_IF_THERE, MountKind.WRITE)
    return False
