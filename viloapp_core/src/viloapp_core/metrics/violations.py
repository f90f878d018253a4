"""Limits against what was measured, in the specification's words.

>>> check_violations({"memory_usage_mb": 120.0, "cpu_percent": 3.0, "startup_time": 0.1}, {"memory_mb": 100})
['Memory limit exceeded: 120.0MB > 100MB']
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["check_violations", "violation"]

# Limit → key of a report, and the message. Source: the specification, Plugin Metrics Collection.
_MESSAGES = {
    "memory_mb": ("memory_usage_mb", "Memory limit exceeded: {used:.1f}MB > {allowed:g}MB"),
    "cpu_percent": ("cpu_percent", "CPU limit exceeded: {used:.1f}% > {allowed:g}%"),
    "startup_time": ("startup_time", "Slow startup: {used:.2f}s > {allowed:g}s"),
}


def violation(limit: str, used: float, allowed: float) -> str | None:
    """Return the message for one limit; None for a limit that has none of its own."""
    if limit not in _MESSAGES:
        return None
    return _MESSAGES[limit][1].format(used=used, allowed=allowed)


def check_violations(report: Mapping[str, Any], limits: Mapping[str, float]) -> list[str]:
    """Return a message for each limit that a report is above.

    Args:
        report: of one plugin, see `PluginMetrics.report`; an empty one violates nothing.
        limits: by name: ``memory_mb``, ``cpu_percent``, ``startup_time``; others are not judged here.
    """
    return [
        text.format(used=report[key], allowed=limits[limit])
        for limit, (key, text) in _MESSAGES.items()
        if limit in limits and report.get(key, 0) > limits[limit]
    ]
