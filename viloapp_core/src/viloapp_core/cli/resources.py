"""What plugins may use and use, for listings: from the host that runs, or as far as the store says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viloapp_core.store import Store

__all__ = ["idle", "lent", "memory", "reached", "seconds", "unmeasured"]


def idle(store: Store, plugin_id: str) -> dict[str, Any]:
    """Return the fields of a plugin that no host runs; a running host says the same of all plugins."""
    from dataclasses import asdict

    from viloapp_core.limits import effective
    from viloapp_core.services.settings import Settings

    plugin = store.plugins().get(plugin_id)
    settings = Settings(store.root / "settings.json", dict)
    limits = effective(plugin.limits if plugin is not None else {}, settings.limits_of(plugin_id))
    return {
        "state": "stopped",
        "health": "",
        "failures": 0,
        "limits": asdict(limits),
        "usage": None,
        "throttled": False,
        "limits_reached": {},
        "over_limits": [],
        "connections": 0,
        "programs": 0,
    }


def unmeasured(plugin_id: str) -> dict[str, Any]:
    """Return the measurements of a plugin of which no host has any."""
    from viloapp_core.metrics import PluginMetrics

    return PluginMetrics(plugin_id).report()


def reached(plugin: Mapping[str, Any]) -> str:
    """Return which limits were reached how often, as a cell."""
    limits = plugin.get("limits_reached", {})
    shown = ", ".join(f"{name} x{count}" for name, count in limits.items())
    return f"{shown} (held)" if plugin.get("throttled") else shown


def lent(plugin: Mapping[str, Any]) -> str:
    """Return what the host has open for a plugin, as a cell.

    >>> lent({"connections": 2, "programs": 1})
    '2 connections, 1 program'
    """
    counts = ((plugin.get(f"{what}s", 0), what) for what in ("connection", "program"))
    return ", ".join(f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count)


def memory(plugin: Mapping[str, Any]) -> str:
    """Return memory in use of what is allowed, as a cell; empty without a process."""
    # The sample is exact; until the first one, what the limits are watched by is near enough.
    usage = plugin.get("usage")
    if not usage or plugin.get("pid") is None:
        return ""
    used = plugin.get("memory_usage_mb") or usage["memory_mb"]
    return f"{used:.0f}/{plugin.get('limits', {}).get('memory_mb', 0):.0f} MB"


def seconds(value: float) -> str:
    """Return a duration in the unit that reads well.

    >>> seconds(0.00008), seconds(0.25), seconds(2.5), seconds(7265)
    ('80 us', '250 ms', '2.5 s', '2 h 1 min')
    """
    if value < 0.001:
        return f"{value * 1e6:.0f} us"
    if value < 1:
        return f"{value * 1e3:.3g} ms"
    if value < 120:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
