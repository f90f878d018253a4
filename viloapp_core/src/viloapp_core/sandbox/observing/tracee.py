"""What a system call's arguments point to, read from the process that waits in it.

A process is known by its number, which may be another's by the time that it is read: whoever reads asks the
kernel afterwards whether the call still waits, and forgets what was read when it does not.
"""

import contextlib
import os

__all__ = ["Tracee"]

_LONGEST_PATH = 4096
_HIGHEST_ADDRESS = 1 << 63
"""No process has memory from there on, and no file an offset."""


class Tracee:
    """One thread that waits in a system call.

    Args:
        number: of the thread, as this process sees it.
    """

    def __init__(self, number: int) -> None:
        self._folder = f"/proc/{number}"

    def memory(self, address: int, length: int) -> bytes:
        """Return what is at an address: less where it ends, nothing where there is none.

        Raises:
            OSError: it may not be read.
        """
        if not 0 < address < _HIGHEST_ADDRESS - length:
            return b""
        fd = os.open(f"{self._folder}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(fd, length, address)
        finally:
            os.close(fd)

    def path(self, address: int, folder: int) -> str | None:
        """Return a path that is passed to a call, absolute; None when it is none.

        Args:
            address: of the text.
            folder: the descriptor that it starts at, or `AT_FDCWD`.

        Raises:
            OSError: its memory or its folder may not be read.
        """
        text, end, _ = self.memory(address, _LONGEST_PATH).partition(b"\0")
        if not end:
            return None
        path = os.fsdecode(text)
        if not path.startswith("/"):
            start = os.readlink(f"{self._folder}/cwd" if folder < 0 else f"{self._folder}/fd/{folder}")
            path = os.path.join(start, path) if path else start
        # A pipe, a socket or what was removed has no path that begins like this, or is not there outside.
        return os.path.normpath(path) if path.startswith("/") else None

    def listens(self, port: int) -> bool:
        """Return whether something in its own network waits at a port: then that is whom it talks to.

        Source: ``proc_pid_net(5)``.
        """
        for name in ("tcp", "tcp6", "udp", "udp6"):
            with contextlib.suppress(OSError), open(f"{self._folder}/net/{name}", encoding="ascii") as table:
                for line in table:
                    words = line.split()
                    bound = words[1].endswith(f":{port:04X}")
                    if bound and (name.startswith("udp") or words[3] == "0A"):
                        return True
        return False
