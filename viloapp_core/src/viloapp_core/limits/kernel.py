"""Limits as what the kernel keeps for each process by itself.

Source: ``getrlimit(2)``.
"""

from viloapp_core.limits.values import Limits

__all__ = ["rlimits", "thread_environment"]

_MB = 1024 * 1024
RESERVED_MB = 512
"""Address space that a process may reserve beyond the memory that it may use."""


def rlimits(limits: Limits) -> tuple[tuple[str, int, int], ...]:
    """Return ``(name without RLIMIT_, soft limit, hard limit)`` of each.

    - ``DATA``, not ``AS``, and above `memory_mb`: what is only reserved costs nothing, and a numpy of 60 MB
      reserves 340 (measured: below that OpenBLAS ends the process). It bounds how far one process's heap
      gets before the tree is looked at; how much all have together is found by looking.
    - ``NPROC`` counts threads too, of the user: it holds where the plugin has a user, or a user namespace,
      to itself, and never for root.
    - ``FSIZE`` is of one file; how much all files take together is found by measuring.
    - ``CORE``: a core file of a plugin would hold its secrets, and fill its disk.
    - No ``CPU``: that is a total over a process's life, which says nothing of a percentage.
    """
    values = {
        "DATA": int((limits.memory_mb + RESERVED_MB) * _MB),
        "NOFILE": limits.file_handles,
        "NPROC": limits.processes,
        "FSIZE": int(limits.disk_mb * _MB),
        "CORE": 0,
    }
    return tuple((name, value, value) for name, value in values.items())


def thread_environment(limits: Limits, processors: int) -> dict[str, str]:
    """Return variables that keep numerical libraries from starting a thread for each processor.

    On a machine with 64 of them, numpy's threads alone would exceed `processes` and the stacks' share of
    memory, to share a quarter of one processor. A plugin that raises ``cpu_percent`` gets as many threads.
    """
    threads = str(max(1, min(processors, max(2, round(limits.cpu_percent / 100)))))
    return {name: threads for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
