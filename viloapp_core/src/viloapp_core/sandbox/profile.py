"""From a request to the whole view of the disk that a worker gets. Pure: nothing is opened or made here.

The order of the mounts is the order in which they are made, and a later one covers an earlier one: what
the person shares comes first, what must stay hidden covers it, and the plugin's own parts come last, since
they may lie below a hidden store.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.permissions import Permission, allows
from viloapp_core.sandbox.errors import WorkspaceRefusedError
from viloapp_core.sandbox.links import links_on_the_way
from viloapp_core.sandbox.masks import SECRETS, masked, within
from viloapp_core.sandbox.request import Disk, Request

__all__ = ["BOOTSTRAP", "Mount", "MountKind", "Profile", "profile"]

BOOTSTRAP = Path("/run/viloapp/bootstrap.py")
"""Where a sandboxed worker finds its bootstrap, whatever folder the core is installed in."""

_READ_WORKSPACE = Permission("filesystem", "read", "workspace")
_WRITE_WORKSPACE = Permission("filesystem", "write", "workspace")

# Programs and libraries of the system; the stores are those of Nix and Guix, whose interpreters need them.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")

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

# A folder that is one of these, or holds one, is the machine and not a project.
_NOT_A_WORKSPACE = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")


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
    """

    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    folder: Path
    user_namespace: bool


def profile(
    request: Request,
    *,
    environment: Mapping[str, str],
    bootstrap: Path,
    home: Path,
    user_namespace: bool,
    disk: Disk,
) -> Profile:
    """Decide what the worker of ``request`` sees.

    Args:
        request: the worker.
        environment: the environment it gets, see `viloapp_core.sandbox.environment`.
        bootstrap: the bootstrap's file outside.
        home: the person's home, whose secrets are hidden.
        user_namespace: see `Profile`.
        disk: what is there.

    Raises:
        PermissionSyntaxError: an id is no permission.
        WorkspaceRefusedError: a permission shares the workspace folder, and that folder is the machine's own.
    """
    mounts: list[Mount] = [
        *(Mount(MountKind.READ_IF_THERE, Path(path), path) for path in _SYSTEM),
        *(Mount(MountKind.READ_IF_THERE, Path("/etc", name), f"/etc/{name}") for name in _ETC),
        Mount(MountKind.PROCESSES, Path("/proc")),
        Mount(MountKind.DEVICES, Path("/dev")),
        Mount(MountKind.SCRATCH, Path("/tmp")),
        *_workspace(request, home, disk),
    ]
    for kind, path in _own(request, disk):
        mounts += _folders_above(path, mounts)
        mounts.append(Mount(kind, path, str(path)))
    for link, target in links_on_the_way(_named(request, mounts, disk), disk):
        if not _shown(link, mounts):
            mounts += _folders_above(link, mounts)
            mounts.append(Mount(MountKind.LINK, link, target))
    mounts.append(Mount(MountKind.READ, BOOTSTRAP, str(bootstrap)))
    return Profile(tuple(mounts), dict(environment), request.data_dir, user_namespace)


def _own(request: Request, disk: Disk) -> Iterator[tuple[MountKind, Path]]:
    """What is the plugin's: its interpreter, its code, its data. System prefixes are there already."""
    prefix = disk.resolve(request.base_prefix)
    if not any(within(prefix, Path(system)) for system in _SYSTEM):
        yield MountKind.READ, prefix
    yield MountKind.READ, disk.resolve(request.generation)
    if request.dev_source is not None:
        yield MountKind.READ, disk.resolve(request.dev_source)
    yield MountKind.WRITE, disk.resolve(request.data_dir)


def _named(request: Request, mounts: list[Mount], disk: Disk) -> list[Path]:
    """The paths as the plugin is told them: links on the way to them have to exist inside too."""
    paths = [request.python, request.base_prefix, request.base_executable, request.data_dir]
    if request.dev_source is not None:
        paths.append(request.dev_source)
    if request.workspace is not None and _shown(disk.resolve(request.workspace), mounts):
        paths.append(request.workspace)
    return paths


def _workspace(request: Request, home: Path, disk: Disk) -> Iterator[Mount]:
    """The workspace folder at its own path, if a permission shares it, with holes where secrets are."""
    granted = [Permission.parse(text) for text in request.permissions]
    writable = allows(granted, _WRITE_WORKSPACE)
    if request.workspace is None or not (writable or allows(granted, _READ_WORKSPACE)):
        return
    folder = disk.resolve(request.workspace)
    _refuse(request, folder, home, disk)
    yield from _folders_above(folder, [])
    yield Mount(MountKind.WRITE if writable else MountKind.READ, folder, str(folder))
    for path in masked(folder, home=home, store=disk.resolve(request.store), disk=disk):
        yield Mount(MountKind.HIDE_FOLDER if disk.is_folder(path) else MountKind.HIDE_FILE, path)


def _refuse(request: Request, folder: Path, home: Path, disk: Disk) -> None:
    if any(within(Path(system), folder) or folder == Path(system) for system in _NOT_A_WORKSPACE):
        raise WorkspaceRefusedError(request.plugin_id, str(folder), "is the machine's own")
    if any(within(folder, Path(system)) for system in ("/dev", "/etc", "/proc", "/run", "/sys")):
        raise WorkspaceRefusedError(request.plugin_id, str(folder), "is the machine's own")
    if any(within(folder, disk.resolve(home / name)) for name in SECRETS):
        raise WorkspaceRefusedError(request.plugin_id, str(folder), "holds secrets")
    if within(folder, disk.resolve(request.store)):
        raise WorkspaceRefusedError(request.plugin_id, str(folder), "is part of the store")


def _folders_above(path: Path, mounts: list[Mount]) -> list[Mount]:
    """The folders above ``path`` that no mount shows: they may have a private mode outside (a 0700 home)."""
    made = {mount.target for mount in mounts}
    above = []
    for parent in path.parents:
        if parent == Path("/") or parent in made or _shown(parent, mounts):
            break
        above.append(Mount(MountKind.FOLDER, parent))
    return above[::-1]


def _shown(path: Path, mounts: list[Mount]) -> bool:
    """Tell whether what is at ``path`` outside is there inside: the last mount above it decides."""
    for mount in reversed(mounts):
        if mount.kind is not MountKind.FOLDER and within(path, mount.target):
            return mount.kind in (MountKind.READ, MountKind.READ_IF_THERE, MountKind.WRITE)
    return False
