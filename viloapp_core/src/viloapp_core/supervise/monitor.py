"""Keeps one worker's processes to their limits by looking at them, where the kernel does not do it.

    watch = Watch(tree, limits, on_breach=..., end=child.kill)
    watch.begin()            # from the start of the process
    watch.ready()            # from here on processor time counts
    watch.wake()             # a call is about to begin: look soon
    watch.release()          # it is asked to shut down: never hold it again
    watch.close()            # it has ended

Looking is cheap while nothing happens (a few small files of ``/proc`` once a second), and becomes closer the
nearer a plugin is to a limit. A tree that has spent its processor time is stopped and continued in turns.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.limits import Action, Breach, Budget, Limits, Usage, exceeded
from viloapp_core.process.cgroup import Group
from viloapp_core.process.disk import folder_mb, scratch_mb
from viloapp_core.process.tree import Look, Tree, held

__all__ = ["IDLE_S", "Watch", "Watched"]

IDLE_S = 1.0
"""Between two looks at a plugin that does nothing."""
BUSY_S = 0.1
CLOSE_S = 0.02
"""Between two looks at a plugin whose memory grows towards its limit."""
SCAN_S = 1.0
"""Between two looks at what takes longer: descriptors, scratch folders, the data folder."""
_SCAN_SHARE = 0.01
"""Of one processor that those looks may take: a folder that takes long to walk is walked less often."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched, and what is done about it.

    Args:
        tree: its processes.
        limits: what they may use.
        data_dir: the plugin's own folder on disk.
        sandboxed: whether folders such as ``/tmp`` are its own.
        on_breach: told of each limit that is reached.
        end: ends all processes at once.
        window_s: over which `cpu_percent` is an average.
        group: where the kernel itself bounds the tree.
    """

    tree: Tree
    limits: Limits
    data_dir: Path
    sandboxed: bool
    on_breach: Callable[[Breach], None]
    end: Callable[[], None]
    window_s: float = 60.0
    group: Group | None = None


class Watch:
    """Looks at one worker from its start to its end, inside the running event loop.

    Attributes:
        usage: what was seen last.
        throttled: whether its processes have used up their processor time, and are held in turns.
        idle: whether the next look is far away.
    """

    def __init__(self, watched: Watched) -> None:
        self.usage = Usage()
        self.throttled = False
        self._of = watched
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._scanning: asyncio.Task[None] | None = None
        self._budget: Budget | None = None
        self._held = self._released = self._closed = False
        self.idle = False
        self._refused: set[str] = set()
        self._resident = 0.0
        self._unmapped = 0.0
        self._next_scan = 0.0
        self._active = True
        self._cpu_s = 0.0
        self._group_s = 0.0
        self._last_look: Look | None = None

    @property
    def limits(self) -> Limits:
        """Those that the processes were started with."""
        return self._of.limits

    @property
    def looked(self) -> Look | None:
        """What the latest look saw: metrics are made of it, so that nothing is looked at twice."""
        return self._last_look

    def begin(self) -> None:
        """Look from now on; processor time does not count yet, since starting is exempt."""
        self._schedule(BUSY_S)

    def ready(self) -> None:
        """Count processor time from now on, with a full budget."""
        if self._closed:
            return
        self._look()
        self._budget = Budget.full(
            self._of.limits.cpu_percent, now=time.monotonic(), window_s=self._of.window_s
        )

    def wake(self) -> None:
        """Look soon, if the next look is far away: the plugin is about to have something to do."""
        if self.idle and not self._closed:
            self.idle = False
            self._schedule(CLOSE_S)

    def release(self) -> None:
        """Let the processes go on and never hold them again: they are asked to end, and have to hear it."""
        self._released = True
        if self._of.group is not None:
            self._of.group.free()
        if self._held:
            self._resume()

    def close(self) -> None:
        """Stop looking; the processes have ended."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._scanning is not None:
            self._scanning.cancel()

    # -- looking -------------------------------------------------------------------------------------

    def _schedule(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = self._loop.call_later(delay_s, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        look = self._last_look = self._of.tree.look(now)
        used_s = self._used(look)
        self._cpu_s += used_s
        active = used_s > 0 or abs(look.resident_mb - self._resident) > 1
        self._active = self._active or active
        grown, self._resident = look.resident_mb - self._resident, look.resident_mb
        memory = look.resident_mb + self._unmapped
        if memory > self._of.limits.memory_mb:
            whole, shared = look.proportional_mb()
            memory = whole + max(0.0, self._unmapped - shared)
        self.usage = Usage(memory, look.tasks, self.usage.file_handles, self.usage.disk_mb, self._cpu_s)
        if self._judge():
            return
        self._account(used_s, now)
        if self._active and now >= self._next_scan and self._scanning is None:
            self._scanning = self._loop.create_task(self._scan(look))
        self.idle = not (active or self._held)
        self._schedule(self._delay(memory, grown))

    def _delay(self, memory: float, grown: float) -> float:
        """Return when to look next: soon enough that what grows is seen about when it reaches its limit."""
        if self._held and self._budget is not None:
            return min(BUSY_S, max(CLOSE_S, self._budget.wait_s()))
        if self.idle:
            # All idle plugins are looked at in one turn of the loop, which costs less than a turn for each.
            return IDLE_S - self._loop.time() % IDLE_S
        room = self._of.limits.memory_mb - memory
        if grown > 1 and grown * 4 > room:
            return CLOSE_S
        if self._budget is not None and self._budget.left_s < BUSY_S * 4:
            return BUSY_S / 2
        return BUSY_S

    def _judge(self) -> bool:
        """End the processes if they are beyond a limit; whether they were."""
        self._tell_refusals()
        breach = exceeded(self._of.limits, self.usage)
        if breach is None or self._kept(breach.limit):
            return False
        self.close()
        self._of.on_breach(breach)
        self._of.end()
        return True

    def _kept(self, limit: str) -> bool:
        """Whether the kernel keeps a limit of the whole tree: cached files then count as memory, and may."""
        kept = self._of.group.controllers if self._of.group is not None else ()
        return {"memory_mb": "memory", "processes": "pids"}.get(limit) in kept

    def _tell_refusals(self) -> None:
        """Tell once of what the kernel refuses by now, and again after it has been well below."""
        limits, usage = self._of.limits, self.usage
        for name in ("processes", "file_handles"):
            used, allowed = getattr(usage, name), getattr(limits, name)
            if used >= allowed - 1 and name not in self._refused:
                self._refused.add(name)
                self._of.on_breach(Breach(name, "refused", used, allowed))
            elif used < allowed * 0.75:
                self._refused.discard(name)

    def _tell_group_refusals(self) -> None:
        """Tell once of processes that the kernel refused: between two looks they are not seen to be many."""
        group, allowed = self._of.group, self._of.limits.processes
        if group is not None and group.refused_processes() and "processes" not in self._refused:
            self._refused.add("processes")
            self._of.on_breach(Breach("processes", "refused", allowed, allowed))

    async def _scan(self, look: Look) -> None:
        """Look at what takes longer, in a thread."""
        began = time.monotonic()
        try:
            handles, unmapped, disk = await asyncio.to_thread(self._slow_look, look)
            self._tell_group_refusals()
            self._active = False
            self._unmapped = unmapped
            usage = self.usage
            # Memory is judged by the next look, which adds it up.
            self.usage = Usage(usage.memory_mb, usage.processes, handles, disk, usage.cpu_s)
            if not self._closed:
                self._judge()
        finally:
            taken = time.monotonic() - began
            self._next_scan = time.monotonic() + max(SCAN_S, taken / _SCAN_SHARE)
            self._scanning = None

    def _slow_look(self, look: Look) -> tuple[int, float, float]:
        behind = held(look.members)
        unmapped = behind.memory_mb
        if self._of.sandboxed:
            unmapped = max(unmapped, sum(map(scratch_mb, look.firsts)))
        disk = folder_mb(self._of.data_dir, enough_mb=self._of.limits.disk_mb) + behind.disk_mb
        return behind.most, unmapped, disk

    # -- processor time ------------------------------------------------------------------------------

    def _used(self, look: Look) -> float:
        """Return the processor time since the last look: the group knows it exactly."""
        if self._of.group is None:
            return look.used_s
        before, self._group_s = self._group_s, self._of.group.cpu_s()
        return max(0.0, self._group_s - before)

    def _account(self, used_s: float, now: float) -> None:
        if self._budget is None:
            return
        self._budget = self._budget.advance(now=now, used_s=used_s)
        if self._released:
            return
        if self._held:
            if self._budget.refilled:
                self._resume()
            elif used_s > 0 and not self._of.tree.stopped():
                self._of.tree.stop()  # one of them has continued others before it was stopped itself
        elif self._budget.spent:
            self._hold()
        elif self.throttled and self._budget.recovered:
            self.throttled = False
            if self._of.group is not None:
                self._of.group.free()
            self._tell("resumed")

    def _hold(self) -> None:
        group = self._of.group
        if group is None or "cpu" not in group.controllers:
            self._held = True
            self._of.tree.stop()
        if not self.throttled:
            self.throttled = True
            if group is not None:
                group.hold(self._of.limits.cpu_percent)
            self._tell("throttled")

    def _resume(self) -> None:
        self._held = False
        with contextlib.suppress(OSError):
            self._of.tree.resume()

    def _tell(self, action: Action) -> None:
        allowed = self._of.limits.cpu_percent
        self._of.on_breach(Breach("cpu_percent", action, allowed, allowed))
