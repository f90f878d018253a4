"""What was found out about this machine."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viloapp_core.sandbox.levels import Level

__all__ = ["Probe"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What works here.

    Args:
        backend: the sandbox that was seen to work: ``bubblewrap`` with what the kernel adds to it inside,
            ``landlock`` for Landlock and the filter of system calls without it, or ``none``.
        level: how well it confines.
        reason: why there is no better one; the program's own words where it failed.
        remedy: what the person can do about it; empty when nothing is wrong.
        bwrap: the program to use.
        user_namespace: whether it has to be told to make a user namespace.
        landlock_abi: Landlock's version in this kernel, 0 without.
        seccomp: whether system calls can be filtered.
        bounded_scratch: whether folders in memory can be bounded (bubblewrap 0.7).
    """

    backend: Literal["bubblewrap", "landlock", "none"]
    level: Level
    reason: str
    remedy: str
    bwrap: Path | None = None
    user_namespace: bool = False
    landlock_abi: int = 0
    seccomp: bool = False
    bounded_scratch: bool = False

    @property
    def counts_processes(self) -> bool:
        """Whether RLIMIT_NPROC counts the plugin's processes alone, and counts them at all.

        It counts a user's in a user namespace; nobody counts those of uid 0.
        """
        return self.backend == "bubblewrap" and (not self.user_namespace or os.geteuid() != 0)
