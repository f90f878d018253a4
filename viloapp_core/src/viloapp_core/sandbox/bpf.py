"""Programs of the kernel's classic BPF, as seccomp runs them: just enough of an assembler.

A kept library was looked for. pyseccomp was last released in 2021 and needs libseccomp on the machine;
seccompy does not refuse x32; and isolation is what this project writes itself. All that is needed is below.

Source: ``seccomp(2)``, ``linux/filter.h``, ``linux/seccomp.h``.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "ALLOW",
    "KILL_PROCESS",
    "NOTIFY",
    "Instruction",
    "any_bit",
    "architecture",
    "argument",
    "assemble",
    "at_least",
    "equal",
    "errno_result",
    "greater",
    "masked",
    "number",
    "result",
]

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
NOTIFY = 0x7FC00000
_ERRNO = 0x00050000

# Offsets in ``struct seccomp_data``; both processors are little-endian, the low word of an argument is first.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_MOST_INSTRUCTIONS = 4096
_FARTHEST_JUMP = 255


class Instruction(NamedTuple):
    """One instruction; ``then`` and ``otherwise`` are how many of the following ones a test skips."""

    code: int
    operand: int
    then: int = 0
    otherwise: int = 0


def number() -> Instruction:
    """Load the number of the system call."""
    return Instruction(0x20, _NUMBER)


def architecture() -> Instruction:
    """Load the processor's convention."""
    return Instruction(0x20, _ARCHITECTURE)


def argument(index: int) -> Instruction:
    """Load the low 32 bits of an argument.

    The kernel takes ``int`` arguments from these alone: a test of the others could be passed by setting them.
    """
    return Instruction(0x20, _ARGUMENTS + 8 * index)


def equal(value: int, *, then: int = 0, otherwise: int = 0) -> Instruction:
    """Skip ``then`` instructions when what was loaded is ``value``, else ``otherwise``."""
    return Instruction(0x15, value, then, otherwise)


def greater(value: int, *, then: int = 0, otherwise: int = 0) -> Instruction:
    """Like `equal`, for more than ``value``, unsigned."""
    return Instruction(0x25, value, then, otherwise)


def at_least(value: int, *, then: int = 0, otherwise: int = 0) -> Instruction:
    """Like `equal`, for ``value`` or more, unsigned."""
    return Instruction(0x35, value, then, otherwise)


def any_bit(mask: int, *, then: int = 0, otherwise: int = 0) -> Instruction:
    """Like `equal`, for any bit of ``mask``."""
    return Instruction(0x45, mask, then, otherwise)


def masked(mask: int) -> Instruction:
    """Keep the bits of ``mask`` of what was loaded."""
    return Instruction(0x54, mask)


def result(value: int) -> Instruction:
    """End: `ALLOW`, `KILL_PROCESS`, `NOTIFY` or an `errno_result`."""
    return Instruction(0x06, value)


def errno_result(code: int) -> int:
    """Return the result with which the call fails with that errno."""
    return _ERRNO | code


def assemble(instructions: Sequence[Instruction]) -> bytes:
    """Return the program's bytes (``struct sock_filter``, eight for each instruction).

    Raises:
        ValueError: it is too long, jumps too far, or may run past its end. The kernel would refuse it, too.
    """
    length = len(instructions)
    if not 0 < length <= _MOST_INSTRUCTIONS:
        raise ValueError(f"a filter of {length} instructions")
    for place, (code, _operand, then, otherwise) in enumerate(instructions):
        if max(then, otherwise) > _FARTHEST_JUMP:
            raise ValueError(f"instruction {place} jumps over {max(then, otherwise)}")
        if code != 0x06 and place + 1 + max(then, otherwise) >= length:
            raise ValueError(f"instruction {place} may lead past the end")
    return b"".join(
        struct.pack("<HBBI", code, then, otherwise, operand)
        for code, operand, then, otherwise in instructions
    )
