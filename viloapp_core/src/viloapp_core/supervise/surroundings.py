"""What a plugin's driver needs of its host."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from viloapp_core.foundation.files import FileLock
from viloapp_core.limits import Breach
from viloapp_core.metrics import PluginMetrics
from viloapp_core.process import ForkServer, Spawner
from viloapp_core.process.cgroup import Groups
from viloapp_core.rpc import Waits
from viloapp_core.sandbox import Level
from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.turns import Turns

__all__ = ["Surroundings"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker needs of its host."""

    spawner: Spawner
    workspace: Path
    allow_unsandboxed: bool
    on_request: Callable[[str, str, Any], Any]
    """``(plugin id, method, params)``: a call of a service; the result, or an awaitable of it."""
    on_state: Callable[[str, str, str], None]
    """``(plugin id, state, detail)`` after each change of state."""
    on_life: Callable[[str, str, dict[str, Any]], None]
    """``(plugin id, what, more)``: what happened to its process; see docs/reference/supervision.md."""
    on_ready: Callable[[str, dict[str, Any]], Awaitable[None]]
    """``(plugin id, {"commands", "widgets"})``: what the plugin offers, before its first call."""
    on_disable: Callable[[InstalledPlugin, str], None]
    """``(plugin, reason)``: it failed too often, and shall not run until a person says so."""
    wanted: Callable[[str], bool]
    """Whether something needs the plugin that does not ask again: it is restarted without being called."""
    settings: Callable[[str], dict[str, Any]]
    """The current settings of a plugin."""
    locale: Callable[[], str]
    """The value of ``core.locale``."""
    supervision: Callable[[str], Any]
    """The value of ``core.supervise.NAME``."""
    on_limit: Callable[[str, Breach], None]
    """``(plugin id, breach)`` for each limit that a plugin reaches."""
    limits: Callable[[str], Mapping[str, Any]]
    """The limits that the person set for a plugin, by name."""
    groups: Groups | None
    """Makes control groups for workers, where the host was handed a part of cgroup v2."""
    nice: Callable[[], int]
    """How far workers stand back for other processes; see `Request`."""
    admit: Callable[[InstalledPlugin], None]
    """Raise for a plugin that may not run; asked before every start. No failure of the plugin's."""
    hold: Callable[[InstalledPlugin], FileLock]
    """Lock a plugin's generation, shared, so that nobody removes it while its process lives."""
    permissions: Callable[[str], tuple[str, ...]]
    """The ids of what a plugin may when its process starts."""
    user_of: Callable[[str], int | None]
    """The user that a plugin runs as, None for the host's own."""
    programs: Callable[[str], Iterable[int]]
    """The process ids of the programs that run for a plugin: they count as its own."""
    minimum: Callable[[Literal["permissions", "limits"]], Level]
    """How well permissions and limits have to be enforced for a plugin to start."""
    on_end: Callable[[str], None]
    """``(plugin id)``: its process has ended; what was done for that process alone has no owner any more."""
    metrics: Callable[[str], PluginMetrics]
    """The counters of a plugin, which outlive each of its processes."""
    dev_copy: Callable[[str], Path | None] = lambda plugin_id: None
    """What a plugin that runs from its author's folder is shown in its place; None for the folder itself."""
    observation: Callable[[str], Observation] | None = None
    """In learn mode what a plugin's system calls reach for is noted here; in every other nobody looks."""
    fork_server: ForkServer | None = None
    """Forks workers where ``core.supervise.start_method`` asks for that; None where each is started."""
    waits: Waits = field(default_factory=Waits)
    """Which of their processes are waited for."""
    turns: Turns = field(default_factory=Turns)
    """Which of many plugins start first."""
