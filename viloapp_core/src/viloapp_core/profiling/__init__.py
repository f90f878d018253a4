"""Profiles as data: what a sampler saw of a plugin, checked, and drawn.

profile = from_worker(answer, plugin_id="hello", seconds=10, rate=100)
svg = flame_graph.flame_graph(profile)        # imported by who draws

All names come from the plugin's code, and a sampler that runs inside it may say anything: shape and size are
checked here, and every drawing escapes.
"""

from viloapp_core.profiling.errors import ProfilingError
from viloapp_core.profiling.profile import Profile, from_folded, from_worker

__all__ = ["Profile", "ProfilingError", "from_folded", "from_worker"]
