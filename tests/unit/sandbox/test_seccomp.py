"""The filter of system calls, by running its program as the kernel does."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from viloapp_core.sandbox import bpf
from viloapp_core.sandbox.seccomp import Openness, seccomp_filter
from viloapp_core.sandbox.syscalls import MACHINES, NEWEST

ALLOWED, KILLED = bpf.ALLOW, bpf.KILL_PROCESS
OPEN, SHARED, BARE = Openness(), Openness(own_sockets=False), Openness(False, False, False)


def answer(machine: str, openness: Openness, call: int, *arguments: int, audit: int | None = None) -> int:
    """Run the filter as the kernel's interpreter would; return its result."""
    audit = MACHINES[machine].audit if audit is None else audit
    return evaluate(seccomp_filter(machine, openness), call, arguments, audit)


def evaluate(compiled: bytes, call: int, arguments: tuple[int, ...], audit: int) -> int:
    """Run a filter for a call; return its result."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", call, audit, 0, *values)
    program = list(struct.iter_unpack("<HBBI", compiled))
    place, loaded = 0, 0
    while True:
        code, then, otherwise, operand = program[place]
        place += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("<I", data, operand)
        elif code == 0x54:
            loaded &= operand
        elif code == 0x06:
            return int(operand)
        else:
            tests = {0x15: loaded == operand, 0x25: loaded > operand, 0x35: loaded >= operand}
            place += then if tests.get(code, bool(loaded & operand)) else otherwise


def looks_at_arguments(machine: str, openness: Openness, call: int) -> bool:
    """Whether the filter does anything but allow a call, judged by convention and number alone."""
    processor = MACHINES[machine]
    program = list(struct.iter_unpack("<HBBI", seccomp_filter(machine, openness)))
    place, loaded = 0, 0
    while True:
        code, then, otherwise, operand = program[place]
        place += 1
        if code == 0x20:
            if operand not in (0, 4):
                return True
            loaded = (call, processor.audit)[operand // 4]
        elif code == 0x06:
            return bool(operand != ALLOWED)
        else:
            tests = {0x15: loaded == operand, 0x25: loaded > operand, 0x35: loaded >= operand}
            place += then if tests[code] else otherwise


def refusal(machine: str, openness: Openness, name: str, *arguments: int) -> int | None:
    """The errno with which a call fails, None when it is done."""
    result = answer(machine, openness, MACHINES[machine].numbers[name], *arguments)
    return None if result == ALLOWED else result & 0xFFFF


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("openness", "name", "arguments", "expected"),
    [
        (OPEN, "ptrace", (), errno.EPERM),
        (OPEN, "clone3", (), errno.ENOSYS),
        (OPEN, "memfd_create", (), errno.ENOSYS),
        (OPEN, "clone", (0x3D0F00,), None),  # a thread
        (OPEN, "clone", (0x10000011,), errno.EPERM),
        (OPEN, "clone", (0xFFFFFFFF_10000011,), errno.EPERM),
        (OPEN, "prlimit64", (0, 7), None),
        (OPEN, "prlimit64", (1 << 32, 7), None),
        (OPEN, "prlimit64", (1234, 7), errno.EPERM),
        (OPEN, "prctl", (15,), None),
        (OPEN, "prctl", (1,), errno.EPERM),
        (OPEN, "ioctl", (0, 0x5401), None),
        (OPEN, "ioctl", (0, 0x5412), errno.EPERM),
        (OPEN, "ioctl", (0, 0xFFFFFFFF_00005412), errno.EPERM),
        (OPEN, "personality", (0xFFFFFFFF,), None),
        (OPEN, "personality", (0x0040000,), errno.EPERM),
        (OPEN, "socket", (2, 0x80801, 0), None),
        (OPEN, "socket", (2, 1, 262), errno.EPROTONOSUPPORT),
        (OPEN, "socket", (2, 3, 0), errno.EPERM),
        (OPEN, "socket", (16, 3, 0), errno.EAFNOSUPPORT),
        (OPEN, "socket", (40, 1, 0), errno.EAFNOSUPPORT),
        (OPEN, "socket", (1, 1, 0), None),
        (SHARED, "socket", (1, 1, 0), errno.EAFNOSUPPORT),
        (OPEN, "socketpair", (1, 2), None),
        (SHARED, "socketpair", (1, 2), errno.EPERM),
        (SHARED, "socketpair", (1, 0x80801), None),
        (OPEN, "connect", (), None),
        (BARE, "connect", (), errno.EPERM),
        (BARE, "socket", (2, 1, 0), None),
        (BARE, "socket", (2, 2, 0), errno.EPERM),
        (BARE, "sendto", (3, 0, 0, 0x20000000), errno.EPERM),
        (BARE, "sendto", (3, 0, 0, 0x4000), None),
        (OPEN, "setsockopt", (3, 1, 13), 0),
        (OPEN, "setsockopt", (3, 1, 9), None),
        (OPEN, "setsid", (), None),
        (BARE, "setsid", (), errno.EPERM),
        (BARE, "setpriority", (0, 99), errno.EPERM),
        (OPEN, "fchmodat", (0, 0, 0o644), None),
        (OPEN, "fchmodat", (0, 0, 0o4755), errno.EPERM),
        (OPEN, "openat", (0, 0, 0, 0o6000), None),  # without O_CREAT there is no mode
        (OPEN, "openat", (0, 0, 0o100, 0o6000), errno.EPERM),
    ],
)
def test_what_is_refused(
    machine: str, openness: Openness, name: str, arguments: tuple[int, ...], expected: int | None
) -> None:
    """Each rule, with what it must leave alone; bits that the kernel does not read change nothing."""
    assert refusal(machine, openness, name, *arguments) == expected


def test_other_conventions_end_the_process() -> None:
    """Calls as 32-bit programs make them, or x32, would have other numbers."""
    assert answer("x86_64", OPEN, 1, audit=0x40000003) == KILLED
    assert answer("aarch64", OPEN, 1, audit=0xC000003E) == KILLED
    assert answer("x86_64", OPEN, 0x40000000 | 1) == KILLED


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_that_nobody_knew_do_not_exist(machine: str) -> None:
    """A later kernel adds some; what has no rule up to then is allowed."""
    assert answer(machine, OPEN, NEWEST + 1) & 0xFFFF == errno.ENOSYS
    assert answer(machine, OPEN, NEWEST) == ALLOWED


def test_numbers_are_those_of_the_kernels_headers() -> None:
    """Where the headers are installed."""
    places = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
    read = 0
    for machine, place in places.items():
        path = Path("/usr/include", place)
        text = path.read_text() if path.exists() else ""
        found = dict(re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", text, re.M))
        for name, number in MACHINES[machine].numbers.items():
            if name in found:
                read += 1
                assert int(found[name]) == number, name
    if not read:
        pytest.skip("the kernel's headers are not installed")


# What a call of a plugin's command consists of, and locks, timers and memory. Source: as for syscalls.py.
_FREQUENT = {
    "x86_64": {"read": 0, "write": 1, "close": 3, "poll": 7, "mmap": 9, "munmap": 11, "brk": 12}
    | {
        "sendmsg": 46,
        "recvmsg": 47,
        "futex": 202,
        "epoll_wait": 232,
        "clock_nanosleep": 230,
        "newfstatat": 262,
    },
    "aarch64": {"read": 63, "write": 64, "close": 57, "ppoll": 73, "mmap": 222, "munmap": 215, "brk": 214}
    | {"sendmsg": 211, "recvmsg": 212, "futex": 98, "epoll_pwait": 22, "clock_nanosleep": 115},
}


@pytest.mark.parametrize(("machine", "calls"), _FREQUENT.items())
def test_frequent_calls_are_allowed_by_number_alone(machine: str, calls: dict[str, int]) -> None:
    """The kernel (5.11) then notes that once, and never runs the filter for them (seccomp_cache_prepare)."""
    assert {name for name, call in calls.items() if looks_at_arguments(machine, OPEN, call)} == set()
    assert looks_at_arguments(machine, OPEN, MACHINES[machine].numbers["openat"])
    assert looks_at_arguments(machine, OPEN, MACHINES[machine].numbers["ptrace"])


def test_a_program_that_the_kernel_would_refuse_is_refused() -> None:
    """Too far a jump, an end that is no result, nothing at all."""
    for wrong in ([], [bpf.number()], [bpf.equal(1, then=300), *[bpf.result(ALLOWED)] * 400]):
        with pytest.raises(ValueError, match=r"filter of|past the end|jumps over"):
            bpf.assemble(wrong)
