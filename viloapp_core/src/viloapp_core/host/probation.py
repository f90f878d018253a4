"""Updates that have to show that they keep well, and the way back of those that do not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viloapp_core.foundation.clock import SystemClock
from viloapp_core.store import InstalledPlugin
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["ROLLED_BACK", "WINDOW", "Probation", "fault"]

WINDOW = "core.update.health_window"
"""The setting: for how many seconds an update has to run well; 0 for no probation."""
ROLLED_BACK = "plugin.rolled_back"
"""The event: ``{"plugin", "version", "back_to", "reason", "message"}``."""


def fault(what: str, told: Mapping[str, Any]) -> str:
    """Return why an event in a plugin's life speaks against its update; empty when it does not.

    A crash does not by itself: the plugin is started again, as its policy says, until that gives up. A start
    that failed does, and so does what is found unhealthy or hung. What the host refuses (no sandbox, a
    block list) is no failure of the plugin's and is not told as one.

    Args:
        what: ``plugin.life``'s; see docs/reference/supervision.md.
        told: its other fields.
    """
    error = " ".join(str(told.get("error", "")).split())
    match what:
        case "failed" if not told.get("was_ready"):
            error = error.removeprefix(f"{told.get('plugin')} did not start: ")
            return f"it did not start: {error}"
        case "unhealthy":
            return f"it was unhealthy: {error}"
        case "hung":
            return f"it hung: {error}"
        case "disabled":
            return f"it failed {told.get('failures')} times: {error}"
    return ""


@dataclass
class _Trial:
    """One update under way.

    Args:
        plugin: with the generation that is on probation.
        left_s: for how many seconds it has yet to run well.
    """

    plugin: InstalledPlugin
    left_s: float
    started: bool = False
    since: float | None = None
    alarm: asyncio.TimerHandle | None = None
    decided: bool = False
    goes_back: bool = False
    given_up: bool = False
    """Whether its supervisor gave it up and left it to us."""

    def pause(self, now: float) -> None:
        """It does not run any more: the time that it ran counts all the same."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None
        if self.since is not None:
            self.left_s = max(0.0, self.left_s - (now - self.since))
            self.since = None


