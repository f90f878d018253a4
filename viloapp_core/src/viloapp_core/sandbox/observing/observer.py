"""The host's side: takes the kernel's listener from a worker that is about to be confined, and looks.

The worker sends no descriptor, since it must have no way to: the host takes this one (`pidfd_getfd(2)`),
once, while the worker waits in the core's own bootstrap. Which process that is says the kernel
(``SCM_CREDENTIALS``), and the socket over which they agree is closed before any code of the plugin runs.

    worker: "?"    host: may it take descriptors from that process, and read its memory?   "y" or "n"
    worker: installs the filter, tells the listener's number, or less than 0 what is wrong
    host:   takes it                                                                       "y"
    worker: closes listener and socket

Source: ``seccomp_unotify(2)``, ``linux/seccomp.h``.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import socket
import struct
import threading
from collections.abc import Callable

from viloapp_core.sandbox.observing.calls import AT_FDCWD, CALLS, Call
from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.sandbox.observing.sightings import address_of, kind_of_open
from viloapp_core.sandbox.observing.tracee import Tracee
from viloapp_core.sandbox.profile import Profile
from viloapp_core.sandbox.syscalls import MACHINES

__all__ = ["Observer"]

_RECEIVE, _SEND, _STILL_WAITS = 0xC0502100, 0xC0182101, 0x40082102
# struct seccomp_notif: id, pid, flags, and in it struct seccomp_data: nr, arch, instruction_pointer, args.
_NOTIFICATION = struct.Struct("<QIIiIQ6Q")
_ANSWER = struct.Struct("<QqiI")
_CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
_CREDENTIALS = struct.Struct("3i")
_LISTENER = "anon_inode:seccomp notify"
_LOOPBACK = ("127.", "0.0.0.0", "[::1]", "[::]")


class Observer:
    """Watches one process. It has a thread of its own, which ends with that.

    Args:
        observation: where what is seen is noted.

    Attributes:
        theirs: the descriptor that the process inherits, see `viloapp_core.sandbox.launch_plan`.
    """

    def __init__(self, observation: Observation) -> None:
        self._observation = observation
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._stop, self._stopping = os.pipe()
        self._begun = False
        self.theirs = self._theirs.fileno()

    def begin(self, profile: Profile | None, on_failure: Callable[[str], None]) -> None:
        """Look at the process that was started with `theirs`, from a thread.

        Args:
            profile: what it sees; None when it tells nothing (see `viloapp_core.sandbox.Launch.observed`).
            on_failure: called in that thread, with the reason, when the looking broke. The process has to be
                ended then: calls that nobody answers fail with ENOSYS.
        """
        number = self._theirs.fileno()
        self._theirs.close()
        if profile is None:
            self._observation.add_problem("it is not confined here in a way that tells of its system calls")
            self.close()
            return
        self._begun = True
        watch = threading.Thread(
            target=self._run, args=(number, profile, on_failure), name="viloapp-observer", daemon=True
        )
        watch.start()

    def close(self) -> None:
        """Look no more; once the process has ended, or instead of `begin`. May be called twice."""
        if self._stopping >= 0:
            os.close(self._stopping)  # the other end turns readable, which ends the thread
            self._stopping = -1
        if not self._begun:
            self._theirs.close()
            self._finish()

    def _finish(self) -> None:
        self._ours.close()
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1

    def _run(self, number: int, profile: Profile, on_failure: Callable[[str], None]) -> None:
        listener = None
        try:
            listener = self._take(number)
            if listener is not None:
                self._observation.watched = True
                self._look(listener, profile)
        except Exception as error:  # whatever it is: the process waits for answers that would not come
            on_failure(f"what looks at its system calls failed: {error}")
        finally:
            if listener is not None:
                os.close(listener)
            self._finish()

    # -- taking the listener -------------------------------------------------------------------------

    def _take(self, number: int) -> int | None:
        """Return the listener; None, with the reason noted, when the process cannot be looked at."""
        said, pid = self._hear()
        if not said:
            return None
        try:
            process = os.pidfd_open(pid)
        except OSError:
            return None  # it is gone
        try:
            if (problem := _forbidden(process, pid, number)) is not None:
                self._observation.add_problem(problem)
                self._ours.send(b"n")
                return None
            self._ours.send(b"y")
            told = int(self._hear()[0] or b"0")
            if told <= 0:
                if told < 0:
                    self._observation.add_problem(f"the kernel tells of no system calls: {_why(-told)}")
                return None
            listener = _copy(process, told)
            if os.readlink(f"/proc/self/fd/{listener}") != _LISTENER:
                os.close(listener)
                raise OSError("what it told is no listener")
            self._ours.send(b"y")
            return listener
        finally:
            os.close(process)

    def _hear(self) -> tuple[bytes, int]:
        """Return what the process says, and its number; nothing when it ended, or this is to end."""
        poller = select.poll()
        poller.register(self._ours, select.POLLIN)
        poller.register(self._stop, select.POLLIN)
        ready = dict(poller.poll())
        if self._stop in ready:
            return b"", 0
        said, extra, _, _ = self._ours.recvmsg(16, socket.CMSG_SPACE(_CREDENTIALS.size))
        for level, kind, data in extra:
            if said and (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return said, _CREDENTIALS.unpack(data)[0]
        return b"", 0

    # -- looking -------------------------------------------------------------------------------------

    def _look(self, listener: int, profile: Profile) -> None:
        """Note and answer each call until there is no process left that could make one."""
        names = {number: name for name, number in MACHINES[os.uname().machine].numbers.items()}
        nameservers = _nameservers()
        poller = select.poll()
        poller.register(listener, select.POLLIN)
        poller.register(self._stop, select.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self._stop in ready or not ready.get(listener, 0) & select.POLLIN:
                return
            buffer = bytearray(_NOTIFICATION.size)
            try:
                fcntl.ioctl(listener, _RECEIVE, buffer)
            except (FileNotFoundError, InterruptedError):
                continue  # who waited was ended, or a signal came
            id, thread, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
            self._see(listener, id, Tracee(thread), CALLS[names[number]], arguments, profile, nameservers)
            _go_on(listener, id)

    def _see(
        self,
        listener: int,
        id: int,
        tracee: Tracee,
        call: Call,
        arguments: list[int],
        profile: Profile,
        nameservers: tuple[str, ...],
    ) -> None:
        try:
            if call.kind == "connect":
                found = _address(tracee, call, arguments)
                own = found is not None and found[0].startswith(_LOOPBACK) and tracee.listens(found[1])
                fcntl.ioctl(listener, _STILL_WAITS, id.to_bytes(8, "little"))
                if found is not None and not own:
                    self._observation.add_connection(*found, nameservers)
                return
            paths = [
                tracee.path(
                    arguments[each.path], AT_FDCWD if each.folder is None else _signed(arguments[each.folder])
                )
                for each in call.places
            ]
            # Else it may be another process's memory that was read.
            fcntl.ioctl(listener, _STILL_WAITS, id.to_bytes(8, "little"))
        except OSError:
            self._observation.unread += 1
            return
        kind = call.kind
        if kind == "open":
            assert call.argument is not None
            kind = kind_of_open(arguments[call.argument]) or ""
        for path in paths:
            if kind and path is not None:
                self._observation.add_path(kind, path, profile)


def _go_on(listener: int, id: int) -> None:
    """Let a call be done as if nobody had looked."""
    while True:
        try:
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(id, 0, 0, _CONTINUE))
        except InterruptedError:
            continue
        except FileNotFoundError:
            return  # who waited was ended meanwhile
        return


def _address(tracee: Tracee, call: Call, arguments: list[int]) -> tuple[str, int] | None:
    assert call.argument is not None
    place, length = arguments[call.argument], 0
    if call.shape == "address":
        length = arguments[call.argument + 1] & 0xFFFFFFFF
    else:
        # struct msghdr begins with the address and its length.
        header = tracee.memory(place, 12)
        place, length = int.from_bytes(header[:8], "little"), int.from_bytes(header[8:], "little")
    return address_of(tracee.memory(place, min(length, 28)))


def _signed(argument: int) -> int:
    """Return an ``int`` argument: the low 32 bits."""
    return argument & 0x7FFFFFFF if not argument & 0x80000000 else AT_FDCWD


def _forbidden(process: int, pid: int, number: int) -> str | None:
    """Say why a process may not be looked at; None when it may. Asks by doing what will be done."""
    try:
        os.close(_copy(process, number))
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return (
            f"the system does not let this process look into a plugin's ({error.strerror}): it needs what a "
            "debugger does (kernel.yama.ptrace_scope below 3; in a container CAP_SYS_PTRACE)"
        )
    return None


def _copy(process: int, number: int) -> int:
    """Return a copy of a descriptor of another process's. Source: ``pidfd_getfd(2)``, Linux 5.6."""
    libc = ctypes.CDLL(None, use_errno=True)
    copied = int(libc.syscall(MACHINES[os.uname().machine].numbers["pidfd_getfd"], process, number, 0))
    if copied < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return copied


def _why(code: int) -> str:
    import errno

    if code == errno.EBUSY:
        return "another program watches those of everything that runs here (a container's supervisor)"
    return os.strerror(code)


def _nameservers() -> tuple[str, ...]:
    """Whom the C library asks for names. Source: ``resolv.conf(5)``."""
    found = []
    with contextlib.suppress(OSError), open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                found.append(f"[{words[1]}]" if ":" in words[1] else words[1])
    return tuple(found) or ("127.0.0.1",)
