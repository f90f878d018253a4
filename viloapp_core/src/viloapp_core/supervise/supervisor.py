"""Drives one plugin's state machine: says what happened, and does what comes out."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from viloapp_core.limits import Breach, Limits, effective
from viloapp_core.process import ExitStatus
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise import machine
from viloapp_core.supervise.errors import PluginDisabledError, PluginRestartingError, PluginStartError
from viloapp_core.supervise.failures import Failure, Kind, failure_of
from viloapp_core.supervise.health import Health, Verdict
from viloapp_core.supervise.life import Life
from viloapp_core.supervise.policy import Policy, checks_of, policy_of
from viloapp_core.supervise.starting import StartFault, start
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_sdk.errors import ViloError, WorkerLostError

__all__ = ["Supervisor"]

_STOPPED = "it was stopped"


class Supervisor:
    """Keeps the process of one plugin: there is at most one, and none until it is needed.

    Args:
        plugin: the installed plugin.
        around: what the host lends.
        failures: when it failed before, of its predecessor.

    Attributes:
        plugin: see above.
        life: its process, None while there is none.
        running: the same while it is ready to be called.
        detail: why it stands as it does, for people.
        was_ready: whether the latest process had answered.
        status: how the latest process ended, None while it lives.
        python: the version of the interpreter that the latest process said it runs on.
        starts: how many processes there have been.
        health: ``healthy`` or ``unhealthy``; empty before the first process is ready, and after a stop.
        last_failure: the latest, None before the first.
    """

    def __init__(
        self,
        plugin: InstalledPlugin,
        around: Surroundings,
        failures: tuple[float, ...] = (),
    ) -> None:
        self.plugin = plugin
        self.life: Life | None = None
        self.running: Life | None = None
        self.detail = ""
        self.was_ready = False
        self.status: ExitStatus | None = None
        self.python = ""
        self.starts = 0
        self.health = ""
        self.last_failure: Failure | None = None
        self._around = around
        self._metrics = around.metrics(plugin.plugin_id)
        self._cpu_s = 0.0
        self._limits: tuple[Mapping[str, float], Limits] | None = None
        self._state = machine.State(failures=failures)
        self._starting: asyncio.Task[Life] | None = None
        self._coming: asyncio.Future[Life] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._health: Health | None = None
        self._cause: tuple[Kind, str] | None = None
        self._trace = ""
        self._tracing: asyncio.Task[None] | None = None
        self._stops = 0

    @property
    def phase(self) -> machine.Phase:
        """Where the plugin stands."""
        return self._state.phase

    @property
    def failures(self) -> tuple[float, ...]:
        """When it failed, in seconds of the loop's clock; what was forgiven or is too long ago is gone."""
        return self._state.failures

    @property
    def limits(self) -> Limits:
        """What the plugin may use, as its next process will be told."""
        of_person = self._around.limits(self.plugin.plugin_id)
        if self._limits is None or self._limits[0] is not of_person:  # the same object while nothing changed
            self._limits = (of_person, effective(self.plugin.limits, of_person))
        return self._limits[1]

    @property
    def policy(self) -> Policy:
        """What becomes of it when it fails."""
        return policy_of(self.plugin.restart, self._around.supervision)

    # -- what others want ----------------------------------------------------------------------------

    async def ready(self) -> Life:
        """Return a process that answers, once there is one; everybody who waits shares one start.

        Raises:
            PluginRestartingError: it failed, and its next start is too far away to wait for.
            PluginDisabledError: it failed too often.
            WorkerLostError: it was stopped meanwhile.
            ViloError: it did not start, or may not.
        """
        stops = self._stops
        while stops == self._stops:
            life = self.life
            if self.phase == "running" and life is not None and not life.peer.closed and not life.fault:
                return life
            if self.phase in ("running", "stopping") and life is not None:
                await asyncio.shield(life.told)  # it is on its way out
                continue
            self._feed(machine.Wanted())
            self._refuse_long_wait()
            return await self._arrival()
        raise WorkerLostError(f"{self.plugin.plugin_id}: {_STOPPED}")

    async def stop(self) -> None:
        """Ask the plugin to shut down, then end its process. Nothing of its tree is left afterwards."""
        self._stops += 1
        self._feed(machine.StopAsked())
        try:
            while self._starting is not None or self.life is not None:
                if self._starting is not None:
                    await asyncio.wait([self._starting])
                    await asyncio.sleep(0)  # `_started` comes first
                elif self.life is not None:
                    await asyncio.shield(self.life.told)
        finally:  # also when nobody waits for the end any more
            self._arrived(WorkerLostError(f"{self.plugin.plugin_id}: {_STOPPED}"))

    def hung(self, life: Life, why: str) -> None:
        """Say that a process does not answer any more: it has to go."""
        if life is self.life and self.phase == "running":
            self._cause, life.fault = ("hung", why), why
            self.health = "unhealthy"
            self._feed(machine.Hung(), why)

    def _refuse_long_wait(self) -> None:
        if self.phase == "disabled":
            raise PluginDisabledError(self.plugin.plugin_id, self.detail)
        wait_s = self._state.not_before - self._now()
        if self.phase == "restarting" and wait_s > self._around.supervision("call_wait_s"):
            raise PluginRestartingError(self.plugin.plugin_id, wait_s, self.detail)

    async def _arrival(self) -> Life:
        if self._coming is None:
            self._coming = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._coming)

    def _arrived(self, outcome: Life | ViloError) -> None:
        coming, self._coming = self._coming, None
        if coming is None:
            return
        if isinstance(outcome, Life):
            coming.set_result(outcome)
        else:
            coming.set_exception(outcome)
            coming.exception()  # whoever waited may have given up

    # -- what happens --------------------------------------------------------------------------------

    def _started(self, task: "asyncio.Task[Life]") -> None:
        """Say what became of a start."""
        self._starting = None
        if task.cancelled():
            self.life = None
            self._feed(machine.Gone())
            return
        error = task.exception()
        if error is None:
            self._is_ready(task.result())
        elif isinstance(error, StartFault):
            self.life = None
            failure = failure_of(self.plugin, error.kind, error.error.detail, error.life, error.trace)
            self.health = "unhealthy"
            self._feed(machine.Failed(self._wanted), error.error.detail, failure)
            self._arrived(error.error)
        else:
            self.life = None
            self._feed(machine.Refused(), str(error))
            if not isinstance(error, ViloError):  # too few descriptors, for example
                error = PluginStartError(self.plugin.plugin_id, str(error) or repr(error))
            self._arrived(error)

    def _is_ready(self, life: Life) -> None:
        self.was_ready, self.python = True, life.python
        self._feed(machine.Ready())
        if self.phase == "running":
            self.health = "healthy"
            self._tell("ready", pid=life.pid, took_s=round(time.time() - life.began, 3))
            self._health = Health(life, lambda: checks_of(self._around.supervision), self._verdict)
            self._arrived(life)
        if life.ended.done():
            self._over(life)
        elif self.phase == "running":
            life.catch_up()  # now: what changes from here on is told to what runs; who waits goes on after it

    def _launched(self, life: Life) -> None:
        self.life = life
        self.starts += 1
        self.status, self.python, self._cpu_s = None, "", 0.0
        life.ended.add_done_callback(lambda _: self._ended(life))
        self._tell("started", pid=life.pid, restart=self.starts > 1, start_method=life.start_method)

    def _ended(self, life: Life) -> None:
        self.status, self.python = life.ended.result().status, life.python
        self._cpu_s = life.watch.usage.cpu_s
        try:
            self._around.on_end(self.plugin.plugin_id)
            if self._starting is None:  # else the start itself finds that it has failed
                self._over(life)
        finally:
            life.told.set_result(None)

    def _over(self, life: Life) -> None:
        """Say what became of a process that had been ready."""
        if life is not self.life:
            return
        self.life = None
        self._close_health()
        ending = life.ended.result()
        cause, trace, self._cause, self._trace = self._cause, self._trace, None, ""
        if self.phase == "stopping" and not self._state.failing:
            self.health = ""
            self._feed(machine.Gone())
            return
        kind, why = cause or (None, ending.why)
        failure = failure_of(self.plugin, kind, why, life, trace)
        done = ending.status.ok and not life.running and not life.fault
        self.health = "" if done else "unhealthy"
        what = machine.Finished if done else machine.Failed
        self._feed(what(self._wanted), why, failure)

    def _verdict(self, verdict: Verdict) -> None:
        """Act on what a check of its health has found."""
        if self.life is None or self.phase != "running":
            return
        if verdict.found == "healthy":
            self.health = "healthy"
            self._tell("healthy")
        elif verdict.found == "unhealthy":
            self.health = "unhealthy"
            self.life.fault = f"it is not healthy: {verdict.why}"
            self._cause = ("unhealthy", self.life.fault)
            self._tell("unhealthy", error=verdict.why)
            self._feed(machine.Unhealthy(), verdict.why)
        elif verdict.found == "hung":
            self.hung(self.life, verdict.why)

    @property
    def _wanted(self) -> bool:
        return self._around.wanted(self.plugin.plugin_id)

    # -- what is done --------------------------------------------------------------------------------

    def _feed(self, event: machine.Event, detail: str = "", failure: Failure | None = None) -> None:
        before, now = self._state, self._now()
        self._state, actions = machine.step(before, event, now, self.policy)
        phase = self._state.phase
        self.running = self.life if phase == "running" else None
        if phase != "running":
            self._close_health()
        if failure is not None and self._state.failures != before.failures:
            self.last_failure = failure
            self._tell("failed", **failure.to_json(), failures=len(self._state.failures))
            if phase != "crashed":
                self._publish("crashed", detail)
        if phase != before.phase and phase != "disabled":
            self._publish(phase, detail or (self.detail if phase == "restarting" else ""))
            if phase == "stopped":
                self._tell("stopped")
        if phase in ("stopped", "crashed", "disabled") and self._alarm is not None:
            self._alarm.cancel()
        for action in actions:
            self._do(action)

    def _do(self, action: machine.Action) -> None:
        match action:
            case machine.Launch():
                self._launch()
            case machine.AlarmAt(at):
                self._set_alarm(at)
            case machine.Ask():
                self._with_life(Life.ask)
            case machine.Terminate():
                self._with_life(Life.terminate)
            case machine.Kill(trace):
                self._kill(trace=trace)
            case machine.Retry(delay_s):
                self._tell("restarting", delay_s=delay_s, failures=len(self._state.failures))
            case machine.Disable(failures):
                self._disable(failures)

    def _launch(self) -> None:
        self.was_ready = False
        work = start(self.plugin, self._around, self.limits, self._reached, self._launched)
        self._starting = asyncio.get_running_loop().create_task(work)
        self._starting.add_done_callback(self._started)

    def _kill(self, *, trace: bool) -> None:
        if self._starting is not None:
            self._starting.cancel()
        elif self.life is not None and trace:
            self._tracing = asyncio.get_running_loop().create_task(self._trace_and_kill(self.life))
        else:
            self._with_life(Life.kill)

    async def _trace_and_kill(self, life: Life) -> None:
        try:
            stack = await life.trace()
            if life is self.life:  # else it ended of the signal, and what comes next is another's
                self._trace = stack
            self._tell("hung", error=life.fault, stack=stack)
        finally:
            life.kill()

    def _disable(self, failures: int) -> None:
        times = "failure" if failures == 1 else "failures"
        reason = f"Plugin {self.plugin.plugin_id} disabled after {failures} {times}: {self.detail}"
        self._tell("disabled", failures=failures, error=self.detail, reason=reason)
        self._publish("disabled", reason)
        self._around.on_disable(self.plugin, reason)

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(at, self._feed, machine.Alarm())

    def _with_life(self, act: Callable[[Life], None]) -> None:
        if self.life is not None:
            act(self.life)

    def _close_health(self) -> None:
        if self._health is not None:
            self._health.close()
            self._health = None

    def _reached(self, breach: Breach) -> None:
        self._around.on_limit(self.plugin.plugin_id, breach)

    def _publish(self, phase: machine.Phase, detail: str) -> None:
        self.detail = detail
        cpu_s = self.life.watch.usage.cpu_s if self.life is not None else self._cpu_s
        self._metrics.moved(id(self), phase, detail, cpu_s)
        self._around.on_state(self.plugin.plugin_id, phase, detail)

    def _tell(self, what: str, **more: Any) -> None:
        self._around.on_life(self.plugin.plugin_id, what, {"version": self.plugin.version, **more})

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
