"""The filter that has the kernel tell the host. Pure.

It allows everything: of several filters the strictest answer counts, so that it takes nothing from the one
that confines (`viloapp_core.sandbox.seccomp`), and what that one refuses never gets here.

Source: ``seccomp(2)``, on the precedence of results; ``seccomp_unotify(2)``.
"""

import functools
from typing import NamedTuple

from viloapp_core.sandbox import bpf
from viloapp_core.sandbox.observing.calls import CALLS
from viloapp_core.sandbox.syscalls import MACHINES

__all__ = ["Watch", "notifying_filter", "watch"]


class Watch(NamedTuple):
    """What the bootstrap needs to have the host told.

    Args:
        end: the worker's end of the socket over which that is agreed, closed before any code of a plugin.
        call: the number of ``seccomp``, by which alone a filter with a listener can be installed.
        program: the filter.
    """

    end: int
    call: int
    program: bytes


def watch(end: int, machine: str) -> Watch:
    """Return it for a processor; see `Watch`."""
    return Watch(end, MACHINES[machine].numbers["seccomp"], notifying_filter(machine))


@functools.cache
def notifying_filter(machine: str) -> bytes:
    """Return the program for a processor.

    Raises:
        KeyError: no filter can be made for that processor.
    """
    numbers = MACHINES[machine].numbers
    program = [bpf.number()]
    for name in CALLS:
        if name not in numbers:
            continue
        told = [bpf.result(bpf.NOTIFY)]
        if name == "sendto":
            # Without an address it is `send`, which is many times as frequent and goes to nobody new.
            told = [bpf.argument(4), bpf.equal(0, otherwise=1), bpf.result(bpf.ALLOW), *told]
        program += [bpf.equal(numbers[name], otherwise=len(told)), *told]
    return bpf.assemble([*program, bpf.result(bpf.ALLOW)])
