"""The first code of a worker: confine this process, then start the SDK. Never imported.

`viloapp_core.sandbox.first_code` has it run, by an interpreter with ``-I -S``: these keep the virtualenv's
``site``, and with it every ``.pth`` file, from running before this has. It runs on the plugin's own
interpreter, Python 3.10 and newer, and is on the path of every start: it imports as little as it can. What
fails ends the process: a worker that is not confined as planned does not run.
"""

import sys

TYPE_CHECKING = False  # typing's own takes milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS = 28, 38
SECCOMP_NEW_LISTENER, SECCOMP_WAIT_KILLABLE = 8, 32
THREAD_STACK = 2 * 1024 * 1024  # the default of 8 MB counts against RLIMIT_DATA


class RefusalError(Exception):
    """Why this process cannot be confined as planned."""


class Library:
    """The functions of the C library, each an attribute; integers and bytes go in, an integer comes out.

    `ctypes` is a package around `_ctypes` that takes longer to import than all that is done here. What is
    used of the latter is what that package itself takes from it, on every Python that has it.
    """

    def __init__(self) -> None:
        import _ctypes

        class Function(_ctypes.CFuncPtr):
            _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO

        opened: Any = _ctypes.dlopen  # typeshed knows no None, which is this program itself
        self._handle = opened(None, 0)
        self._function: Any = Function  # of a library that has no more than a handle

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("__"):
            raise AttributeError(name)
        return self._function((name, self))  # AttributeError when there is none


def number(code: str) -> "Any":
    """Return the type of a number in memory, made once: types are of several parts, and each of these large.

    Args:
        code: of the type, see `ctypes`: ``I`` has 32 bits, ``Q`` 64.
    """
    if code not in _NUMBERS:
        import _ctypes

        _NUMBERS[code] = type("Number", (_ctypes._SimpleCData,), {"_type_": code})
    return _NUMBERS[code]


_NUMBERS: "dict[str, Any]" = {}


def numbers(code: str, values: "Sequence[int]") -> "Any":
    """Return an array in memory.

    Args:
        code: of the type of each, see `number`.
        values: the numbers.
    """
    return (number(code) * len(values))(*values)


def size(value: int) -> "Any":
    """Return a ``size_t``, where an integer would be passed as an ``int``."""
    return number("L")(value)


