"""The fork server: an interpreter that has the SDK loaded, and whose children become workers. Never imported.

`viloapp_core.sandbox.forking` has it run, by the host's own interpreter with ``-I -S``, in one namespace with
`viloapp_core.sandbox.bootstrap`, whose functions it calls. It runs no code of a plugin, reads nothing that a
plugin could have written, and has one thread. Of a request it reads a byte and takes descriptors; the plan is
read by the child that it is for, so that no plugin's memory holds what was another's.

A child joins the namespaces that bubblewrap has made and waits in, forks once more since only children enter
a process namespace, and looks whether it is where it should be before the bootstrap confines it. Its first
parent, which ends at once, stays outside of that, and the server of all. What fails ends the child.

Source: ``setns(2)``, ``pid_namespaces(7)``, ``unix(7)``, ``prctl(2)``.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from viloapp_core.sandbox.bootstrap import Library, RefusalError, must, number, numbers, size

PR_SET_CHILD_SUBREAPER = 36
DESCRIPTORS = 7
"""Of a request: where its ending is told, its plan, a process in its namespaces, its log, and the three of
the SDK's worker."""
NO_ROOM, NOT_CONFINED, NOT_JOINED = 0, -1, -2
"""Told in place of a process id."""
FIRST_FREE = 10
"""Below these numbers are those that a worker has: its three streams, and the SDK's."""


class Preloaded:
    """Finds modules of the SDK in memory, which the host has read and compiled; they say that they are files.

    Args:
        modules: ``{name: (its file, whether it is a package, bytecode)}``.
    """

    def __init__(self, modules: "Mapping[str, tuple[str, bool, bytes]]") -> None:
        self.modules = modules

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """See `importlib.abc.MetaPathFinder`."""
        import _frozen_importlib

        if name not in self.modules:
            return None
        file, package, _code = self.modules[name]
        spec = _frozen_importlib.ModuleSpec(name, self, origin=file, is_package=package)  # type: ignore[arg-type]  # a loader by its methods
        spec._set_fileattr = True  # type: ignore[attr-defined]  # as `spec_from_file_location` does
        if package:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        return spec

    def create_module(self, spec: "Any") -> None:
        """See `importlib.abc.Loader`."""

    def exec_module(self, module: "ModuleType") -> None:
        """See `importlib.abc.Loader`."""
        import _frozen_importlib_external as external
        import marshal

        name = module.__name__
        file, _package, code = self.modules[name]
        module.__loader__ = module.__spec__.loader = external.SourceFileLoader(name, file)  # type: ignore[union-attr]
        exec(marshal.loads(code), module.__dict__)


