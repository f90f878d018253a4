"""Run pip where it can start no other program; a script: ``python -I -S _guard.py PIP ARGUMENT…``.

``--only-binary :all:`` does not hold for requirements by URL or from version control: pip would fetch and
build them, which runs their code. Without other programs pip can build nothing. The hook cannot be removed,
and a refused program is an OSError to pip, which says so and ends. Standard library only; Python 3.10 and up.
"""

import os
import runpy
import sys

# Source: the table of audit events in Python's documentation.
_PROGRAM_EVENTS = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}


def _refuse_programs(event: str, arguments: "tuple[object, ...]") -> None:
    if event in _PROGRAM_EVENTS:
        raise PermissionError(1, "only wheels are installed: nothing is built", str(arguments[:1]))


def _end_with_parent() -> None:
    """Ask the kernel to end this process with its parent, so that a killed install leaves none."""
    if sys.platform != "linux":
        return
    import ctypes
    import signal

    parent = os.getppid()
    pr_set_pdeathsig = 1  # Source: linux/prctl.h
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    _end_with_parent()
    sys.addaudithook(_refuse_programs)
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
