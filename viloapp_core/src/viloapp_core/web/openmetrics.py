"""``/metrics``: what is measured of every plugin, for a monitoring system that comes and asks.

The registry is made for one answer and belongs to nobody else, so that two hosts of one process do not meet
in it. Who asks bears the token of the file `TOKEN_FILE` in the store, which opens nothing but this page.

Source: OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from viloapp_core.foundation.files import read_bytes, write_atomic
from viloapp_core.metrics import Latencies, PluginMetrics
from viloapp_core.web import views

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from viloapp_core.host import Host

__all__ = ["CONTENT_TYPE", "PATH", "TOKEN_FILE", "exposition", "token_of"]

PATH: Final = "/metrics"
CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TOKEN_FILE: Final = "metrics.token"
_LEAST_TOKEN = 32
# Ends of the histogram's buckets: powers of two of nanoseconds from 65 us to 69 s, where our own buckets end
# too, so that the counts are exact.
_EXPONENTS = range(16, 37, 2)
_MB = 1024 * 1024


def token_of(store: Path) -> str:
    """Return the token that a scraper has to bear; made the first time, and the same from then on.

    It is a file that a scraper can be pointed to, readable by the user alone. One that somebody shortened, or
    that others may read, is made anew: nothing is opened by a guess.

    Raises:
        FileError: it cannot be read or written.
    """
    path = store / TOKEN_FILE
    kept = (read_bytes(path) or b"").decode("ascii", "replace").strip()
    if len(kept) >= _LEAST_TOKEN and kept.isascii() and not path.stat().st_mode & 0o077:
        return kept
    made = secrets.token_urlsafe(32)
    write_atomic(path, (made + os.linesep).encode())
    return made


def exposition(host: "Host") -> bytes:
    """Return the answer to one scrape."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.openmetrics import exposition as openmetrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(host))
    generate: Callable[[CollectorRegistry], bytes] = openmetrics.generate_latest
    return generate(registry)


class _Collector:
    """The metrics of one host at this moment."""

    def __init__(self, host: "Host") -> None:
        self._host = host

    def collect(self) -> Iterable["Metric"]:
        """Return every metric with a sample for each plugin."""
        from prometheus_client.core import HistogramMetricFamily, InfoMetricFamily

        host, rows = self._host, self._host.plugins()
        yield InfoMetricFamily("viloapp", "The host.", {"version": views.version()})
        about = InfoMetricFamily("viloapp_plugin", "An installed plugin.", labels=["plugin"])
        calls = HistogramMetricFamily(
            "viloapp_plugin_call_duration_seconds",
            "Commands and messages to widgets, from the request to the answer.",
            labels=["plugin"],
            unit="seconds",
        )
        for row in rows:
            about.add_metric([row["id"]], {"version": row["version"]})
            latencies = host.measuring.of(row["id"]).latencies
            calls.add_metric([row["id"]], _buckets(latencies), latencies.total_ns / 1e9)
        yield about
        yield calls
        yield from _gauges(rows)
        yield from _counters(rows, {row["id"]: host.measuring.of(row["id"]) for row in rows})


def _buckets(latencies: Latencies) -> list[tuple[str, float]]:
    ends = [(repr(2**exponent / 1e9), float(latencies.up_to(exponent))) for exponent in _EXPONENTS]
    return [*ends, ("+Inf", float(latencies.count))]


def _gauges(rows: Iterable[Mapping[str, Any]]) -> Iterable["Metric"]:
    from prometheus_client.core import GaugeMetricFamily

    up = GaugeMetricFamily("viloapp_plugin_up", "Whether a process of it is ready.", labels=["plugin"])
    memory = GaugeMetricFamily(
        "viloapp_plugin_memory_bytes",
        "In memory and swapped out, of all its processes; kind says how it was measured (pss or rss).",
        labels=["plugin", "kind"],
        unit="bytes",
    )
    startup = GaugeMetricFamily(
        "viloapp_plugin_startup_seconds",
        "From the start of its latest process until it was ready.",
        labels=["plugin"],
        unit="seconds",
    )
    running = GaugeMetricFamily("viloapp_plugin_calls_running", "Calls under way.", labels=["plugin"])
    streams = GaugeMetricFamily("viloapp_plugin_streams_open", "Streams under way.", labels=["plugin"])
    for row in rows:
        id = [row["id"]]
        up.add_metric(id, float(row["state"] == "running"))
        memory.add_metric([*id, row["memory_kind"] or "pss"], row["memory_usage_mb"] * _MB)
        startup.add_metric(id, row["startup_time"])
        running.add_metric(id, row["commands_running"])
        streams.add_metric(id, row["streams_open"])
    return up, memory, startup, running, streams


def _counters(rows: Iterable[Mapping[str, Any]], measured: Mapping[str, PluginMetrics]) -> Iterable["Metric"]:
    from prometheus_client.core import CounterMetricFamily

    def counter(name: str, text: str, unit: str = "", *more: str) -> CounterMetricFamily:
        return CounterMetricFamily(f"viloapp_plugin_{name}", text, labels=["plugin", *more], unit=unit)

    cpu = counter("cpu_seconds", "Processor time of all its processes.", "seconds")
    active = counter("active_seconds", "Time in which a process of it was ready.", "seconds")
    errors = counter("errors", "Calls that failed, starts that failed and processes that were lost.")
    streamed = counter("streamed_bytes", "Bytes that its commands streamed.", "bytes")
    restarts = counter("restarts", "Processes that became ready after the first.")
    limits = counter("limit_violations", "Limits that it met.", "", "limit")
    for id, metrics in measured.items():
        cpu.add_metric([id], metrics.cpu_s)
        active.add_metric([id], metrics.active_s)
        errors.add_metric([id], metrics.errors)
        streamed.add_metric([id], metrics.streamed)
        restarts.add_metric([id], metrics.restarts)
        for limit, count in metrics.violations.items():
            limits.add_metric([id, limit], count)
    return cpu, active, errors, streamed, restarts, limits
