"""What `viloapp doctor` has a process try from inside the sandbox. Run as a file, in place of a plugin.

Its argument is JSON that names targets which the host prepared, see `viloapp_core.sandbox.trial`. It prints a
JSON object: for each attempt an empty text when it was stopped, else what it achieved.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

TARGETS: dict[str, Any] = {}
LIBC = ctypes.CDLL(None, use_errno=True)


def read() -> str:
    """Read a file of the person's."""
    with open(TARGETS["secret"]) as file:
        return f"read {len(file.read())} characters of a file of the person's"


def write() -> str:
    """Write to it, but never make it: a file in a private folder of that name would be nobody else's."""
    with open(TARGETS["secret"], "r+"):
        return "opened a file of the person's to write to it"


def touch() -> str:
    """Change what is known of it, which needs no opening."""
    os.utime(TARGETS["secret"])
    return "changed the time of a file of the person's"


def look() -> str:
    """Find out that it is there."""
    return f"saw that a file of the person's has {os.stat(TARGETS['secret']).st_size} bytes"


def tcp(protocol: int = 0) -> str:
    """Connect to a server of the machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as one:
        one.settimeout(2)
        one.connect(("127.0.0.1", TARGETS["tcp"]))
        return "connected to a server on this machine"


def mptcp() -> str:
    """Do so in a way that older Landlock overlooks."""
    return tcp(262)


def fastopen() -> str:
    """Send with the first packet, without connecting."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(2)
        one.sendto(b"x", 0x20000000, ("127.0.0.1", TARGETS["tcp"]))
        one.recv(1)
        return "sent to a server on this machine"


def udp() -> str:
    """Send a datagram, and wait for its answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.5)
        one.sendto(b"x", ("127.0.0.1", TARGETS["udp"]))
        one.recv(1)
        return "exchanged datagrams with a server on this machine"


def unix(address: str = "") -> str:
    """Connect to a socket that has a path."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(2)
        one.connect(address or TARGETS["unix"])
        return "connected to a Unix socket of the machine's"


def abstract() -> str:
    """Connect to one that has none."""
    return unix("\0" + TARGETS["abstract"])


def signal() -> str:
    """Send the host the signal that does nothing."""
    os.kill(TARGETS["host"], 0)
    return "signalled the host"


def memory() -> str:
    """Read what the host keeps in its environment."""
    with open(f"/proc/{TARGETS['host']}/environ", "rb") as file:
        return f"read {len(file.read())} bytes of the host's environment"


def attach() -> str:
    """Take hold of the host as a debugger does (PTRACE_SEIZE, which does not stop it)."""
    if LIBC.ptrace(0x4206, TARGETS["host"], None, None) == 0:
        return "attached to the host as a debugger"
    return ""


def limit() -> str:
    """Change the host's limits."""
    import resource

    resource.prlimit(TARGETS["host"], resource.RLIMIT_CORE)
    return "reached the host's limits"


def execute() -> str:
    """Run a program of the system's."""
    subprocess.run([TARGETS["program"]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    return f"ran {TARGETS['program']}"


def namespace() -> str:
    """Make a user namespace (CLONE_NEWUSER), in which one has every capability."""
    return "made a user namespace" if LIBC.unshare(0x10000000) == 0 else ""


def ring() -> str:
    """Set up an io_uring, which does system calls past the filter."""
    parameters = ctypes.create_string_buffer(120)
    fd = LIBC.syscall(425, 1, parameters)
    return "set up an io_uring" if fd >= 0 else ""


ATTEMPTS: tuple[Callable[[], str], ...] = (
    *(read, write, touch, look),
    *(tcp, mptcp, fastopen, udp, unix, abstract),
    *(signal, memory, attach, limit, execute, namespace, ring),
)


def attempt(one: Callable[[], str]) -> str:
    """Return what an attempt achieved."""
    try:
        return one()
    except (OSError, subprocess.SubprocessError):
        return ""


if __name__ == "__main__":
    TARGETS.update(json.loads(sys.argv[1]))
    print(json.dumps({one.__name__: attempt(one) for one in ATTEMPTS}))
