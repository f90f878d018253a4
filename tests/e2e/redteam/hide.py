"""Runs a command on a machine that has less: a filter of system calls answers as a kernel without it.

python hide.py landlock,seccomp,namespaces COMMAND ARGUMENT...
"""

import ctypes
import errno
import os
import sys

from viloapp_core.sandbox import bpf
from viloapp_core.sandbox.bpf import Instruction

# By processor: prctl, seccomp, unshare, clone. Those of Landlock and clone3 are the same everywhere.
NUMBERS = {"x86_64": (157, 317, 272, 56), "aarch64": (167, 277, 97, 220)}
NEW_NAMESPACES = 0x7E020000


def refused(call: int, code: int, *test: Instruction) -> list[Instruction]:
    """Refuse a call; with a test, when that goes on with the next instruction."""
    body = [*test, bpf.result(bpf.errno_result(code)), bpf.result(bpf.ALLOW)]
    return [bpf.equal(call, otherwise=len(body)), *body]


def hidden(layers: list[str]) -> bytes:
    """Return the filter that hides these layers."""
    prctl, seccomp, unshare, clone = NUMBERS[os.uname().machine]
    program = [bpf.number()]
    if "landlock" in layers:
        program += refused(444, errno.ENOSYS)
    if "seccomp" in layers:
        program += refused(prctl, errno.EINVAL, bpf.argument(0), bpf.equal(22, otherwise=1))
        program += refused(seccomp, errno.ENOSYS)
    if "namespaces" in layers:
        program += refused(unshare, errno.EPERM)
        program += refused(clone, errno.EPERM, bpf.argument(0), bpf.any_bit(NEW_NAMESPACES, otherwise=1))
        program += refused(435, errno.ENOSYS)
    return bpf.assemble([*program, bpf.result(bpf.ALLOW)])


def main() -> None:
    """See above."""
    code = hidden(sys.argv[1].split(","))
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = (ctypes.c_uint64 * 2)(len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
        sys.exit(f"cannot hide: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
