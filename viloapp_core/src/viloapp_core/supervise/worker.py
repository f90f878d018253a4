"""One plugin, as the host calls it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, overload

from viloapp_core.limits import LIMIT_NAMES, Breach, Limits, Usage
from viloapp_core.process import ExitStatus
from viloapp_core.process.tree import Look, Tree
from viloapp_core.rpc import Incoming, Peer, pair
from viloapp_core.sandbox import Launch, probe, program_plan
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.failures import Failure
from viloapp_core.supervise.health import expect_answers
from viloapp_core.supervise.launching import request_of
from viloapp_core.supervise.life import Life
from viloapp_core.supervise.machine import Phase
from viloapp_core.supervise.streaming import Streaming, no_streams
from viloapp_core.supervise.supervisor import Supervisor
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_sdk._wire import pack
from viloapp_sdk.errors import (
    CallCancelledError,
    DeadlineExceededError,
    FrameError,
    LimitExceededError,
    ViloError,
    WorkerLostError,
)

__all__ = ["Asked", "Worker"]

Asked = tuple[asyncio.Future[Any], int, Life, float]
"""A call: its answer to come, its number, the process that was asked, and when it was by `time.monotonic`."""


class Worker:
    """One plugin's process; there is none until the first call, and a new one after it was lost.

    Args:
        plugin: the installed plugin.
        surroundings: what the host lends.
        failures: when it failed before, of its predecessor.

    Attributes:
        plugin: the installed plugin.
        metrics: what is counted of it.
    """

    def __init__(
        self, plugin: InstalledPlugin, surroundings: Surroundings, failures: tuple[float, ...] = ()
    ) -> None:
        self.plugin = plugin
        self.metrics = surroundings.metrics(plugin.plugin_id)
        self._around = surroundings
        self._supervisor = Supervisor(plugin, surroundings, failures)
        self._allowed: tuple[object, float] = (None, 0.0)
        self._stopped = ("", "")

    def successor(self) -> "Worker":
        """Return another for the same plugin, to which the failures of this one count."""
        return Worker(self.plugin, self._around, self._supervisor.failures)

    # -- how it fares --------------------------------------------------------------------------------

    @property
    def state(self) -> Phase:
        """Where it stands; see `viloapp_core.supervise.machine.State`."""
        return self._supervisor.phase

    @property
    def detail(self) -> str:
        """Why, for people."""
        return self._supervisor.detail

    @property
    def health(self) -> str:
        """``healthy``, ``unhealthy``, or empty for a plugin that nobody has needed yet."""
        return self._supervisor.health

    @property
    def was_ready(self) -> bool:
        """Whether the latest process had answered before it ended."""
        return self._supervisor.was_ready

    @property
    def status(self) -> ExitStatus | None:
        """How the latest process ended, None while it lives."""
        return self._supervisor.status

    @property
    def python(self) -> str:
        """The version of the interpreter that the latest process said it runs on."""
        return self._supervisor.python

    @property
    def failures(self) -> int:
        """How many of its failures count at present."""
        return len(self._supervisor.failures)

    @property
    def last_failure(self) -> Failure | None:
        """The latest, None before the first."""
        return self._supervisor.last_failure

    @property
    def sandbox(self) -> str:
        """How the running process is confined: ``bubblewrap``, ``landlock``, ``none``, or empty."""
        return self._life.label if self._life is not None else ""

    @property
    def start_method(self) -> str:
        """How the running process began: ``spawn``, ``forkserver``, or empty."""
        return self._life.start_method if self._life is not None else ""

    @property
    def life(self) -> Life | None:
        """Its process, None when none is ready."""
        return self._life if self.state == "running" else None

    @property
    def peer(self) -> Peer | None:
        """The channel to its process, None when none is ready."""
        return life.peer if (life := self._supervisor.running) is not None else None

    @property
    def tree(self) -> Tree | None:
        """Its processes, None when none runs."""
        return self._life.tree if self._life is not None else None

    @property
    def looked(self) -> Look | None:
        """What the latest look at its processes saw."""
        return self._life.watch.looked if self._life is not None else None

    @property
    def usage(self) -> Usage | None:
        """What its processes use, None when none runs."""
        return self._life.watch.usage if self._life is not None else None

    @property
    def throttled(self) -> bool:
        """Whether it has used up its processor time and is held in turns."""
        return self._life is not None and self._life.watch.throttled

    @property
    def pid(self) -> int | None:
        """Process id, None when no process runs."""
        return self._life.pid if self._life is not None else None

    @property
    def limits(self) -> Limits:
        """What the plugin may use, as its next process will be told."""
        return self._supervisor.limits

    def execution_time(self, settings: object) -> float:
        """Return seconds that one command may take.

        Args:
            settings: another object than at the last time when the person may have changed the limit.
        """
        if self._allowed[0] is not settings:
            self._allowed = (settings, self.limits.execution_time)
        return self._allowed[1]

    def allow_more(self) -> str:
        """Say how a person gives a command of it more time, and why it may need it."""
        id = self.plugin.plugin_id
        said = f"--timeout, or viloapp config set {id}.limits.execution_time SECONDS"
        if self.throttled:
            said += f"; it is held to {self.limits.cpu_percent:g} % of a processor"
        return said

    @property
    def _life(self) -> Life | None:
        return self._supervisor.life

    # -- what is asked of it -------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the process if none runs.

        Raises:
            PluginStartError: it ended, or was not ready in time.
            ViloError: see `Supervisor.ready`.
        """
        await self._supervisor.ready()

    async def stop(self, why: str = "", hint: str = "") -> None:
        """Ask the plugin to shut down, then end its process. Nothing of its tree is left afterwards.

        Args:
            why: what those are told who wait for an answer of it.
            hint: what they should do next.
        """
        self._stopped = (why, hint)
        await self._supervisor.stop()

    async def call(self, method: str, params: Any, *, timeout_s: float | None, repeat: bool = False) -> Any:
        """Ask the plugin, starting its process when none runs.

        Args:
            method: of the wire, such as ``command``.
            params: its parameters.
            timeout_s: seconds from the moment that the process is ready.
            repeat: ask once more, within the same time, when the process is lost before it answers.

        Raises:
            ViloError: what the plugin answered, or that it could not.
        """
        asked = self.ask(method, params, timeout_s)
        if asked is None:
            asked = self.ask(method, params, timeout_s, await self._free())
        try:
            return await asked[0]
        except BaseException as error:
            return await self.failed(asked, method, params, error, timeout_s, repeat)

    @overload
    def ask(self, method: str, params: Any, timeout_s: float | None) -> Asked | None: ...

    @overload
    def ask(self, method: str, params: Any, timeout_s: float | None, life: Life) -> Asked: ...

    def ask(
        self, method: str, params: Any, timeout_s: float | None, life: Life | None = None
    ) -> Asked | None:
        """Begin what `call` does, where the process is there and free; None where that has to be waited for.

        Whoever awaits the answer tells `failed` of what that raises.

        Args:
            method: of the wire.
            params: its parameters.
            timeout_s: seconds until it is given up.
            life: the process to ask, by one who has waited for it.
        """
        if life is None:
            life = self._supervisor.running
            if life is None or life.fault or not life.peer.free:
                return None
        if life.watch.idle:
            life.watch.wake()
        try:
            id, answer, began = life.peer.ask(method, params, timeout_s)
        except ViloError as error:  # counted and told as if it were the plugin's answer
            id, answer, began = 0, asyncio.get_running_loop().create_future(), monotonic()
            answer.set_exception(error)
        return answer, id, life, began

    async def failed(
        self,
        asked: Asked,
        method: str,
        params: Any,
        error: BaseException,
        timeout_s: float | None,
        repeat: bool,
    ) -> Any:
        """Raise what the caller is told of the error that a call ended in; or ask once more, if that may be.

        Args:
            asked: the call.
            method: as it was for `ask`.
            params: as they were for `ask`.
            error: what it ended in.
            timeout_s: as it was for `ask`.
            repeat: see `call`.
        """
        answer, id, life, began = asked
        told: BaseException = error
        try:
            life.peer.leave(id)
            told = await self._told(error, life)
        finally:
            took = monotonic() - began
            # Who gives up in the turn in which the answer came: that one is counted.
            if not answer.done() or answer.cancelled() or answer.exception() is not None:
                self.metrics.unanswered(method, took, told)
        if told is error:
            raise error
        left = timeout_s - took if timeout_s is not None else None
        if repeat and isinstance(told, WorkerLostError) and (left is None or left > 0):
            return await self.call(method, params, timeout_s=left)
        raise told from error

    async def stream(self, command: str, arguments: dict[str, Any], timeout_s: float) -> Streaming:
        """Have a streaming command begin, starting the plugin's process when none runs.

        Args:
            command: its id.
            arguments: its arguments by name.
            timeout_s: seconds until it has begun, from the moment that the process is ready.

        Raises:
            IncompatibleVersionsError: the plugin's SDK is older than streams.
            FrameError: its arguments cannot be sent, or too much waits for the plugin already.
            NotStreamingError: the command is none that streams.
            ViloError: what the plugin answered, or that it could not.
        """
        life = await self._free()
        if life is not self._supervisor.running or not life.free:
            raise WorkerLostError(f"{self.plugin.plugin_id}: its process is about to end", "try again")
        if life.peer.hello.get("streams") is not True:
            raise no_streams(self.plugin.plugin_id, life.sdk)
        # What cannot be asked is refused now: a descriptor for it would stay open in the plugin.
        pack([command, arguments])
        if life.peer.behind:
            raise FrameError("much waits already for a process that is busy", "try again later")
        ours, theirs = pair()
        incoming = Incoming(ours)
        ticket = 0
        try:
            with theirs:
                ticket = life.hand_over(theirs.fileno())
            life.streams[ticket] = incoming
            # The process that is asked is the one that has the descriptor: nobody else runs in between.
            await self.call("stream", [command, arguments, ticket], timeout_s=timeout_s)
        except BaseException:
            incoming.close()
            life.streams.pop(ticket, None)
            raise

        async def told(error: Exception) -> BaseException:
            if isinstance(error, DeadlineExceededError):
                return error
            if isinstance(error, CallCancelledError) and life.asked:  # with all that ran as it shut down
                return await self._loss(life)
            return await self._told(error, life)

        return Streaming(incoming, self.metrics, told, lambda: life.streams.pop(ticket, None))

    def hand_over(self, fd: int) -> int:
        """Give the process a copy of a descriptor; return the ticket by which it is told which one it is.

        Raises:
            ViloError: there is no process, or it does not fetch what it got before.
        """
        if self._life is None:
            raise WorkerLostError("the process is gone")
        return self._life.hand_over(fd)

    async def program_plan(self, script: Path, arguments: tuple[str, ...], fds: tuple[int, ...]) -> Launch:
        """Return how to start a script of the core's in this plugin's sandbox, with the system's programs.

        Raises:
            SandboxError: see `viloapp_core.sandbox.program_plan`.
        """
        around = self._around
        plan = program_plan(
            replace(request_of(self.plugin, around, self.limits), programs=True),
            script,
            arguments,
            await asyncio.to_thread(probe),
            allow_unsandboxed=around.allow_unsandboxed,
            fds=fds,
            minimum=around.minimum("permissions"),
        )
        if self._life is None:
            return plan
        # What it uses counts for the plugin: the same group of the kernel's, and a look soon.
        self._life.watch.wake()
        group = self._life.group
        return replace(plan, argv=group.enter(plan.argv)) if group is not None else plan

    # -- what can go wrong ---------------------------------------------------------------------------

    async def _free(self) -> Life:
        """Return a process that is not stuck in a call that was given up."""
        life = await self._supervisor.ready()
        while life.peer.given_up:
            await life.peer.settle()  # it answers within the grace period, or its process is ended
            life = await self._supervisor.ready()
        return life

    async def _told(self, error: BaseException, life: Life) -> BaseException:
        """Return what the caller is told of the error that a call ended in."""
        if isinstance(error, LimitExceededError):
            return self._refused(error)
        if isinstance(error, (DeadlineExceededError, asyncio.CancelledError)):
            why = "it did not stop working on a call that was given up"
            expect_answers(life.peer, lambda: self._supervisor.hung(life, why))
        elif isinstance(error, WorkerLostError) and life.peer.closed:  # else one that this one had called
            return await self._loss(life)
        return error

    def _refused(self, error: LimitExceededError) -> LimitExceededError:
        """Say which of its limits a plugin says it met; of another plugin's error everything is said."""
        if error.hint not in LIMIT_NAMES:
            return error
        allowed = getattr(self.limits, error.hint)
        breach = Breach(error.hint, "refused", allowed, allowed)
        plugin_id = self.plugin.plugin_id
        self._around.on_limit(plugin_id, breach)
        return LimitExceededError(f"{breach.message(plugin_id)} ({error.detail})", breach.hint(plugin_id))

    async def _loss(self, life: Life) -> WorkerLostError | LimitExceededError:
        """Say how a process was lost; the end of its channel is seen a moment before its exit status."""
        await asyncio.shield(life.told)
        ending = life.ended.result()
        if error := life.limit_error():
            return error
        plugin_id = self.plugin.plugin_id
        crashed = life.fault or not life.asked
        if not crashed and self._stopped[0]:
            return WorkerLostError(f"{plugin_id}: {self._stopped[0]}", self._stopped[1])
        why = ending.why if crashed else "it was stopped"
        known = " --crash latest" if crashed else ""  # its log alone is often empty then
        return WorkerLostError(
            f"{plugin_id}: its process was lost: {why}",
            f"to try again: viloapp enable {plugin_id}"
            if self.state == "disabled"
            else f"the next call starts it again; what is known: viloapp logs {plugin_id}{known}",
        )
