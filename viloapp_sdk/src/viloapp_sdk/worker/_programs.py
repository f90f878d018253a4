"""`subprocess` for a worker that has no programs: the host runs what was granted, in a sandbox of its own.

In the program's place stands a small process of the plugin's own interpreter (`_program_stub`), so that
everything about a child process is as it always is: pipes, `poll`, `wait`, signals, `asyncio`'s watchers.
What the plugin has itself, its interpreter and what its packages install, it starts itself, inside.
"""

import errno
import os
import sys

from viloapp_sdk.errors import ViloError
from viloapp_sdk.worker._network import translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viloapp_sdk.worker._broker import Broker

_SYSTEM = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
_STUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_program_stub.py")


def install(module: "ModuleType", broker: "Broker") -> None:
    """Complete the module `subprocess` or `shutil`."""
    if module.__name__ == "shutil":
        _put_which(module, broker)
    else:
        _put_start(module, broker)


def is_own(program: str, path: "str | None", folder: "str | None") -> bool:
    """Return whether the plugin has a program itself: the first found on ``path`` is none of the system's."""
    if os.sep in program:
        candidates = [os.path.join(folder or ".", program)]
    else:
        candidates = [os.path.join(each, program) for each in (path or "").split(os.pathsep) if each]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            real = os.path.realpath(candidate)
            return real == os.path.realpath(sys.executable) or not real.startswith(
                tuple(f"{each}/" for each in _SYSTEM)
            )
    return False


def run(broker: "Broker", program: str, argv: "list[Any]") -> int:
    """Have the host start a program; return the descriptor that leads to it.

    Raises:
        OSError: it may not be run, or there is none: what `subprocess` would raise.
    """
    if os.sep in program and not os.path.isabs(program):  # it would be the plugin's own, and is not there
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    try:
        ticket: int = broker.ask("process.run", [os.fsencode(program), [os.fsencode(each) for each in argv]])
    except ViloError as error:
        if error.code == "program_not_found":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program) from None
        raise translated(error) from None
    return broker.take(ticket)


def _put_start(module: "Any", broker: "Broker") -> None:
    native = module.Popen._execute_child

    # Source: CPython's Lib/subprocess.py, 3.10 to 3.14: these are the same in all.
    def _execute_child(
        self: "Any",
        args: "Any",
        executable: "Any",
        preexec_fn: "Any",
        close_fds: bool,
        pass_fds: "tuple[int, ...]",
        cwd: "Any",
        env: "Any",
        startupinfo: "Any",
        creationflags: int,
        shell: bool,
        *rest: "Any",
    ) -> None:
        argv = [args] if isinstance(args, (str, bytes, os.PathLike)) else list(args)
        if shell:
            argv = ["/bin/sh" if executable is None else executable, "-c", *argv]
        program = os.fsdecode(argv[0] if executable is None else executable)
        folder = None if cwd is None else os.fsdecode(cwd)
        path = (os.environ if env is None else env).get("PATH", os.defpath)
        if is_own(program, path, folder):
            native(
                self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo,
                creationflags, shell, *rest
            )  # fmt: skip
            return
        fd = run(broker, program, argv)
        try:
            stub = [sys.executable, "-I", "-S", _STUB, str(fd)]
            native(
                self, stub, stub[0], preexec_fn, True, (*pass_fds, fd), cwd, env, startupinfo,
                creationflags, False, *rest
            )  # fmt: skip
        finally:
            os.close(fd)

    module.Popen._execute_child = _execute_child


def _put_which(module: "Any", broker: "Broker") -> None:
    native = module.which

    def which(cmd: "Any", mode: int = os.F_OK | os.X_OK, path: "Any" = None) -> "Any":
        """Return the path of a program: one that the plugin has, or one that it may have the host run."""
        found = native(cmd, mode, path)
        if found is None and path is None and isinstance(cmd, str):
            try:
                found = broker.ask("process.find", [os.fsencode(cmd)])
            except (ViloError, OSError):
                return None
        return found

    module.which = which
