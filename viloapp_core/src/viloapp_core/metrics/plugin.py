"""The counters of one plugin, over all of its processes since the host started."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, NamedTuple

from viloapp_core.metrics.latencies import Latencies
from viloapp_sdk.errors import StreamingCommandError

__all__ = ["COUNTED", "OF_THE_HOST", "PluginMetrics", "Sample", "running"]

COUNTED = frozenset({"command", "stream", "widget.command"})
"""Methods of the wire that count as calls: they run what the plugin's author wrote for people. A stream
counts as one that is answered when it has begun."""

OF_THE_HOST = frozenset({"health", "import", "initialize", "ping", "settings.step", "shutdown"})
"""Methods by which the host starts, looks after and ends a process: nobody loses a call with them."""

ERROR_CHARS = 100
"""Kept of the last error. Source: the specification."""
KEPT_VIOLATIONS = 20
KEPT_SAMPLES = 120
"""Ten minutes at one in five seconds."""
WINDOW_S = 60.0
"""Over which ``limits.cpu_percent`` is an average."""


class Sample(NamedTuple):
    """One look at a plugin's processes.

    Args:
        at: seconds since the epoch.
        memory_mb: megabytes in memory; 0 without a process.
        cpu_percent: of one processor since the sample before.
        calls: that ended since the sample before.
        cpu_s: processor seconds since the sample before.
        passed_s: seconds since the sample before.
    """

    at: float
    memory_mb: float
    cpu_percent: float
    calls: int
    cpu_s: float
    passed_s: float


class PluginMetrics:
    """What one plugin did and used.

    Args:
        plugin_id: whose.
        clock: monotonic seconds.

    Attributes:
        latencies: of the calls that ended.
        streams: that are open.
        streamed: bytes that came over streams.
        errors: calls that failed, starts that failed, and processes that were lost.
        last_error: the beginning of the latest.
        startup_s: seconds from the start of the latest process until it was ready.
        starts: processes that became ready.
        cpu_s: processor seconds of all its processes.
        memory_mb: megabytes at the last sample.
        memory_kind: how they were measured: ``pss``, ``rss``, or empty before the first sample.
        cpu_percent: of one processor, between the last two samples.
        violations: limits met, by name.
        messages: the latest of those, in words.
        under_way: each returns the calls that a process has not answered: method, parameters, and when it
            began by `time.monotonic`.
        samples: the latest samples, oldest first.
    """

    def __init__(self, plugin_id: str, clock: Callable[[], float] = monotonic) -> None:
        self.plugin_id = plugin_id
        self.latencies = Latencies()
        self.under_way: set[Callable[[], Iterable[tuple[str, Any, float]]]] = set()
        self.streams = 0
        self.streamed = 0
        self.errors = 0
        self.last_error = ""
        self.startup_s = 0.0
        self.starts = 0
        self.cpu_s = 0.0
        self.memory_mb = 0.0
        self.memory_kind = ""
        self.cpu_percent = 0.0
        self.violations: Counter[str] = Counter()
        self.messages: deque[str] = deque(maxlen=KEPT_VIOLATIONS)
        self.samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        self._clock = clock
        self._process: object = None
        self._starting_at = 0.0
        self._ready_at: float | None = None
        self._active_s = 0.0
        self._counted_s = 0.0
        self._sampled = (clock(), 0.0, 0)

    # -- told by who drives the process --------------------------------------------------------------

    def unanswered(self, method: str, took_s: float, error: BaseException) -> None:
        """Count a call that has no result.

        Args:
            method: of the wire.
            took_s: seconds until that was known.
            error: what it ended in. One that is no `Exception` is a caller's who gave up: nothing that the
                plugin did.
        """
        if method in COUNTED:
            self.latencies.record(took_s)
            # That a command streams is how `viloapp call` learns of it: no fault of anybody's.
            if isinstance(error, Exception) and not isinstance(error, StreamingCommandError):
                self.failed(error)

    def failed(self, error: BaseException | str) -> None:
        """Count an error."""
        self.errors += 1
        # An error's own text may be as long as a frame.
        self.last_error = str(error)[:ERROR_CHARS] or type(error).__name__

    def moved(self, process: object, state: str, detail: str, cpu_s: float) -> None:
        """Follow a process from state to state.

        Args:
            process: anything that tells it from the one before, which may end after the next has started.
            state: see `viloapp_core.supervise.Worker`.
            detail: why.
            cpu_s: processor seconds of this process so far.
        """
        now = self._clock()
        if state == "starting":
            self._rest(now)
            self._process, self._starting_at, self._counted_s = process, now, 0.0
            return
        if process != self._process:
            return
        if state == "running":
            self.startup_s = now - self._starting_at
            self.starts += 1
            self._ready_at = now
            return
        self._spend(cpu_s)
        if state == "crashed":
            self.failed(detail or "its process was lost")
        if state != "stopping":
            self._rest(now)
            self.memory_mb = 0.0

    def reached(self, limit: str, message: str) -> None:
        """Count a limit that was met."""
        self.violations[limit] += 1
        self.messages.append(message)

    def sampled(self, at: float, memory_mb: float, memory_kind: str, cpu_s: float | None) -> None:
        """Take what was seen of its processes.

        Args:
            at: seconds since the epoch.
            memory_mb: megabytes; 0 without a process.
            memory_kind: ``pss`` or ``rss``.
            cpu_s: processor seconds of the present process so far; None without one.
        """
        if cpu_s is not None:
            self._spend(cpu_s)
        now, before = self._clock(), self._sampled
        passed = now - before[0]
        spent = self.cpu_s - before[1]
        self.cpu_percent = 100 * spent / passed if passed > 0 else 0.0
        calls = self.latencies.count
        self._sampled = (now, self.cpu_s, calls)
        self.memory_mb = memory_mb
        self.memory_kind = memory_kind or self.memory_kind
        self.samples.append(Sample(at, memory_mb, self.cpu_percent, calls - before[2], spent, passed))

    def _spend(self, cpu_s: float) -> None:
        self.cpu_s += max(0.0, cpu_s - self._counted_s)
        self._counted_s = max(cpu_s, self._counted_s)

    def _rest(self, now: float) -> None:
        if self._ready_at is not None:
            self._active_s += now - self._ready_at
            self._ready_at = None

    # -- asked ---------------------------------------------------------------------------------------

    @property
    def active_s(self) -> float:
        """Seconds in which a process of it was ready."""
        return self._active_s + (self._clock() - self._ready_at if self._ready_at is not None else 0.0)

    @property
    def restarts(self) -> int:
        """Processes that became ready after the first one, for whatever reason."""
        return max(0, self.starts - 1)

    @property
    def cpu_percent_60s(self) -> float:
        """Of one processor over the last minute, which began idle for a host that is younger."""
        spent = passed = 0.0
        for sample in reversed(self.samples):
            if passed >= WINDOW_S:
                break
            spent, passed = spent + sample.cpu_s, passed + sample.passed_s
        return 100 * spent / max(passed, WINDOW_S)

    def running(self) -> list[tuple[str, float]]:
        """Return what is under way; see `running`."""
        return running(call for calls in tuple(self.under_way) for call in calls())

    def report(self) -> dict[str, Any]:
        """Return everything by the names of the specification, and by our own where it has none.

        Times are seconds, memory is in megabytes (2**20 bytes).
        """
        p50, p95, p99 = self.latencies.quantiles([0.5, 0.95, 0.99])
        return {
            "plugin_id": self.plugin_id,
            "startup_time": round(self.startup_s, 4),
            "memory_usage_mb": round(self.memory_mb, 1),
            "memory_kind": self.memory_kind,
            "cpu_percent": round(self.cpu_percent, 1),
            "cpu_percent_60s": round(self.cpu_percent_60s, 1),
            "cpu_time": round(self.cpu_s, 2),
            "command_count": self.latencies.count,
            "command_avg_time": round(self.latencies.mean_s, 7),
            "command_p50_time": round(p50, 7),
            "command_p95_time": round(p95, 7),
            "command_p99_time": round(p99, 7),
            "command_max_time": round(self.latencies.longest_ns / 1e9, 7),
            "commands_running": len(self.running()),
            "streams_open": self.streams,
            "streamed_bytes": self.streamed,
            "error_count": self.errors,
            "last_error": self.last_error,
            "restarts": self.restarts,
            "active_time": round(self.active_s, 1),
            "resource_violations": list(self.messages),
            "violation_counts": dict(self.violations),
        }


def running(calls: Iterable[tuple[str, Any, float]]) -> list[tuple[str, float]]:
    """Return the names of calls without arguments, and for how many seconds they have run; longest first.

    Args:
        calls: method, parameters, and when it began by `time.monotonic`. What the host asks for itself, such
            as to end, is left out.
    """
    now = monotonic()
    found = [
        (_name(method, params), now - began) for method, params, began in calls if method not in OF_THE_HOST
    ]
    return sorted(found, key=lambda each: -each[1])


def _name(method: str, params: Any) -> str:
    """Return what was asked for, without its arguments: those may be a secret of the person's."""
    named = {"command": 0, "stream": 0, "widget.command": 1}.get(method)
    if named is not None and isinstance(params, (list, tuple)) and len(params) > named:
        return f"{method} {str(params[named])[:ERROR_CHARS]}"
    return method
