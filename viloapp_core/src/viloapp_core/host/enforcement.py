"""What a change of permissions does to a plugin that runs."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from viloapp_core.permissions import Permission

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["Enforcement"]

_TERMINAL = Permission("process", "spawn", "terminal")


class Enforcement:
    """Brings running plugins in line with what they may.

    The host's own checks follow at once. The kernel's view of the disk cannot be narrowed in a process that
    lives, so that process ends and another begins; terminals that may not be any more end too.

    Args:
        host: whose plugins.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._started_with: dict[str, frozenset[Permission]] = {}
        self._under_way: dict[str, asyncio.Task[dict[str, bool]]] = {}

    def at_start(self, plugin_id: str) -> tuple[str, ...]:
        """Return what a process that starts now may, and remember it.

        Raises:
            LedgerError: the ledger cannot be used: then no plugin starts.
        """
        granted = self._host.permissions.granted(plugin_id)
        self._started_with[plugin_id] = _files(granted)
        self._host.permissions.watch(plugin_id, granted)
        return tuple(map(str, granted))

    def changed(self, plugin_id: str, by: str) -> None:
        """Set about what follows from a change; `applied` waits for it."""
        before = self._under_way.get(plugin_id)
        task = self._host.in_background(self._apply(plugin_id, by, before))
        self._under_way[plugin_id] = task

    async def applied(self, plugin_id: str) -> dict[str, bool]:
        """Wait until the latest change has its effect; return ``{"restarted", "terminals_closed"}``."""
        task = self._under_way.get(plugin_id)
        return (
            await asyncio.shield(task)
            if task is not None
            else {"restarted": False, "terminals_closed": False}
        )

    async def _apply(
        self, plugin_id: str, by: str, before: "asyncio.Task[dict[str, bool]] | None"
    ) -> dict[str, bool]:
        if before is not None:
            await asyncio.wait([before])
        host = self._host
        host.events.narrow(plugin_id, lambda type: host.may_hear(plugin_id, type))
        host.publish("permissions.changed", {"plugin": plugin_id})
        closed = bool(host.terminals.list(plugin_id)) and not host.permissions.check_permission(
            plugin_id, _TERMINAL
        )
        if closed:
            await host.close_terminals(plugin_id)
        restart = self._outdated(plugin_id, by)
        if restart:
            await host.restart_plugin(plugin_id)
        return {"restarted": restart, "terminals_closed": closed}

    def _outdated(self, plugin_id: str, by: str) -> bool:
        """Whether what the running process sees of the disk is more, or otherwise, than it should be.

        A grant by prompt restarts nothing: it comes out of a call that would be lost. The plugin has the
        files through the broker at once, and at their own paths from its next start.
        """
        started, now = self._started_with.get(plugin_id), _files(self._host.permissions.granted(plugin_id))
        if started is None or not self._host.is_running(plugin_id):
            return False
        return bool(started - now) or (started != now and by != "prompt")


def _files(granted: Iterable[Permission]) -> frozenset[Permission]:
    return frozenset(each for each in granted if each.category == "filesystem")
