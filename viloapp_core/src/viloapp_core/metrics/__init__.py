"""What is measured of each plugin: pure counters, fed by who drives its process.

    metrics = PluginMetrics("hello")
    metrics.latencies.record(0.0002)          # a call that was answered, in seconds
    metrics.report()["command_count"]         # 1

Memory is bounded whatever a plugin does: latencies go into buckets (`Latencies`), samples into a ring.
"""

from viloapp_core.metrics.latencies import Latencies
from viloapp_core.metrics.plugin import COUNTED, PluginMetrics, Sample, running
from viloapp_core.metrics.violations import check_violations, violation

__all__ = ["COUNTED", "Latencies", "PluginMetrics", "Sample", "check_violations", "running", "violation"]
