"""How a child ended, in one value that prints well."""

import signal as signals
from dataclasses import dataclass

__all__ = ["WRAPPED_SIGNAL", "ExitStatus"]

# A wrapper (a shell, bubblewrap) reports a program that died of signal N as exit code 128 + N.
WRAPPED_SIGNAL = 128


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """The end of a process: an exit code, or the signal that killed it.

    Both are None when somebody else collected the status first (an embedding application that waits for
    every child of its own, or ignores SIGCHLD): the process has ended, how is not known.
    """

    code: int | None = None
    signal: int | None = None

    @property
    def ok(self) -> bool:
        """True for exit code 0."""
        return self.code == 0

    @property
    def shell_code(self) -> int:
        """The one number a shell would show in ``$?``; -1 when the end is not known."""
        if self.signal is not None:
            return WRAPPED_SIGNAL + self.signal
        return -1 if self.code is None else self.code

    def describe(self) -> str:
        """Return a phrase for a person, such as ``killed by SIGKILL`` or ``ended with code 3``."""
        if self.signal is not None:
            return f"killed by {_signal_name(self.signal)}"
        if self.code is None:
            return "ended; its exit status was collected by another part of the program"
        if self.code > WRAPPED_SIGNAL:
            name = _signal_name(self.code - WRAPPED_SIGNAL)
            return f"ended with code {self.code}" + (f" (killed by {name})" if name.startswith("SIG") else "")
        return f"ended with code {self.code}"


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"
