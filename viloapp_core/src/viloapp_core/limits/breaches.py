"""From what a plugin uses to what is said and done about it."""

from dataclasses import dataclass
from typing import Literal

from viloapp_core.limits.values import Limits

__all__ = ["Action", "Breach", "Usage", "exceeded"]

Action = Literal["ended", "throttled", "resumed", "refused"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a plugin's processes use together at one moment.

    Args:
        memory_mb: megabytes in memory and swapped out; shared pages count once.
        processes: processes and threads.
        file_handles: descriptors of the process that has most.
        disk_mb: megabytes on disk in its data folder, deleted files that are still open included.
        cpu_s: processor seconds so far.
    """

    memory_mb: float = 0.0
    processes: int = 0
    file_handles: int = 0
    disk_mb: float = 0.0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plugin reached.

    Args:
        limit: which, as the manifest calls it.
        action: what came of it: its processes were ``ended``, or ``throttled`` (held now and then) and later
            ``resumed``, or the kernel ``refused`` it more.
        used: how much it was, in the limit's unit.
        allowed: the limit.
    """

    limit: str
    action: Action
    used: float
    allowed: float

    def message(self, plugin_id: str) -> str:
        """Return the one line that a person reads."""
        says = _SAYS[self.limit, self.action].format(used=self.used, allowed=self.allowed)
        return f"{plugin_id} was ended: {says}" if self.action == "ended" else f"{plugin_id} {says}"

    def reason(self) -> str:
        """Return why processes were ended, without whose."""
        return _SAYS[self.limit, self.action].format(used=self.used, allowed=self.allowed)

    def hint(self, plugin_id: str) -> str:
        """Return how to allow more; for a full folder, which stays so, also where it is."""
        more = f"to allow more: viloapp config set {plugin_id}.limits.{self.limit} {_more(self)}"
        if (self.limit, self.action) == ("disk_mb", "ended"):
            return f"viloapp info {plugin_id} names its data folder, to take files out; {more}"
        return more


_SAYS = {
    ("memory_mb", "ended"): "it used {used:.0f} MB of memory, and may use {allowed:g} MB",
    ("memory_mb", "refused"): "was refused more memory than its {allowed:g} MB",
    ("cpu_percent", "throttled"): "is held to {allowed:g} % of a processor: it used more for a minute",
    ("cpu_percent", "resumed"): "uses less than {allowed:g} % of a processor again",
    ("file_handles", "refused"): "was refused more than {allowed:g} open files",
    ("processes", "refused"): "was refused more than {allowed:g} processes and threads",
    ("processes", "ended"): "it had {used:.0f} processes and threads, and may have {allowed:g}",
    ("disk_mb", "refused"): "was refused a file of more than {allowed:g} MB",
    ("disk_mb", "ended"): "its data takes {used:.0f} MB of disk, and may take {allowed:g} MB",
    ("execution_time", "ended"): "it went on after a command's {allowed:g} s were over",
    ("execution_time", "refused"): "did not answer within the {allowed:g} s that a command may take",
}


def exceeded(limits: Limits, usage: Usage) -> Breach | None:
    """Return the limit for which the plugin's processes have to be ended; None while all is well.

    Processor time is not among them: too much of it is made up for by waiting (`Budget`).
    """
    for name in ("memory_mb", "processes", "disk_mb"):
        used, allowed = getattr(usage, name), getattr(limits, name)
        if used > allowed:
            return Breach(name, "ended", used, allowed)
    return None


def _more(breach: Breach) -> int:
    """Return a value worth trying: twice the limit."""
    return round(2 * breach.allowed)
