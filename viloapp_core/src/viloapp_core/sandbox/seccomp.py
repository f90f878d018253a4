"""Which system calls a worker may make, as a program that the kernel runs before each. Pure.

    program = seccomp_filter("x86_64", Openness())
    len(program) % 8 == 0

What is refused by name are calls that reach out of the sandbox, that make another one, or that are large and
seldom needed parts of the kernel; calls newer than this file do not exist for a worker. Pointers cannot be
followed: paths and addresses are the business of mounts, namespaces and Landlock.
"""

import errno
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from viloapp_core.sandbox import bpf
from viloapp_core.sandbox.bpf import Instruction
from viloapp_core.sandbox.syscalls import MACHINES, NEWEST, Machine

__all__ = ["Openness", "seccomp_filter"]


@dataclass(frozen=True, slots=True)
class Openness:
    """What the rest of the sandbox makes harmless, so that the filter need not refuse it.

    Args:
        own_network: the network namespace is the worker's own and leads nowhere.
        own_sockets: no folder with somebody else's sockets is in sight. A path cannot be filtered, so that
            otherwise there are no Unix sockets but connected pairs.
        own_processes: the process namespace is the worker's own.
    """

    own_network: bool = True
    own_sockets: bool = True
    own_processes: bool = True


class Condition(NamedTuple):
    """A test of an argument: its bits in ``mask`` are any of ``values``, or none; or share a bit with one."""

    argument: int
    test: str
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


class Rule(NamedTuple):
    """Calls that fail with ``code`` when all conditions hold; with 0 they are not done, and do not fail."""

    names: tuple[str, ...]
    code: int
    conditions: tuple[Condition, ...] = ()


_REFUSED = (
    # Other processes: their memory, descriptors and identity.
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"),
    # Other namespaces and roots, and files by other means than their paths.
    *("unshare", "setns", "chroot", "pivot_root", "mount", "umount2", "move_mount", "open_tree"),
    *("open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at"),
    # Parts of the kernel that have let people out before, and that do work past this filter.
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd"),
    *("keyctl", "add_key", "request_key", "fanotify_init", "modify_ldt", "memfd_secret"),
    # The machine itself.
    *("reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "acct"),
    *("swapon", "swapoff", "quotactl", "quotactl_fd", "syslog", "sethostname", "setdomainname", "vhangup"),
    *("settimeofday", "clock_settime", "iopl", "ioperm", "uselib", "move_pages", "migrate_pages"),
)
# Said not to exist: the callers have another way, which can be filtered or counted. The arguments of clone3
# and openat2 are behind pointers; a memfd is memory that belongs to no process.
_ABSENT = ("clone3", "openat2", "memfd_create", "statmount", "listmount")

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_STREAM, _DATAGRAM, _SEQPACKET, _TYPE = 1, 2, 5, 0xF
_TCP, _UDP = 6, 17
_SOL_SOCKET, _SO_LINGER = 1, 13
_MSG_FASTOPEN = 0x20000000
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. Source: linux/sched.h.
_NEW_NAMESPACES = 0x7E020000
# A process whose parent is that of who made it would not be found below it. Source: linux/sched.h.
_CLONE_PARENT = 0x8000
_SET_ID_BITS = 0o6000
_CREATES = 0x40 | 0x400000  # O_CREAT, __O_TMPFILE: without them there is no mode, and garbage in its place
_PR_SET_PDEATHSIG = 1
_F_SETLEASE = 1024
# Typing into a terminal, driving the console, changing a line's discipline. Source: asm-generic/ioctls.h.
_TIOCSTI, _TIOCLINUX, _TIOCSETD = 0x5412, 0x541C, 0x5423


def _any_of(index: int, *values: int, mask: int = 0xFFFFFFFF) -> Condition:
    return Condition(index, "any", values, mask)


def _none_of(index: int, *values: int, mask: int = 0xFFFFFFFF) -> Condition:
    return Condition(index, "none", values, mask)


def _has(index: int, bits: int) -> Condition:
    return Condition(index, "bits", (bits,))


def rules(openness: Openness) -> Iterator[Rule]:
    """Yield what is refused; of several rules for one call the first that holds counts."""
    yield Rule(_REFUSED, errno.EPERM)
    yield Rule(_ABSENT, errno.ENOSYS)
    yield Rule(("clone",), errno.EPERM, (_has(0, _NEW_NAMESPACES | _CLONE_PARENT),))
    yield Rule(("prlimit64",), errno.EPERM, (_none_of(0, 0),))
    yield Rule(("prctl",), errno.EPERM, (_any_of(0, _PR_SET_PDEATHSIG),))
    # Who opens a file under a lease waits for its holder, 45 s: the host, and the person's editor.
    yield Rule(("fcntl",), errno.EPERM, (_any_of(1, _F_SETLEASE),))
    yield Rule(("ioctl",), errno.EPERM, (_any_of(1, _TIOCSTI, _TIOCLINUX, _TIOCSETD),))
    yield Rule(("personality",), errno.EPERM, (_none_of(0, 0, 0xFFFFFFFF),))
    yield from _set_id_files()
    yield from _sockets(openness)
    if not openness.own_processes:
        yield from _others()


def _set_id_files() -> Iterator[Rule]:
    """No program that runs with its owner's identity: in a shared folder that owner is the person."""
    for name, mode in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1)):
        yield Rule((name,), errno.EPERM, (_has(mode, _SET_ID_BITS),))
    yield Rule(("mknod",), errno.EPERM, (_has(1, _SET_ID_BITS),))
    yield Rule(("mknodat",), errno.EPERM, (_has(2, _SET_ID_BITS),))
    yield Rule(("open",), errno.EPERM, (_has(1, _CREATES), _has(2, _SET_ID_BITS)))
    yield Rule(("openat",), errno.EPERM, (_has(2, _CREATES), _has(3, _SET_ID_BITS)))


