"""The counters of one plugin, with a clock of the test's."""

import asyncio
from time import monotonic
from typing import Any

import pytest

from viloapp_core.metrics import COUNTED, PluginMetrics, check_violations
from viloapp_sdk.errors import HandlerError


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The test's clock."""
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> PluginMetrics:
    """Counters on that clock."""
    return PluginMetrics("hello", clock)


def answered(metrics: PluginMetrics) -> None:
    """Count an answer, as a peer does it."""
    metrics.latencies.record_all([0.001])


def lived(metrics: PluginMetrics, clock: Clock, process: int, *, start_s: float, life_s: float) -> None:
    """Let a process start, live and be lost, having used a second of processor time."""
    metrics.moved(process, "starting", "", 0.0)
    clock.now += start_s
    metrics.moved(process, "running", "", 0.2)
    clock.now += life_s
    metrics.moved(process, "crashed", "killed by SIGKILL", 1.0)


def test_the_report_of_a_plugin_that_never_ran_has_every_name_of_the_specification() -> None:
    """With the values of nothing."""
    report = PluginMetrics("hello").report()
    wanted: dict[str, Any] = {
        "plugin_id": "hello",
        "startup_time": 0.0,
        "memory_usage_mb": 0.0,
        "cpu_percent": 0.0,
        "command_count": 0,
        "command_avg_time": 0.0,
        "error_count": 0,
        "last_error": "",
        "active_time": 0.0,
        "resource_violations": [],
    }
    assert {name: report[name] for name in wanted} == wanted


def test_calls_are_counted_with_their_errors(metrics: PluginMetrics) -> None:
    """A call that failed is a call and an error; the error is cut at a hundred characters."""
    answered(metrics)
    metrics.unanswered("widget.command", 0.5, HandlerError("x" * 500))
    report = metrics.report()
    assert (report["command_count"], report["error_count"], report["last_error"]) == (2, 1, "x" * 100)
    assert 0 < report["command_p50_time"] <= report["command_p99_time"] <= report["command_max_time"]


def test_a_caller_who_gives_up_is_no_error_of_the_plugin(metrics: PluginMetrics) -> None:
    """The call counts, the error does not."""
    metrics.unanswered("command", 0.5, asyncio.CancelledError())
    assert (metrics.report()["command_count"], metrics.errors) == (1, 0)


def test_what_the_host_asks_for_itself_is_no_call(metrics: PluginMetrics) -> None:
    """A ping every 30 s must not be the latency of a plugin that nobody uses."""
    for method in ("ping", "widget.state", "learned"):
        assert method not in COUNTED
        metrics.unanswered(method, 0.5, HandlerError("no"))
    assert metrics.latencies.count == 0


def test_what_is_under_way_is_named_without_its_arguments(metrics: PluginMetrics) -> None:
    """Arguments may be secrets; crash reports show the names. What the host asks for itself is not shown."""
    now = monotonic()
    old = [("command", ["a.b", {"password": "hunter2"}], now - 5), ("ping", None, now - 9)]
    new = [("widget.state", "i", now - 7)]
    metrics.under_way |= {lambda: old, lambda: new}
    assert [(name, round(for_s)) for name, for_s in metrics.running()] == [
        ("widget.state", 7),
        ("command a.b", 5),
    ]
    assert metrics.report()["commands_running"] == 2
    metrics.under_way.clear()
    assert metrics.running() == []


def test_times_add_up_over_processes(metrics: PluginMetrics, clock: Clock) -> None:
    """Start time is the latest's; active and processor time are all of them; a loss is an error."""
    lived(metrics, clock, 1, start_s=0.5, life_s=10)
    clock.now += 100
    lived(metrics, clock, 2, start_s=0.25, life_s=5)
    report = metrics.report()
    assert (report["startup_time"], report["active_time"], report["cpu_time"]) == (0.25, 15.0, 2.0)
    assert (report["restarts"], report["error_count"]) == (1, 2)
    assert report["last_error"] == "killed by SIGKILL"


def test_the_late_end_of_a_process_does_not_end_its_successor(metrics: PluginMetrics, clock: Clock) -> None:
    """At an update the old process may end after the new one is ready."""
    metrics.moved(1, "starting", "", 0.0)
    metrics.moved(1, "running", "", 0.0)
    clock.now += 1
    metrics.moved(2, "starting", "", 0.0)
    metrics.moved(2, "running", "", 0.0)
    metrics.moved(1, "stopped", "", 5.0)
    clock.now += 2
    assert (metrics.active_s, metrics.restarts, metrics.cpu_s) == (3.0, 1, 0.0)


def test_samples_are_of_one_processor_and_bounded(metrics: PluginMetrics, clock: Clock) -> None:
    """Percent is processor time by time; ten minutes of samples are kept."""
    metrics.moved(1, "starting", "", 0.0)
    metrics.moved(1, "running", "", 0.0)
    for second in range(200):
        answered(metrics)
        clock.now += 5
        metrics.sampled(float(second), 42.0, "pss", cpu_s=1.0 * (second + 1))
    assert metrics.cpu_percent == pytest.approx(20.0)
    assert metrics.cpu_percent_60s == pytest.approx(20.0)
    assert (len(metrics.samples), metrics.samples[-1].calls) == (120, 1)
    assert metrics.report()["memory_kind"] == "pss"


def test_a_new_process_begins_to_count_at_nothing(metrics: PluginMetrics, clock: Clock) -> None:
    """Its processor time is added to its predecessor's, never taken for less work."""
    lived(metrics, clock, 1, start_s=0.1, life_s=1)
    metrics.sampled(0.0, 0.0, "", None)
    metrics.moved(2, "starting", "", 1.0)
    clock.now += 5
    metrics.sampled(1.0, 10.0, "rss", 0.5)
    assert metrics.cpu_s == pytest.approx(1.5)
    assert metrics.cpu_percent == pytest.approx(100 * 0.5 / 5.1, rel=0.05)


def test_messages_of_violations_are_bounded(metrics: PluginMetrics) -> None:
    """Each is counted; the latest twenty are kept in words."""
    for number in range(30):
        metrics.reached("memory_mb", f"message {number}")
    assert metrics.report()["violation_counts"] == {"memory_mb": 30}
    assert metrics.report()["resource_violations"] == [f"message {number}" for number in range(10, 30)]


def test_violations_are_told_in_the_words_of_the_specification() -> None:
    """All three, only those of limits that are given, and none for an unknown plugin."""
    report = {"memory_usage_mb": 120.25, "cpu_percent": 30.04, "startup_time": 2.345}
    limits = {"memory_mb": 100, "cpu_percent": 25, "startup_time": 1.5}
    assert check_violations(report, limits) == [
        "Memory limit exceeded: 120.2MB > 100MB",
        "CPU limit exceeded: 30.0% > 25%",
        "Slow startup: 2.35s > 1.5s",
    ]
    assert check_violations(report, {"cpu_percent": 50}) == []
    assert check_violations({}, limits) == []