class Probation:
    """Follows the plugins whose generation is on probation.

    One that runs well for its window is kept. One that fails its start, fails more often than its policy
    allows or is unhealthy is taken back with its lock and settings, and the former one is started. What ends
    because somebody ended it says nothing; the next host goes on with the probation.

    Args:
        host: whose plugins.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._trials: dict[str, _Trial] = {}
        self._deciding: set[asyncio.Task[None]] = set()
        host.subscribe(self._heard)

    def look(self, plugins: Mapping[str, InstalledPlugin]) -> set[str]:
        """Take what the host runs now; return which plugins have just begun a probation: they are started.

        Args:
            plugins: those that took another generation's place, by id; no other is on probation.
        """
        for plugin_id, trial in tuple(self._trials.items()):
            plugin = plugins.get(plugin_id)
            if plugin is None or plugin.generation != trial.plugin.generation:
                trial.pause(self._now())
                del self._trials[plugin_id]
        if self._host.holding.limited:
            return set()  # a search for what breaks a start changes nothing
        begun = set[str]()
        for plugin_id, plugin in plugins.items():
            if plugin_id in self._trials or not self._host.store.on_probation(plugin):
                continue
            trial = _Trial(plugin, float(self._host.settings.get(WINDOW)))
            self._trials[plugin_id] = trial
            if trial.left_s:
                begun.add(plugin_id)
            else:
                self._keep(trial)
        return begun

    def active(self, plugin_id: str) -> bool:
        """Return whether a plugin is on probation."""
        return plugin_id in self._trials

    def takes_over(self, plugin_id: str) -> bool:
        """Return whether a plugin that failed too often is being taken back, and need not be disabled."""
        trial = self._trials.get(plugin_id)
        if trial is None or not trial.goes_back:
            return False
        trial.given_up = True
        return True

    async def aclose(self) -> None:
        """Wait for what was decided: a rollback that has begun is carried out."""
        for trial in self._trials.values():
            trial.pause(self._now())
        if self._deciding:
            await asyncio.wait(tuple(self._deciding))

    def _heard(self, name: str, data: Mapping[str, Any]) -> None:
        trial = self._trials.get(str(data.get("plugin"))) if name == "plugin.life" else None
        if trial is None or trial.decided or self._host.worker(trial.plugin.plugin_id) is None:
            return
        what = str(data.get("what"))
        if what == "started":
            trial.started = True
        if not trial.started:
            return  # of the process before the update
        if what == "ready":
            trial.pause(self._now())
            trial.since = self._now()
            loop = asyncio.get_running_loop()
            trial.alarm = loop.call_later(trial.left_s, self._keep, trial)
        elif what in ("failed", "stopped"):
            trial.pause(self._now())
        if reason := fault(what, data):
            trial.goes_back = True
            self._decide(trial, self._take_back(trial, reason))

    def _keep(self, trial: _Trial) -> None:
        if not trial.decided:
            self._decide(trial, self._confirm(trial))

    def _decide(self, trial: _Trial, work: Coroutine[Any, Any, None]) -> None:
        trial.decided = True
        trial.pause(self._now())
        task = asyncio.get_running_loop().create_task(work)
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    async def _confirm(self, trial: _Trial) -> None:
        host, plugin = self._host, trial.plugin
        try:
            await asyncio.to_thread(host.store.confirm, plugin.plugin_id)
        except ViloError as error:  # it stays on probation, and the next host tries again
            self._warn(
                plugin.plugin_id, f"{plugin.plugin_id} could not be taken off probation: {error.detail}"
            )
            return
        self._trials.pop(plugin.plugin_id, None)
        host.permissions.audit("update", plugin.plugin_id, outcome="kept", detail=plugin.generation.name)

    async def _take_back(self, trial: _Trial, reason: str) -> None:
        """Take an update back, and start what was before it."""
        host, plugin_id = self._host, trial.plugin.plugin_id
        async with self._standing_back(plugin_id):
            taken = await self._carry_out(trial, reason)
        if not taken:  # only now: a host that takes over what is on probation begins another
            if self._trials.get(plugin_id) is trial:
                del self._trials[plugin_id]
        elif host.worker(plugin_id) is not None:
            await host.refresh()
            await host.start_plugin(plugin_id)

    @contextlib.asynccontextmanager
    async def _standing_back(self, plugin_id: str) -> AsyncIterator[None]:
        """Keep a plugin from running, and from writing, where its data is about to be put aside."""
        from viloapp_core.operations.updating import moves_back  # few hosts ever need it

        host, moves = self._host, False
        with contextlib.suppress(ViloError):  # who carries it out says what is damaged
            moves = moves_back(host.store, plugin_id)
        if not moves:
            yield
            return
        await host.pause_plugin(plugin_id)
        try:
            if worker := host.worker(plugin_id):
                await worker.stop()  # in a host that is ending, which ends no process by a pause
            yield
        finally:
            await host.resume_plugin(plugin_id)

    async def _carry_out(self, trial: _Trial, reason: str) -> bool:
        """Carry a rollback out; where that cannot be done, the plugin is what it would be without.

        Returns:
            Whether it was done.
        """
        from viloapp_core.operations import take_back  # few hosts ever need it
        from viloapp_core.operations.updating import set_since_update

        host, plugin = self._host, trial.plugin
        plugin_id = plugin.plugin_id

        def carry_out() -> tuple[InstalledPlugin, list[str]]:
            since = set_since_update(host.store, plugin_id)
            return take_back(host.store, plugin_id, reason, SystemClock()), since

        try:
            former, since = await asyncio.to_thread(carry_out)
            host.settings.reload()
        except ViloError as error:
            self._warn(
                plugin_id, f"{plugin_id} {plugin.version} cannot be rolled back: {error.detail} ({reason})"
            )
            if trial.given_up:
                await host.disable_plugin(plugin, reason)
            return False
        message = f"update of {plugin_id} to {plugin.version} rolled back to {former.version}: {reason}"
        if since:
            message += f"; set since the update, and as before it again: {', '.join(since)}"
        told = {"plugin": plugin_id, "version": plugin.version, "back_to": former.version}
        host.publish(ROLLED_BACK, {**told, "reason": reason, "message": message})
        self._warn(plugin_id, message)
        return True

    def _warn(self, plugin_id: str, message: str) -> None:
        self._host.publish("notification", {"level": "error", "message": message, "plugin": plugin_id})

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
