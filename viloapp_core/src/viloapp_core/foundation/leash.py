"""End with the parent: a killed operation must leave no child that goes on writing.

The scripts that run under other interpreters load this file by its path, so it uses the standard library
alone and runs on Python 3.10 and up.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h
_SIGKILL = 9


def end_with_parent(parent: "int | None" = None) -> None:
    """Ask the kernel to kill this process when the thread that started it ends; only Linux can.

    The parent must stay in that thread until this process ended, which `foundation.commands.run` does.

    Args:
        parent: its process id, told by itself: it may have ended before this process could ask who it is.
    """
    if sys.platform != "linux":
        return
    import ctypes

    parent = parent or os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)
