"""What plugins may use and use, for listings: from the host that runs, or as far as the store says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viloapp_core.store import Store

__all__ = ["idle", "summary"]


def idle(store: Store, plugin_id: str) -> dict[str, Any]:
    """Return the fields of a plugin that no host runs; a running host says the same of all plugins."""
    from dataclasses import asdict

    from viloapp_core.limits import effective
    from viloapp_core.services.settings import Settings

    plugin = store.plugins().get(plugin_id)
    settings = Settings(store.root / "settings.json", dict)
    limits = effective(plugin.limits if plugin is not None else {}, settings.limits_of(plugin_id))
    return {"limits": asdict(limits), "usage": None, "throttled": False, "limits_reached": {}}


def summary(plugin: Mapping[str, Any]) -> tuple[str, str]:
    """Return memory in use of what is allowed, and which limits were reached how often, as two cells."""
    usage, allowed = plugin.get("usage"), plugin.get("limits", {}).get("memory_mb", 0)
    memory = f"{usage['memory_mb']:.0f}/{allowed:.0f} MB" if usage else ""
    reached = ", ".join(f"{name} x{count}" for name, count in plugin.get("limits_reached", {}).items())
    return memory, f"{reached} (held)" if plugin.get("throttled") else reached