class Server:
    """What the host asks for, and how it is told of each worker's end.

    Args:
        control: the number of the socket on which requests come.
        python: that of the file that was run.
    """

    def __init__(self, control: int, python: int) -> None:
        import _socket
        import os

        os.close(python)
        while (fd := os.open("/dev/null", os.O_RDONLY)) < FIRST_FREE:
            pass  # so that no descriptor that comes has a number that a worker's own has
        os.close(fd)
        os.environ.clear()  # the language, which this interpreter has by now; a child gets its own
        self.libc = Library()
        for code in "BILQ":
            number(code)  # types that every child needs
        self.workers: dict[int, tuple[int, int]] = {}  # where their end is told, and their sandbox
        self.log = -1
        self.control = _socket.socket(fileno=control)
        self.space = _socket.CMSG_SPACE(4 * DESCRIPTORS)

    def serve(self) -> "dict[str, Any]":
        """Fork for each request; return in a child alone, with the plan of the worker that it becomes."""
        import _signal as signal  # type: ignore[import-not-found]  # typeshed leaves it out
        import os

        # Workers lose their parent at once, and it is this process that adopts them.
        must(self.libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "child subreaper")
        signal.signal(signal.SIGCHLD, self._reap)
        while True:
            fds = self._request()
            if fds is None:
                self._end()
                os._exit(0)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            if (plan := self._begin(fds)) is not None:
                return plan
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _request(self) -> "Sequence[int] | None":
        """Wait for the next; a signal that comes meanwhile is dealt with (PEP 475)."""
        data, found, _flags, _address = self.control.recvmsg(1, self.space)
        if not data:
            return None
        held = found[0][2] if found else b""
        return [int.from_bytes(held[at : at + 4], sys.byteorder) for at in range(0, len(held), 4)]

    def _reap(self, number: int, frame: "Any") -> None:
        import os

        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if (held := self.workers.pop(pid, None)) is not None:
                self._tell(held[0], b"%d\n" % status)
                for fd in held:
                    os.close(fd)

    def _end(self) -> None:
        """The host has ended, or wants no more: end each sandbox, and with it all that is in there.

        The first process of each would do so by itself, but not before its last child does.
        """
        import _signal as signal

        for _told, inside in [*self.workers.values()]:
            try:  # noqa: SIM105  # see `_tell`
                signal.pidfd_send_signal(inside, signal.SIGKILL)
            except OSError:
                pass  # it has ended

    @staticmethod
    def _tell(fd: int, what: bytes) -> None:
        import os

        try:  # noqa: SIM105  # `contextlib` is needed by nothing else here
            os.write(fd, what)
        except OSError:
            pass  # the host has closed it: it does not want to know

    def _begin(self, fds: "Sequence[int]") -> "dict[str, Any] | None":
        """Have a worker forked and told of; return its plan in that, None here."""
        import os

        pid, kept = NO_ROOM, (-1, -1)
        if len(fds) == DESCRIPTORS:  # the kernel hands over as many as there is room for
            try:
                reads, writes = os.pipe()
            except OSError:
                pass
            else:
                try:
                    between = os.fork()
                except OSError:  # all else goes on
                    os.close(writes)
                else:
                    if between == 0:
                        os.close(reads)
                        return self._become(fds, writes)
                    os.close(writes)
                    # Without a number the child has written to the worker's log why.
                    pid = int(os.read(reads, 32) or NOT_CONFINED)
                    os.waitpid(between, 0)
                os.close(reads)
        if pid > 0:
            kept = self.workers[pid] = (fds[0], fds[2])
        if fds:
            self._tell(fds[0], b"%d\n" % pid)
        for fd in fds:
            if fd not in kept:
                os.close(fd)
        return None

    def _become(self, fds: "Sequence[int]", writes: int) -> "dict[str, Any]":
        """Enter the namespaces, and return in a child's child, which is in all of them."""
        import os

        self.log = fds[3]
        try:
            return self._entered(fds, writes)
        except BaseException as error:
            try:
                os.write(self.log, f"not confined, and so not started: {error}\n".encode())
            finally:
                os._exit(126)

    def _entered(self, fds: "Sequence[int]", writes: int) -> "dict[str, Any]":
        import _signal as signal
        import marshal
        import os

        _told, plan_fd, inside, log, *own = fds
        self.control.close()
        for held in (*self.workers.values(), (_told,)):
            for fd in held:
                os.close(fd)
        self.workers.clear()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        plan: dict[str, Any] = marshal.loads(os.read(plan_fd, os.fstat(plan_fd).st_size))
        fork = plan["fork"]
        if fork["group"]:
            with open(fork["group"], "wb", 0) as group:
                group.write(b"0")
        os.setsid()  # the worker leads no session: a terminal that it opens is not its own to be ended by
        try:  # nothing has run here that could be confined too little: it may be started instead
            must(self.libc.setns(inside, fork["flags"]), "joining the sandbox's namespaces")
            between = os.pidfd_open(os.getpid())
            worker = os.fork()
        except (RefusalError, OSError):
            os.write(writes, b"%d" % NOT_JOINED)
            os._exit(126)
        if worker:
            os.write(writes, b"%d" % worker)
            os._exit(0)
        # Until the server has adopted this process: it is to end with that, and not with who made it. One
        # ``struct pollfd``, which is a number and POLLIN; `select` would be a library to load.
        must(self.libc.poll(numbers("I", (between, 1)), size(1), -1), "being adopted")
        self._check(fork)
        devnull = os.open("/dev/null", os.O_RDWR)
        for number, fd in enumerate((devnull, log, log, *own)):
            os.dup2(fd, number)
        self.log = 2
        os.closerange(3 + len(own), 65536)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        os.chdir(fork["folder"])
        for name, value in fork["environment"].items():
            os.environ[name] = value
        sys.executable, sys.prefix, sys.exec_prefix = fork["python"], fork["prefix"], fork["prefix"]
        sys.argv[:], sys.orig_argv[:] = fork["arguments"][-1:], fork["arguments"]
        return plan

    @staticmethod
    def _check(fork: "Mapping[str, Any]") -> None:
        """Look whether this process is in the namespaces that the host saw, and at their root."""
        import os

        for name, wanted in fork["namespaces"].items():
            if os.readlink(f"/proc/self/ns/{name}") != wanted:
                raise RefusalError(f"this process is not in the sandbox's {name} namespace")
        root = os.stat("/")
        if (root.st_dev, root.st_ino) != fork["root"]:
            raise RefusalError("this process is not at the sandbox's root")