def filter_program(code: bytes) -> "tuple[Any, Any]":
    """Return a ``struct sock_fprog``, a count in 16 bits, padding and a pointer, and what it points to."""
    import _ctypes

    held = numbers("B", code)
    return numbers("Q", (len(code) // 8, _ctypes.addressof(held))), held


def must(result: int, what: str) -> int:
    """Return what a call of the C library returned, or raise its error."""
    if result < 0:
        import os
        from _ctypes import get_errno

        raise RefusalError(f"{what}: {os.strerror(get_errno())}")
    return result


def confine(plan: "dict[str, Any]", libc: Library) -> None:
    """Apply a plan in its order: limits, identity, files, system calls. Each step is the kernel's own."""
    if plan["host"] is not None:
        bind_to(plan["host"], plan["keeper"], libc)
    if plan["nice"]:
        lower(plan["nice"])
    nproc = limit(plan["rlimits"], libc)
    if not plan["confine"]:
        return
    must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    if plan["uid"] is not None or plan["drop"]:
        become(plan["uid"], libc)
        bare()
    if plan["uid"] is not None:
        verify(plan["uid"], plan["root_only"])
        enter(plan["folder"])
    if nproc is not None:
        check_nproc(libc, *nproc)
    if "fork" in plan:  # it ends with the fork server; a change of identity would take that back
        must(libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "ending with the fork server")
    if plan["landlock"] is not None:
        restrict(plan["landlock"], libc)
    if plan["seccomp"] is not None:
        program, _held = filter_program(plan["seccomp"])
        must(libc.prctl(PR_SET_SECCOMP, 2, program, 0, 0), "seccomp")
    if plan["watch"] is not None:
        be_watched(libc, *plan["watch"])


def lower(nice: int) -> None:
    """Stand back for other processes."""
    import os

    os.nice(nice)


def limit(rlimits: "Sequence[tuple[str, int, int, int]]", libc: Library) -> "tuple[int, int, int] | None":
    """Set limits, never above what is inherited; return the one of processes, to be checked later.

    Not by `resource`, a library of its own that would be loaded for this alone. Source: getrlimit(2).
    """
    checked = None
    for name, which, soft, hard in rlimits:
        inherited = numbers("L", (0, 0))
        must(libc.getrlimit(which, inherited), f"the limit {name}")
        hard = min(hard, inherited[1])  # infinity is the greatest number
        must(libc.setrlimit(which, numbers("L", (min(soft, hard), hard))), f"the limit {name}")
        if name == "NPROC":
            checked = (which, min(soft, hard), hard)
        elif name == "DATA" and hasattr(libc, "pthread_setattr_default_np"):
            attributes = numbers("Q", [0] * 32)  # pthread_attr_t has 56 or 64 bytes
            libc.pthread_attr_init(attributes)
            libc.pthread_attr_setstacksize(attributes, size(THREAD_STACK))
            libc.pthread_setattr_default_np(attributes)
    return checked


def check_nproc(libc: Library, which: int, soft: int, hard: int) -> None:
    """Root, and whoever has a capability for it, may start more processes than the limit says."""
    import os

    if os.geteuid() == 0:
        return  # nobody counts the processes of uid 0, whatever it may do
    must(libc.setrlimit(which, numbers("L", (0, hard))), "the limit NPROC")
    try:
        child = os.fork()
    except OSError:
        must(libc.setrlimit(which, numbers("L", (soft, hard))), "the limit NPROC")
        return
    if child == 0:
        os._exit(0)
    raise RefusalError("the limit of processes does not hold")


def become(uid: "int | None", libc: Library) -> None:
    """Give up every capability, those to come too, and with a uid the identity. Source: capabilities(7)."""
    import os

    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            if capability == 0:
                must(-1, "emptying the bounding set")
            break
    if uid is None:
        # NOROOT, NO_SETUID_FIXUP, no keeping and no ambient ones, all locked: uid 0 is nobody special.
        must(libc.prctl(PR_SET_SECUREBITS, 0xEF, 0, 0, 0), "securebits")
    else:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    must(libc.capset(numbers("I", (0x20080522, 0)), numbers("I", [0] * 6)), "capset")
    # Changing identity made /proc/self root's; the process namespace and the filter keep others out.
    must(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")


def verify(uid: int, root_only: str) -> None:
    """Look whether the change of identity is true, rather than that it did not fail."""
    import os

    if {*os.getresuid(), *os.getresgid()} != {uid} or os.getgroups():
        raise RefusalError("the change of user did not hold")
    try:
        os.close(os.open(root_only, os.O_RDONLY))
    except PermissionError:
        return
    except OSError as error:
        raise RefusalError(f"cannot check that root's files are closed: {error}") from None
    raise RefusalError("root's own files can be read")


def bare() -> None:
    """Look whether every capability is gone, those to come too."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"Cap") and int(line.split()[1], 16):
                raise RefusalError(f"a capability is left ({line.decode().strip()})")


def enter(folder: str) -> None:
    """Go to the working folder, which is the plugin's user's alone: bubblewrap could not."""
    import os

    os.chdir(folder)
    os.environ["PWD"] = folder


def restrict(landlock: "tuple[int, int, int, Sequence[tuple[str, int]]]", libc: Library) -> None:
    """Source: landlock(7)."""
    import os
    import stat

    filesystem, network, scopes, rules = landlock
    words = [filesystem] + ([network, scopes] if scopes else [network] if network else [])
    attributes = numbers("Q", words)
    ruleset = must(libc.syscall(444, attributes, size(8 * len(words)), 0), "landlock_create_ruleset")
    of_files = 1 | 2 | 4 | 1 << 14 | 1 << 15
    for path, rights in rules:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            continue  # grants nothing
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= of_files
        rule = rights.to_bytes(8, "little") + fd.to_bytes(4, "little")
        if rights:
            must(libc.syscall(445, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
        os.close(fd)
    must(libc.syscall(446, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def be_watched(libc: Library, end: int, call: int, code: bytes) -> None:
    """In learn mode alone: have the host told of some system calls (`viloapp_core.sandbox.observing`).

    What cannot be had, the host tells; this process goes on without. Source: seccomp(2), seccomp_unotify(2).
    """
    import os
    from _ctypes import get_errno

    os.write(end, b"?")
    if os.read(end, 1) == b"y":
        program, _held = filter_program(code)
        # Once the host has taken a call, a signal does not have it made again (Linux 5.19).
        for flags in (SECCOMP_NEW_LISTENER | SECCOMP_WAIT_KILLABLE, SECCOMP_NEW_LISTENER):
            listener = libc.syscall(call, 1, flags, program)
            if listener >= 0:
                break
        os.write(end, b"%d" % (listener if listener >= 0 else -get_errno()))
        if listener >= 0:
            if os.read(end, 1) != b"y":
                raise RefusalError("the host does not look at system calls that wait for it")
            os.close(listener)
    os.close(end)


def bind_to(host: int, keeper: bool, libc: Library) -> None:
    """Have the kernel end this process with the host, where no process namespace does.

    With a keeper the worker is a child, and this process outside of its sandbox. It ends the whole group,
    which the worker's filter lets nobody leave, when the host ends.
    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    # The module around it imports enum, which takes longer than all else here.
    import _signal as signal  # type: ignore[import-not-found]  # typeshed leaves it out
    import os

    awaited = {signal.SIGTERM, signal.SIGCHLD}
    if keeper:
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM if keeper else signal.SIGKILL, 0, 0, 0)
    if os.getppid() != host:
        os._exit(1)  # it ended before it could be asked
    if not keeper:
        return
    worker = os.fork()
    if worker == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        return
    os.closerange(0, 65536)
    while signal.sigwait(awaited) == signal.SIGCHLD:
        ended, status = os.waitpid(worker, os.WNOHANG)
        if ended:
            if os.WIFSIGNALED(status):
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
                os.kill(os.getpid(), os.WTERMSIG(status))
            os._exit(os.waitstatus_to_exitcode(status) & 255)
    os.killpg(0, signal.SIGKILL)


def run(source: "str | None", script: "str | None", arguments: "Sequence[str]") -> None:
    """Run another program of the core's in place of the SDK."""
    if source is None:
        with open(script or "", encoding="utf-8") as stream:
            source = stream.read()
    sys.argv = [script or "-c", *arguments]
    exec(compile(source, sys.argv[0], "exec"), {"__name__": "__main__", "__file__": script})


def main(plan: "dict[str, Any]", libc: "Library | None" = None) -> "tuple[int, ...] | None":
    """Confine the process; return what the SDK's worker loop is to be given, or run the plan's own program.

    Args:
        plan: what the host prepared, see `viloapp_core.sandbox.stage2`.
        libc: the C library, of one who has it already.
    """
    try:
        confine(plan, libc or Library())
    except (RefusalError, OSError, ImportError, AttributeError) as error:
        import os

        sys.stderr.write(f"not confined, and so not started: {error}\n")
        sys.stderr.flush()
        os._exit(126)
    if plan["code"] is not None or plan["script"] is not None:
        import gc

        gc.enable()  # off for a worker's start alone, see `viloapp_core.sandbox.first_code`
        run(plan["code"], plan["script"], plan["arguments"])
        return None
    fds: tuple[int, ...] = plan["fds"]
    return fds
