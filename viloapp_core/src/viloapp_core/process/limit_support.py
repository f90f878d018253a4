"""How well each limit holds on this machine, learned by trying.

for support in probe_limits(Groups.of_this_process()):
    support.limit, support.level, support.reason
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from viloapp_core.limits import LIMIT_NAMES
from viloapp_core.limits.kernel import RESERVED_MB
from viloapp_core.process.cgroup import Groups, NoGroups
from viloapp_core.process.tree import Tree

__all__ = ["Level", "LimitSupport", "probe_limits"]

Level = Literal["enforced", "partial", "none"]
_TIMEOUT_S = 5.0
_NO_SANDBOX = "see the sandbox above: the kernel's own limits are set inside it"


@dataclass(frozen=True, slots=True)
class LimitSupport:
    """How one limit holds here.

    Args:
        limit: its name in the manifest.
        level: ``enforced``: it cannot be exceeded; ``partial``: it can for a moment, or in part; ``none``.
        by: what keeps it.
        reason: what is left open; empty when nothing is.
        remedy: what the person can do about it; empty when there is nothing to do.
    """

    limit: str
    level: Level
    by: str
    reason: str = ""
    remedy: str = ""


def probe_limits(
    groups: Groups | NoGroups, *, rlimits: bool = True, nproc: bool = True
) -> tuple[LimitSupport, ...]:
    """Say of each limit how it holds.

    Args:
        groups: the control groups for workers, or why there are none.
        rlimits: whether workers take on the kernel's own limits before any code of a plugin runs.
        nproc: whether the number of processes is among those that hold: the plugin has a user, or a user
            namespace, to itself.
    """
    if sys.platform != "linux":
        reason = f"there is nothing that limits plugins on {sys.platform} yet"
        return tuple(LimitSupport(name, "none", "nothing", reason, "use Linux") for name in LIMIT_NAMES)
    watched = _watching_works()
    if isinstance(groups, NoGroups):
        have, missing = frozenset[str](), groups
    else:
        have, missing = groups.controllers, NoGroups("that controller was not handed over", "")
    return (
        _memory(have, watched, missing, rlimits),
        _processor(have, watched, missing),
        _kernel("file_handles", "RLIMIT_NOFILE", rlimits),
        _processes(have, watched, rlimits and nproc),
        _disk(rlimits),
        LimitSupport("execution_time", "enforced", "the host's clock, then the end of the process"),
        LimitSupport("startup_time", "enforced", "the host's clock, then the end of the process"),
    )


def _memory(have: frozenset[str], watched: str, missing: NoGroups, rlimits: bool) -> LimitSupport:
    if "memory" in have:
        return LimitSupport("memory_mb", "enforced", "cgroup v2 (memory.max)")
    if watched:
        return LimitSupport("memory_mb", "none", "nothing", watched, missing.remedy)
    heap = f", and RLIMIT_DATA {RESERVED_MB} MB above it for each process's heap" if rlimits else ""
    return LimitSupport(
        "memory_mb",
        "partial",
        f"looking at the tree{heap}",
        "what is taken between two looks is seen a moment late: " + missing.reason,
        missing.remedy,
    )


def _processor(have: frozenset[str], watched: str, missing: NoGroups) -> LimitSupport:
    if "cpu" in have:
        return LimitSupport("cpu_percent", "enforced", "cgroup v2 (cpu.max)")
    if watched:
        return LimitSupport("cpu_percent", "none", "nothing", watched, missing.remedy)
    return LimitSupport(
        "cpu_percent",
        "partial",
        "stopping and continuing the tree in turns",
        f"what is used between two looks is made up for afterwards: {missing.reason}",
        missing.remedy,
    )


def _kernel(name: str, by: str, holds: bool) -> LimitSupport:
    if holds:
        return LimitSupport(name, "enforced", by)
    return LimitSupport(name, "none", "nothing", "plugins run without the kernel's own limits", _NO_SANDBOX)


def _processes(have: frozenset[str], watched: str, nproc: bool) -> LimitSupport:
    if "pids" in have:
        return LimitSupport("processes", "enforced", "cgroup v2 (pids.max)")
    if nproc:
        return LimitSupport("processes", "enforced", "RLIMIT_NPROC")
    if watched:
        return LimitSupport("processes", "none", "nothing", watched, _NO_SANDBOX)
    reason = "a fork bomb is ended once it is seen; until then it takes from everybody"
    return LimitSupport("processes", "partial", "counting them", reason, _NO_SANDBOX)


def _disk(rlimits: bool) -> LimitSupport:
    by = "RLIMIT_FSIZE for each file, and counting the data folder" if rlimits else "counting the data folder"
    reason = "what all files take together is seen a moment late; what is written elsewhere is not counted"
    return LimitSupport("disk_mb", "partial", by, reason, "put the store on a file system with quotas")


def _watching_works() -> str:
    """Look at a process of ours, stop and continue it; return what failed, empty when nothing did."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        try:
            tree = Tree(child.pid)
            if not _comes(lambda: bool(tree.look(0.0).resident_mb)):
                return "other processes cannot be looked at in /proc"
            tree.stop()
            if not _comes(tree.stopped):
                return "other processes cannot be stopped"
            tree.resume()
            return "" if _comes(lambda: not tree.stopped()) else "stopped processes cannot be continued"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)


def _comes(check: Callable[[], bool]) -> bool:
    """Whether something holds before long."""
    end = time.monotonic() + _TIMEOUT_S
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
