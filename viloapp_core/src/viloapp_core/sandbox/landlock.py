"""What a profile means in Landlock's terms: rights by path, for the version of it that the kernel has. Pure.

Source: ``landlock(7)``, ``linux/landlock.h``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.sandbox.profile import Mount, MountKind, Profile

__all__ = ["Ruleset", "ruleset"]

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FIRST_RIGHTS = (1 << 13) - 1  # version 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15  # versions 2, 3 and 5
_SPECIAL_FILES = (1 << 6) | (1 << 11)  # making character and block devices
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1  # version 4
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1  # version 6

_READ = _READ_FILE | _READ_DIR
# What a plugin wrote it may not run as a program: no permission says so.
_WRITTEN = (_FIRST_RIGHTS | _REFER | _TRUNCATE) & ~_SPECIAL_FILES & ~_EXECUTE


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What the worker's process tells the kernel.

    Args:
        filesystem: rights that are refused wherever no rule grants them.
        network: the same for TCP.
        scopes: what is refused towards processes outside.
        rules: rights below a path; a missing path is skipped.
    """

    filesystem: int
    network: int
    scopes: int
    rules: tuple[tuple[str, int], ...]


def ruleset(profile: Profile, abi: int, *, mounted: bool) -> Ruleset:
    """Return the rules that say of files what the profile's mounts say.

    Args:
        profile: what the worker sees.
        abi: Landlock's version, 1 or newer.
        mounted: the profile is the worker's whole world, with a network of its own. Folders may then be
            listed, and TCP be used; else the rules are all that there is.
    """
    handled = _handled(abi)
    rules = [*_rules(profile.mounts), *(((Path("/"), _READ_DIR),) if mounted else ())]
    return Ruleset(
        filesystem=handled,
        network=_BIND_TCP | _CONNECT_TCP if abi >= 4 and not mounted else 0,
        scopes=_ABSTRACT_SOCKETS | _SIGNALS if abi >= 6 else 0,
        rules=tuple((str(path), rights & handled) for path, rights in rules),
    )


def _handled(abi: int) -> int:
    rights = _FIRST_RIGHTS
    for version, more in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV)):
        rights |= more if abi >= version else 0
    return rights


def _rules(mounts: Iterable[Mount]) -> Iterator[tuple[Path, int]]:
    for mount in mounts:
        match mount.kind:
            case MountKind.READ | MountKind.READ_IF_THERE:
                # A folder may hold libraries beside programs. Running any gains nothing inside.
                yield mount.target, _READ | _EXECUTE
            case MountKind.WRITE | MountKind.SCRATCH:
                yield mount.target, _WRITTEN
            case MountKind.PROCESSES:
                yield mount.target, _READ | _WRITE_FILE
            case MountKind.DEVICES:
                yield mount.target, _READ | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
            case _:
                pass