def _sockets(openness: Openness) -> Iterator[Rule]:
    """TCP and UDP where they lead nowhere; never MPTCP, raw, netlink, vsock and the many others."""
    families = (_AF_INET, _AF_INET6, *((_AF_UNIX,) if openness.own_sockets and openness.own_network else ()))
    kinds = (_STREAM, _DATAGRAM) if openness.own_network else (_STREAM,)
    yield Rule(("socket",), errno.EAFNOSUPPORT, (_none_of(0, *families),))
    yield Rule(("socket",), errno.EPERM, (_any_of(0, _AF_INET, _AF_INET6), _none_of(1, *kinds, mask=_TYPE)))
    yield Rule(("socket",), errno.EPROTONOSUPPORT, (_none_of(2, 0, _TCP, _UDP),))
    # Said to be done: closing a socket that lingers waits, and whoever is passed it closes it.
    yield Rule(("setsockopt",), 0, (_any_of(1, _SOL_SOCKET), _any_of(2, _SO_LINGER)))
    if not (openness.own_sockets and openness.own_network):
        # One end of a pair of datagram sockets can be connected anew, to any path.
        yield Rule(("socketpair",), errno.EPERM, (_none_of(1, _STREAM, _SEQPACKET, mask=_TYPE),))
    if not openness.own_network:
        yield Rule(("connect", "bind", "listen", "accept", "accept4"), errno.EPERM)
        yield Rule(("sendto",), errno.EPERM, (_has(3, _MSG_FASTOPEN),))
        yield Rule(("sendmsg",), errno.EPERM, (_has(2, _MSG_FASTOPEN),))
        yield Rule(("sendmmsg",), errno.EPERM, (_has(3, _MSG_FASTOPEN),))


def _others() -> Iterator[Rule]:
    """Processes of the same person, and the group in which the worker's own are found at its end."""
    yield Rule(("setsid", "setpgid"), errno.EPERM)
    scheduling = ("sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")
    yield Rule(scheduling, errno.EPERM, (_none_of(0, 0),))
    yield Rule(("setpriority", "ioprio_set"), errno.EPERM, (_none_of(1, 0),))


@functools.cache
def seccomp_filter(machine: str, openness: Openness) -> bytes:
    """Return the program for a processor.

    Args:
        machine: ``os.uname().machine``.
        openness: see there.

    Raises:
        KeyError: no filter can be made for that processor.
    """
    processor = MACHINES[machine]
    program = [
        bpf.architecture(),
        bpf.equal(processor.audit, then=1),
        bpf.result(bpf.KILL_PROCESS),
        bpf.number(),
    ]
    if processor.foreign_from is not None:
        program += [bpf.at_least(processor.foreign_from, otherwise=1), bpf.result(bpf.KILL_PROCESS)]
    program += [bpf.greater(NEWEST, otherwise=1), bpf.result(bpf.errno_result(errno.ENOSYS))]
    program += _dispatch(processor, list(rules(openness)))
    return bpf.assemble([*program, bpf.result(bpf.ALLOW)])


def _dispatch(processor: Machine, wanted: list[Rule]) -> Iterator[Instruction]:
    """Compare the number with each call that some rule names; the rules of a call are tried in order."""
    for name in dict.fromkeys(name for rule in wanted for name in rule.names):
        call = processor.numbers.get(name)
        if call is not None:
            body = list(_body(rule for rule in wanted if name in rule.names))
            yield bpf.equal(call, otherwise=len(body))
            yield from body


def _body(wanted: Iterable[Rule]) -> Iterator[Instruction]:
    for rule in wanted:
        failing = [bpf.result(bpf.errno_result(rule.code))]
        for condition in reversed(rule.conditions):
            failing = [*_test(condition, len(failing)), *failing]
        yield from failing
        if not rule.conditions:
            return
    yield bpf.result(bpf.ALLOW)


def _test(condition: Condition, rest: int) -> list[Instruction]:
    """Go on with the next instruction when the condition holds, else skip the ``rest`` of the rule."""
    load = [bpf.argument(condition.argument)]
    if condition.mask != 0xFFFFFFFF:
        load.append(bpf.masked(condition.mask))
    if condition.test == "bits":
        return [*load, bpf.any_bit(condition.values[0], otherwise=rest)]
    *first, last = condition.values
    count = len(first)
    if condition.test == "none":
        return [
            *load,
            *(bpf.equal(value, then=count - place + rest) for place, value in enumerate(first)),
            bpf.equal(last, then=rest),
        ]
    return [
        *load,
        *(bpf.equal(value, then=count - place) for place, value in enumerate(first)),
        bpf.equal(last, otherwise=rest),
    ]
