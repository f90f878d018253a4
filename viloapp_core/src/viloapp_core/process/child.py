"""One running program: wait for it, signal it, be sure that it is gone.

Its end is learned through a pidfd that the event loop watches, so that an embedding application keeps
SIGCHLD, its signal handlers and its child watcher to itself.
"""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import threading

from viloapp_core.process.exit_status import ExitStatus
from viloapp_core.process.pipes import readable

__all__ = ["Child"]


class Child:
    """A process in a session of its own. Made by `Spawner`; every method may be called from any thread.

    Args:
        popen: the started process; nothing else may wait on it.
        owns_group: whether processes left in its process group are killed when it ends. A worker takes
            its helpers with it; a shell leaves its background jobs alone.

    Attributes:
        pid: process id of the program (of bubblewrap, when it is sandboxed).
        pidfd: descriptor that turns readable when it ends; -1 once its status was collected.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]", *, owns_group: bool = True) -> None:
        self.pid = popen.pid
        self.pidfd = os.pidfd_open(popen.pid)
        self._popen = popen
        self._owns_group = owns_group
        self._status: ExitStatus | None = None
        self._lock = threading.Lock()

    @property
    def status(self) -> ExitStatus | None:
        """How it ended, None while it runs. Collects the exit status when there is one."""
        with self._lock:
            if self._status is None:
                self._status = self._collect()
            return self._status

    async def wait(self) -> ExitStatus:
        """Wait for the end. Any number of tasks may wait, and a cancelled wait disturbs nobody."""
        while (status := self.status) is None:
            await self._ended()
        return status

    def wait_blocking(self, timeout_s: float) -> ExitStatus | None:
        """Wait in this thread for at most ``timeout_s`` seconds; None when it still runs then."""
        if self.status is None:
            poller = select.poll()
            poller.register(self.pidfd, select.POLLIN)
            poller.poll(max(0, int(timeout_s * 1000)))
        return self.status

    def signal(self, number: int) -> None:
        """Send a signal to its whole process group; nothing happens when it has ended."""
        with self._lock:
            if self._status is None:
                _signal_group(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        self.signal(signal.SIGKILL)

    async def stop(self, grace_s: float) -> ExitStatus:
        """Ask with SIGTERM, insist with SIGKILL after ``grace_s`` seconds, and return how it ended.

        A program under bubblewrap does not see the SIGTERM: it ends bubblewrap, and with it the whole
        sandbox. Ask a worker over its own channel first.
        """
        self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.wait(), grace_s)
        except TimeoutError:
            self.kill()
            return await self.wait()

    def _collect(self) -> ExitStatus | None:
        """Reap it if it has ended. The caller holds the lock."""
        try:
            if os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            if self._owns_group:
                # Still a zombie, so its number cannot have been given to another group yet.
                _signal_group(self.pid, signal.SIGKILL)
            status = _translate(os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED | os.WNOHANG))
        except ChildProcessError:
            status = ExitStatus()
        # So that Popen's finalizer neither warns nor waits for a process that is already reaped.
        self._popen.returncode = status.shell_code
        os.close(self.pidfd)
        self.pidfd = -1
        return status

    async def _ended(self) -> None:
        with self._lock:
            if self._status is not None:
                return
            # A descriptor per waiter: a loop keeps one callback for each.
            notice = os.dup(self.pidfd)
        try:
            await readable(notice)
        finally:
            os.close(notice)


def _translate(result: os.waitid_result | None) -> ExitStatus:
    if result is None:
        return ExitStatus()
    if result.si_code == os.CLD_EXITED:
        return ExitStatus(code=result.si_status)
    return ExitStatus(signal=result.si_status)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
