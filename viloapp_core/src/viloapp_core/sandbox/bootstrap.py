"""The first code of a worker: confine this process, then start the SDK. Run as a file, never imported.

    python -I -S bootstrap.py FD_IN,FD_OUT,FD_BULK [PARENT_PID]

``-I -S`` keep the virtualenv's ``site`` (and with it every ``.pth`` file) from running before this file has;
what narrows the process further belongs above `site.main`. It runs on the plugin's own interpreter, Python
3.10 and newer, from a read-only mount, and imports as little as it can: it is on the path of every start.
"""

import sys


def die_with(parent: int) -> None:
    """Without a sandbox: have the kernel kill this process when the host ends.

    Source: ``prctl(2)``, PR_SET_PDEATHSIG.
    """
    import ctypes
    import os
    import signal

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, int(signal.SIGKILL), 0, 0, 0)
    # The host may have ended before the line above.
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Prepare the process and hand it to the SDK's worker loop, which returns when the host is gone."""
    fds = [int(fd) for fd in sys.argv[1].split(",")]
    if len(sys.argv) > 2:
        die_with(int(sys.argv[2]))
    # A plugin that looks at the arguments of the program finds a program without any.
    del sys.argv[1:]

    import site

    site.main()

    from viloapp_sdk.worker import main as serve

    serve(*fds)


# Processes that a plugin starts by multiprocessing import this file again, under another name.
if __name__ == "__main__":
    main()
