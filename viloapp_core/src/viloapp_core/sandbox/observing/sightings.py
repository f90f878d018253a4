"""What was seen, in the words of `viloapp_core.host.learning`, and whether the worker can reach it. Pure."""

import ipaddress
import os
from pathlib import Path

from viloapp_core.sandbox.masks import within
from viloapp_core.sandbox.profile import Mount, MountKind, Profile

__all__ = ["address_of", "is_scratch", "is_shared", "kind_of_open", "reachable"]

_AF_INET, _AF_INET6 = 2, 10
_O_PATH = 0o10000000


def kind_of_open(flags: int) -> str | None:
    """Return what a file is opened for, ``read`` or ``write``; None when only its place is wanted."""
    if flags & _O_PATH:
        return None
    return "write" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) else "read"


def address_of(data: bytes) -> tuple[str, int] | None:
    """Return host and port of a ``sockaddr``, IPv6 in brackets; None when it is of no network, or no port.

    Source: ``ip(7)``, ``ipv6(7)``.
    """
    family, port = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "big")
    if port == 0:
        return None  # so the C library asks which of its own addresses would be used
    if family == _AF_INET and len(data) >= 8:
        return str(ipaddress.IPv4Address(data[4:8])), port
    if family == _AF_INET6 and len(data) >= 24:
        address = ipaddress.IPv6Address(data[8:24])
        mapped = address.ipv4_mapped
        return (str(mapped) if mapped is not None else f"[{address}]"), port
    return None


def reachable(kind: str, path: str, profile: Profile) -> bool:
    """Return whether a worker gets there, as far as its view of the disk says; links are not followed.

    What it may not change of its own code and of the system's libraries counts as reached: Python tries to
    keep compiled modules there, and no permission would let it. So does an empty folder that is on the way
    to something.

    Args:
        kind: ``read``, ``write`` or ``execute``.
        path: absolute.
        profile: its view.
    """
    mount = _mount_of(path, profile)
    if mount is None:
        return False
    theirs = is_shared(path, profile)
    match mount.kind:
        case MountKind.READ | MountKind.READ_IF_THERE:
            return kind == "read" or not theirs
        case MountKind.WRITE:
            return kind != "execute" or not theirs
        case MountKind.HIDE_FILE | MountKind.HIDE_FOLDER:
            return False
        case _:
            return True


def is_scratch(path: str, profile: Profile) -> bool:
    """Return whether a path lies in a private folder in memory, where another file may be than outside."""
    mount = _mount_of(path, profile)
    return mount is not None and mount.kind is MountKind.SCRATCH


def is_shared(path: str, profile: Profile) -> bool:
    """Return whether a path lies in what the person shares: links there lead where they do outside.

    Those of the system's own folders lead to its configuration, which nobody gets a permission for.
    """
    return any(within(Path(path), folder) for folder in profile.shared)


def _mount_of(path: str, profile: Profile) -> Mount | None:
    """The last mount above it decides; a plain folder is only itself."""
    place = Path(path)
    for mount in reversed(profile.mounts):
        alone = mount.kind is MountKind.FOLDER
        if place == mount.target if alone else within(place, mount.target):
            return mount
    return None
