"""Which system calls show that a process wants something, and where they say what. Pure.

Source: the ``SYNOPSIS`` of each one's manual page.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["AT_FDCWD", "CALLS", "Call", "Place"]

AT_FDCWD = -100
"""In place of a folder's descriptor: the working folder."""


class Place(NamedTuple):
    """Where a path is: the index of its argument, and of the folder's descriptor that it starts at."""

    path: int
    folder: int | None = None


class Call(NamedTuple):
    """What a system call is for.

    Args:
        kind: ``open``, ``write``, ``execute`` or ``connect``.
        places: of its paths.
        argument: the index of an ``open``'s flags, or of a ``connect``'s address.
        shape: how that address is passed: itself with its length after it, or in a ``struct msghdr``.
    """

    kind: str
    places: tuple[Place, ...] = ()
    argument: int | None = None
    shape: str = "address"


CALLS: Mapping[str, Call] = {
    "open": Call("open", (Place(0),), 1),
    "openat": Call("open", (Place(1, 0),), 2),
    "creat": Call("write", (Place(0),)),
    "mkdir": Call("write", (Place(0),)),
    "mkdirat": Call("write", (Place(1, 0),)),
    "rmdir": Call("write", (Place(0),)),
    "unlink": Call("write", (Place(0),)),
    "unlinkat": Call("write", (Place(1, 0),)),
    "truncate": Call("write", (Place(0),)),
    "rename": Call("write", (Place(0), Place(1))),
    "renameat": Call("write", (Place(1, 0), Place(3, 2))),
    "renameat2": Call("write", (Place(1, 0), Place(3, 2))),
    "link": Call("write", (Place(1),)),
    "linkat": Call("write", (Place(3, 2),)),
    "symlink": Call("write", (Place(1),)),
    "symlinkat": Call("write", (Place(2, 1),)),
    "execve": Call("execute", (Place(0),)),
    "execveat": Call("execute", (Place(1, 0),)),
    "connect": Call("connect", argument=1),
    "sendto": Call("connect", argument=4),
    "sendmsg": Call("connect", argument=1, shape="message"),
    "sendmmsg": Call("connect", argument=1, shape="message"),
}
"""By name. ``openat2`` does not exist for a worker, whose callers then use ``openat``."""
