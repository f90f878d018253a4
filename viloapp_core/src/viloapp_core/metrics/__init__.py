"""What is measured of each plugin: pure counters, fed by who drives its process.

    metrics = PluginMetrics("hello")
    metrics.begin(call, "command", ["hello.greet", {}])     # a call is whatever tells it from others
    metrics.ended(call)                                     # or with the error that it ended in
    metrics.report()["command_count"]         # 1

Memory is bounded whatever a plugin does: latencies go into buckets (`Latencies`), samples into a ring.
"""

from viloapp_core.metrics.latencies import Latencies
from viloapp_core.metrics.plugin import PluginMetrics, Sample
from viloapp_core.metrics.violations import check_violations, violation

__all__ = ["Latencies", "PluginMetrics", "Sample", "check_violations", "violation"]
