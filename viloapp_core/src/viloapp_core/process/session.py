"""Every process of a session: each job of a shell has a process group of its own, a session has them all."""

import contextlib
import os
import signal
from collections.abc import Iterator

__all__ = ["signal_session"]


def signal_session(session: int, number: int) -> int:
    """Send a signal to every process whose session is ``session``, and return how many got it.

    Stopped ones are continued after it, or they would sleep through it. A process that is looked at is held
    by a pidfd first, so that a number given anew in between is never signalled.
    """
    reached = 0
    for pid in _processes():
        with contextlib.suppress(OSError):
            pidfd = os.pidfd_open(pid)
            try:
                if os.getsid(pid) == session:
                    signal.pidfd_send_signal(pidfd, number)
                    signal.pidfd_send_signal(pidfd, signal.SIGCONT)
                    reached += 1
            finally:
                os.close(pidfd)
    return reached


def _processes() -> Iterator[int]:
    """Source: ``proc(5)``."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit())
