"""Inside a program's sandbox: start it, pass signals on, say how it ended. Run as a file, never imported.

    program_start.py FD

FD is one end of a socket pair. The host has written the program and its arguments into it; then its other end
was given to the plugin, which sends three descriptors (the program's standard streams), its folder and its
environment, afterwards a byte for each signal. The answer is ``S`` and the return code as `subprocess` counts
it, or ``E`` and a text. When the plugin's end is closed the program is killed, and when this process ends the
kernel ends everything in the sandbox.

Messages to here are four bytes of length, little-endian, and fields that each end in a zero byte.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

MOST = 1 << 20  # bytes of a message; execve(2) takes no more in all but special cases
PATIENCE_S = 30
# What the loader, the C library and shells would take code from; the rest of an environment is data.
NOT_PASSED_ON = (b"LD_", b"GLIBC_TUNABLES", b"GCONV_PATH", b"BASH_ENV", b"ENV=", b"BASH_FUNC_", b"SHELLOPTS")


class RefusedError(Exception):
    """Why the program is not started."""


def message(end: "socket", descriptors: int = 0) -> "tuple[list[bytes], list[int]]":
    """Return the fields of the next message, and the descriptors that came with it."""
    import _socket

    fds = bytearray()

    def read(size: int) -> bytes:
        """Read just so much: more would take the next message, and lose its descriptors."""
        data = b""
        while len(data) < size:
            part, control, _, _ = end.recvmsg(size - len(data), _socket.CMSG_SPACE(4 * descriptors))
            if not part:
                raise SystemExit(0)  # the plugin is gone, or changed its mind
            data += part
            for level, kind, content in control:
                if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                    fds.extend(content)
        return data

    size = int.from_bytes(read(4), "little")
    if size > MOST:
        raise RefusedError("its arguments or its environment are too long")
    data = read(size)
    numbers = [int.from_bytes(fds[at : at + 4], sys.byteorder) for at in range(0, len(fds), 4)]
    return data.split(b"\0")[:-1], numbers


def check(fds: "list[int]") -> None:
    """Take pipes, files, Unix sockets and character devices for standard streams, nothing else."""
    import _socket
    import stat

    if len(fds) != 3:
        raise RefusedError("it needs three standard streams")
    for fd in fds:
        mode = os.fstat(fd).st_mode
        if stat.S_ISSOCK(mode):
            with_kind = _socket.socket(fileno=os.dup(fd))
            if with_kind.family != _socket.AF_UNIX:
                raise RefusedError("a network socket cannot be a standard stream")
            with_kind.close()
        elif not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
            raise RefusedError("a standard stream has to be a pipe, a file or a socket")


def start(command: "list[bytes]", folder: bytes, environment: "dict[bytes, bytes]", fds: "list[int]") -> int:
    """Start the program and return its process id."""
    path, *argv = command
    failed, told = os.pipe()
    pid = os.fork()
    if not pid:
        what = path
        try:
            try:  # noqa: SIM105 - contextlib is slow to load
                os.setsid()
            except PermissionError:
                pass  # where a process group alone holds the sandbox together, nothing may leave it
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
            os.closerange(3, told)
            os.closerange(told + 1, 4096)
            import _signal  # type: ignore[import-not-found]  # the C part of signal

            for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
                _signal.signal(number, _signal.SIG_DFL)  # Python ignores them
            what = folder
            os.chdir(folder)
            what = path
            os.execve(path, argv, environment)
        except OSError as error:
            os.write(told, os.fsencode(f"{os.fsdecode(what)}: {error.strerror}"))
        finally:
            os._exit(127)
    os.close(told)
    for fd in fds:
        os.close(fd)
    reason = os.read(failed, 4096)
    os.close(failed)
    if reason:
        raise RefusedError(os.fsdecode(reason))
    return pid


def supervise(end: "socket", pid: int) -> int:
    """Pass signals on until the program has ended; return its return code."""
    import select

    program = os.pidfd_open(pid)
    poller = select.poll()
    poller.register(program, select.POLLIN)
    poller.register(end.fileno(), select.POLLIN)
    while True:
        for fd, _ in poller.poll():
            if fd == program:
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            numbers = end.recv(64)
            if not numbers:
                raise SystemExit(0)  # nobody waits for the program any more: it ends with this process
            for number in numbers:
                if 0 < number < 65:
                    os.kill(pid, number)


def main() -> None:
    """Do it all."""
    import _socket

    end = _socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(end.fileno(), False)
    end.settimeout(PATIENCE_S)
    try:
        command, _ = message(end)
        (folder, *variables), fds = message(end, 3)
        end.settimeout(None)
        check(fds)
        # What goes wrong from here on is told over the socket.
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        kept = (each for each in variables if b"=" in each and not each.startswith(NOT_PASSED_ON))
        environment = dict(each.split(b"=", 1) for each in kept)
        environment[b"PATH"] = os.environb[b"PATH"]
        environment.setdefault(b"HOME", os.environb[b"HOME"])
        code = supervise(end, start(command, folder, environment, fds))
        answer = b"S" + code.to_bytes(4, "little", signed=True)
    except (RefusedError, OSError) as error:
        answer = b"E" + os.fsencode(str(error))[:4096]
    try:
        end.sendall(answer)
    except OSError:
        return  # the plugin has not waited


if __name__ == "__main__":
    main()
