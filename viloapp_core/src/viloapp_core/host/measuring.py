"""Samples what plugins use, for charts and reports, out of what their limits are watched by.

Nothing is looked at twice: the watch of each worker looks at its processes anyway, and a sample takes what it
saw last. Only the exact memory is asked of the kernel once more, in a thread, and only of what changed.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from viloapp_core.limits import Breach
from viloapp_core.metrics import PluginMetrics, check_violations, violation
from viloapp_core.process.tree import Look
from viloapp_core.supervise import Worker

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["EVERY_S", "Measuring", "metrics"]

EVERY_S = 5.0
"""Source: the specification."""


class Measuring:
    """The metrics of every plugin of one host.

    Args:
        workers: who drives which plugin now.
        ids: of all that may run, also those that nobody has asked for yet.
        every_s: between two samples.
    """

    def __init__(
        self,
        workers: Callable[[], Mapping[str, Worker]],
        ids: Callable[[], Collection[str]] = frozenset[str],
        every_s: float = EVERY_S,
    ) -> None:
        self.every_s = every_s
        self._workers = workers
        self._ids = ids
        self._metrics: dict[str, PluginMetrics] = {}
        self._seen: dict[str, tuple[object, ...]] = {}

    def of(self, plugin_id: str) -> PluginMetrics:
        """Return a plugin's counters, new ones for a plugin that has none yet."""
        if (known := self._metrics.get(plugin_id)) is None:
            known = self._metrics[plugin_id] = PluginMetrics(plugin_id)
        return known

    def keep(self, installed: Container[str]) -> None:
        """Drop the counters of plugins that are gone; one that is disabled keeps what it did."""
        for id in [id for id in self._metrics if id not in installed]:
            del self._metrics[id]
            self._seen.pop(id, None)

    def reached(self, plugin_id: str, breach: Breach) -> None:
        """Count a limit that a plugin met, in the specification's words where it has some."""
        if breach.action == "resumed":
            return
        metrics = self.of(plugin_id)
        used = breach.used
        if breach.limit == "cpu_percent":  # the breach has the limit; what was used is an average
            used = max(used, metrics.cpu_percent_60s, metrics.cpu_percent)
        above = violation(breach.limit, used, breach.allowed) if used > breach.allowed else None
        metrics.reached(breach.limit, above or breach.message(plugin_id))

    def too_slow(self, plugin_id: str, took_s: float, allowed_s: float) -> None:
        """Count a start that was ended since it took longer than it may."""
        message = violation("startup_time", max(took_s, allowed_s), allowed_s)
        assert message is not None
        self.of(plugin_id).reached("startup_time", message)

    def report(self, plugin_id: str | None = None) -> dict[str, Any]:
        """Return the report of one plugin, ``{}`` for an unknown one, or of all by id."""
        if plugin_id is not None:
            known = plugin_id in self._metrics or plugin_id in self._ids()
            return self.of(plugin_id).report() if known else {}
        return {id: self.of(id).report() for id in sorted({*self._metrics, *self._ids()})}

    def check_violations(self, plugin_id: str, limits: Mapping[str, float] | None = None) -> list[str]:
        """Return a message for each limit that a plugin is above, by its latest sample.

        Args:
            plugin_id: an unknown one violates nothing.
            limits: by name; without, the plugin's own, whose ``cpu_percent`` is an average over a minute.
        """
        report = self.report(plugin_id)
        if limits is not None:
            return check_violations(report, limits)
        worker = self._workers().get(plugin_id)
        if worker is None or not report:
            return []
        return check_violations({**report, "cpu_percent": report["cpu_percent_60s"]}, asdict(worker.limits))

    def history(self, plugin_id: str) -> list[list[float]]:
        """Return ``[seconds since the epoch, MB, percent, calls]`` of the latest samples, oldest first."""
        metrics = self._metrics.get(plugin_id)
        if metrics is None:
            return []
        return [
            [round(each.at, 1), round(each.memory_mb, 1), round(each.cpu_percent, 1), each.calls]
            for each in metrics.samples
        ]

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            await asyncio.sleep(self.every_s)
            try:
                await self.sample()
            except Exception as error:  # a fault of ours in one sample must not be the end of all
                told = {"message": "a sample of the plugins failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(told)

    async def sample(self) -> None:
        """Take one sample of every plugin that may run and that somebody has asked for, or about."""
        workers = self._workers()
        looks = {id: look for id, worker in workers.items() if (look := self._fresh(id, worker))}
        measured: dict[str, tuple[float, str]] = {}
        if looks:
            measured = await asyncio.to_thread(lambda: {id: look.measured_mb() for id, look in looks.items()})
        at = time.time()
        workers, ids = self._workers(), self._ids()
        for id, metrics in tuple(self._metrics.items()):
            if id not in workers and id not in ids:
                continue
            worker = workers.get(id)
            usage = worker.usage if worker is not None and worker.pid is not None else None
            memory, kind = measured.get(id, (metrics.memory_mb, ""))
            if usage is None:
                memory = 0.0
            metrics.sampled(at, memory, kind, usage.cpu_s if usage is not None else None)

    def _fresh(self, plugin_id: str, worker: Worker) -> Look | None:
        """Return what was seen of a plugin's processes, None when its memory is as it was."""
        look = worker.looked if worker.pid is not None else None
        if look is None:
            return None
        now = (worker.pid, look.resident_mb, look.tasks)
        if self._seen.get(plugin_id) == now and self.of(plugin_id).memory_mb > 0:
            return None
        self._seen[plugin_id] = now
        return look


def metrics(host: "Host") -> dict[str, Any]:
    """Return what a view of all plugins shows: the rows of `Host.plugins`, each with ``history``.

    Returns:
        ``{"every_s", "plugins"}``: seconds between two samples, and the rows; see `Measuring.history`.
    """
    rows = [{**row, "history": host.measuring.history(row["id"])} for row in host.plugins()]
    return {"every_s": host.measuring.every_s, "plugins": rows}
