"""Whether limits hold well enough on this machine for a plugin to start, as ``core.minimum.limits`` says."""

import functools

from viloapp_core.process.cgroup import Groups
from viloapp_core.process.limit_support import LimitSupport, probe_limits
from viloapp_core.sandbox import Level, Probe, enough
from viloapp_core.supervise.errors import LimitsTooWeakError

__all__ = ["check_limits", "limit_support", "limits_tried"]


def limit_support(probe: Probe) -> tuple[LimitSupport, ...]:
    """Return how each limit holds here; tried once per process, which takes some thirty milliseconds.

    Args:
        probe: the sandbox that works here: some limits are the kernel's, set inside it.
    """
    return _tried(probe.backend != "none", probe.counts_processes)


def limits_tried() -> bool:
    """Tell whether `check_limits` answers from memory."""
    return _tried.cache_info().currsize > 0


@functools.cache
def _tried(rlimits: bool, nproc: bool) -> tuple[LimitSupport, ...]:
    return probe_limits(Groups.of_this_process(), rlimits=rlimits, nproc=nproc)


def check_limits(plugin_id: str, minimum: Level, probe: Probe) -> None:
    """Refuse to start a plugin where a limit holds less than the policy wants.

    Raises:
        LimitsTooWeakError: one does; it names them all.
    """
    if minimum == "none":
        return
    weak = [each for each in limit_support(probe) if not enough(each.level, minimum)]
    if weak:
        raise LimitsTooWeakError(plugin_id, minimum, [(each.limit, each.level, each.reason) for each in weak])
