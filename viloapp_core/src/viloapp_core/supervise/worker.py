"""The driver of one plugin's process."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from viloapp_core.foundation.files import FileLock
from viloapp_core.limits import (
    LIMIT_NAMES,
    Breach,
    Limits,
    Usage,
    effective,
    rlimits,
    thread_environment,
)
from viloapp_core.metrics import PluginMetrics
from viloapp_core.process import Child, ExitStatus, Spawner
from viloapp_core.process.cgroup import Group, Groups
from viloapp_core.process.tree import Look, Tree
from viloapp_core.rpc import Descriptors, Peer
from viloapp_core.sandbox import Launch, Level, Probe, Request, launch_plan, probe, program_plan
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.errors import PluginStartError
from viloapp_core.supervise.limit_policy import check_limits
from viloapp_core.supervise.log import RotatingLog
from viloapp_core.supervise.monitor import Watch, Watched
from viloapp_sdk.errors import (
    DeadlineExceededError,
    HandlerError,
    LimitExceededError,
    ViloError,
    WorkerLostError,
)

__all__ = ["Surroundings", "Worker"]

WINDOW_S = 60.0
"""Over which ``limits.cpu_percent`` is an average. Source: the specification."""

SHUTDOWN_TIME_S = 3.0
GRACE_S = 2.0
"""How long a handler whose call was given up may still run before its process is ended."""
EXIT_TIME_S = 0.5
"""How long a process may live on after it closed its channel."""
_READ_SIZE = 64 * 1024


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
    on_ready: Callable[[str, dict[str, Any]], Awaitable[None]]
    """``(plugin id, {"commands", "widgets"})``: what the plugin offers, before its first call."""
    settings: Callable[[str], dict[str, Any]]
    """The current settings of a plugin."""
    on_limit: Callable[[str, Breach], None]
    """``(plugin id, breach)`` for each limit that a plugin reaches."""
    limits: Callable[[str], dict[str, Any]]
    """The limits that the person set for a plugin, by name."""
    groups: Groups | None
    """Makes control groups for workers, where the host was handed a part of cgroup v2."""
    nice: Callable[[], int]
    """How far workers stand back for other processes; see `Request`."""
    admit: Callable[[InstalledPlugin], None]
    """Raise for a plugin that may not run; asked before every start."""
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
    learning: bool = False
    """Whether workers note what they reach for; see `viloapp permissions learn`."""


class Worker:
    """One plugin's process; there is none until the first call, and a new one after it was lost.

    Args:
        plugin: the installed plugin.
        surroundings: what the host lends.

    Attributes:
        state: ``stopped``, ``starting``, ``running``, ``stopping`` or ``crashed``.
        detail: why, for people.
        sandbox: how the running process is confined: ``bubblewrap``, ``none``, or empty.
        was_ready: whether the latest process had answered before it ended.
        status: how the latest process ended, None while it lives.
        python: the version of the interpreter that the latest process said it runs on.
        metrics: what is counted of this plugin.
    """

    def __init__(self, plugin: InstalledPlugin, surroundings: Surroundings) -> None:
        self.plugin = plugin
        self.state = "stopped"
        self.detail = ""
        self._ending = "it was stopped"
        self.sandbox = ""
        self.was_ready = False
        self.status: ExitStatus | None = None
        self.python = ""
        self.metrics = surroundings.metrics(plugin.plugin_id)
        self._around = surroundings
        self._peer: Peer | None = None
        self._child: Child | None = None
        self._held: FileLock | None = None
        self._descriptors: Descriptors | None = None
        self._log: RotatingLog | None = None
        self._starting: asyncio.Task[Peer] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._watch_over: Watch | None = None
        self._breach: Breach | None = None
        self._group: Group | None = None

    @property
    def usage(self) -> Usage | None:
        """What its processes use, None when none runs."""
        return self._watch_over.usage if self._watch_over is not None else None

    @property
    def looked(self) -> Look | None:
        """What the latest look at its processes saw."""
        return self._watch_over.looked if self._watch_over is not None else None

    @property
    def throttled(self) -> bool:
        """Whether it has used up its processor time and is held in turns."""
        return self._watch_over is not None and self._watch_over.throttled

    @property
    def pid(self) -> int | None:
        """Process id, None when no process runs."""
        return self._child.pid if self._child is not None else None

    @property
    def limits(self) -> Limits:
        """What the plugin may use, as its next process will be told."""
        return effective(self.plugin.limits, self._around.limits(self.plugin.plugin_id))

    async def start(self) -> None:
        """Start the process if none runs.

        Raises:
            PluginStartError: it ended, or was not ready in time.
            ViloError: there is no sandbox, or the plugin's own ``initialize`` failed.
        """
        await self._ready()

    async def call(self, method: str, params: Any, *, timeout_s: float | None) -> Any:
        """Ask the plugin, starting its process when none runs.

        Args:
            method: of the wire, such as ``command``.
            params: its parameters.
            timeout_s: seconds from the moment that the process is ready.

        Raises:
            ViloError: what the plugin answered, or that it could not.
        """
        peer = self._peer
        if peer is None or peer.closed or peer.given_up or self.state != "running":
            peer = await self._free()
        if self._watch_over is not None:
            self._watch_over.wake()
        began = self.metrics.begin(method, params)
        try:
            try:
                answer = await peer.call(method, params, timeout_s=timeout_s)
            except LimitExceededError as error:
                raise self._refused(error) from error
            except (DeadlineExceededError, asyncio.CancelledError):
                asyncio.get_running_loop().call_later(GRACE_S, self._end_if_stuck, peer)
                raise
            except WorkerLostError as error:
                if not peer.closed:
                    raise  # another plugin's process, which this one had called
                raise await self._loss() from error
        except BaseException as error:
            self.metrics.ended(began, error)
            raise
        self.metrics.ended(began)
        return answer

    def notify(self, type: str, body: dict[str, Any]) -> None:
        """Send an event to the process, if one runs."""
        if self._peer is not None and self.state == "running":
            self._peer.notify(type, body)

    def hand_over(self, fd: int) -> int:
        """Give the process a copy of a descriptor; return the ticket by which it is told which one it is.

        Raises:
            ViloError: there is no process, or it does not fetch what it got before.
        """
        if self._descriptors is None:
            raise WorkerLostError("the process is gone")
        return self._descriptors.send(fd)

    async def stop(self) -> None:
        """Ask the plugin to shut down, then end its process. Nothing of its tree is left afterwards."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._child is None:
            if self.state != "stopped":
                self._set("stopped")
            return
        self._set("stopping")
        if self._watch_over is not None:
            self._watch_over.release()
        peer, child, watching = self._peer, self._child, self._watching
        with contextlib.suppress(TimeoutError, ViloError):
            async with asyncio.timeout(SHUTDOWN_TIME_S):
                if peer is not None and not peer.closed:
                    await peer.call("shutdown", None, timeout_s=None)
                await child.wait()
        child.kill()
        await child.wait()
        if watching is not None:
            await watching

    # -- starting ------------------------------------------------------------------------------------

    async def _free(self) -> Peer:
        """Return the peer of a process that is not stuck in a call that was given up."""
        peer = await self._ready()
        while peer.given_up:
            await peer.settle()  # it answers within the grace period, or its process is ended
            peer = await self._ready()
        return peer

    async def _ready(self) -> Peer:
        """Return the peer of a process that answers; everybody who waits shares one start."""
        if self._peer is not None and not self._peer.closed and self.state == "running":
            return self._peer
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
            self._starting.add_done_callback(self._started)
        return await asyncio.shield(self._starting)

    def _started(self, task: "asyncio.Task[Peer]") -> None:
        self._starting = None
        if not task.cancelled() and task.exception() is not None and self.state == "starting":
            self._set("crashed", str(task.exception()))

    async def _start(self) -> Peer:
        if self._watching is not None:  # the process before this one has to be gone first
            await self._watching
        self._forget_last()
        self._set("starting")
        self._around.admit(self.plugin)
        peer, child = await self._launch()
        limit = self.limits.startup_time
        try:
            async with asyncio.timeout(limit):
                self.python = str((await peer.ready).get("python", ""))[:20]
                offers = await peer.call("initialize", self._start_params(), timeout_s=None)
            if not isinstance(offers, dict):
                raise PluginStartError(
                    self.plugin.plugin_id, "its answer to initialize is not of the protocol"
                )
            await self._around.on_ready(self.plugin.plugin_id, offers)
        except TimeoutError:
            await self._abandon(peer, child)
            raise PluginStartError(self.plugin.plugin_id, f"it was not ready within {limit:g} s") from None
        except WorkerLostError as error:
            await self._abandon(peer, child)
            raise self._limit_error() or PluginStartError(
                self.plugin.plugin_id, self._last_words(child)
            ) from error
        except HandlerError as error:
            await self._abandon(peer, child)
            raise PluginStartError(self.plugin.plugin_id, error.detail) from error
        except BaseException:
            await self._abandon(peer, child)
            raise
        self.was_ready = True
        if self._watch_over is not None:
            self._watch_over.ready()
        self._set("running")
        return peer

    def _forget_last(self) -> None:
        """Let nothing that was seen of the process before count for the next."""
        self.was_ready, self.status, self._watch_over = False, None, None

    def _start_params(self) -> dict[str, Any]:
        plugin = self.plugin
        return {
            "plugin_id": plugin.plugin_id,
            "version": plugin.version,
            "entry_point": plugin.entry_point,
            "data_dir": str(plugin.data_dir),
            "settings": self._around.settings(plugin.plugin_id),
            **({"learn": True} if self._around.learning else {}),
        }

    async def program_plan(self, script: Path, arguments: tuple[str, ...], fds: tuple[int, ...]) -> Launch:
        """Return how to start a script of the core's in this plugin's sandbox, with the system's programs.

        Raises:
            SandboxError: see `viloapp_core.sandbox.program_plan`.
        """
        around = self._around
        plan = program_plan(
            replace(self._request(), programs=True),
            script,
            arguments,
            await asyncio.to_thread(probe),
            allow_unsandboxed=around.allow_unsandboxed,
            fds=fds,
            minimum=around.minimum("permissions"),
        )
        # What it uses counts for the plugin: the same group of the kernel's, and a look soon.
        if self._watch_over is not None:
            self._watch_over.wake()
        return replace(plan, argv=self._group.enter(plan.argv)) if self._group is not None else plan

    def _request(self) -> Request:
        around, plugin, limits = self._around, self.plugin, self.limits
        return Request(
            plugin_id=plugin.plugin_id,
            python=plugin.python,
            generation=plugin.generation,
            base_prefix=plugin.base_prefix,
            base_executable=plugin.base_executable,
            data_dir=plugin.data_dir,
            dev_source=plugin.dev_source,
            workspace=around.workspace,
            permissions=around.permissions(plugin.plugin_id),
            rlimits=rlimits(limits),
            nice=around.nice(),
            variables=thread_environment(limits, os.cpu_count() or 1),
            uid=around.user_of(plugin.plugin_id),
            scratch_bytes=int(limits.memory_mb) * 1024 * 1024,
        )

    async def _launch(self) -> tuple[Peer, Child]:
        around, plugin, limits = self._around, self.plugin, self.limits
        request = self._request()
        confinement = await asyncio.to_thread(self._confinement)
        held = around.hold(plugin)
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        log_out, log_in = os.pipe()
        bulk, their_bulk = Descriptors.pair()
        inherited = (theirs_in, theirs_out, their_bulk.fileno())
        try:
            plan = launch_plan(
                request,
                confinement,
                allow_unsandboxed=around.allow_unsandboxed,
                fds=inherited,
                minimum=around.minimum("permissions"),
            )
            try:
                group = around.groups.make(plugin.plugin_id, limits) if around.groups is not None else None
                child = await around.spawner.spawn_async(
                    group.enter(plan.argv) if group is not None else plan.argv,
                    env=plan.env,
                    cwd=plan.cwd,
                    pass_fds=plan.pass_fds,
                    stdin=subprocess.DEVNULL,
                    stdout=log_in,
                    stderr=log_in,
                )
            finally:
                plan.close()
        except BaseException:
            for fd in (ours_in, ours_out, log_out):
                os.close(fd)
            bulk.close()
            held.release()
            raise
        finally:
            for fd in (theirs_in, theirs_out, log_in):
                os.close(fd)
            their_bulk.close()
        self._child, self._held, self.sandbox = child, held, plan.label
        self._descriptors = Descriptors(bulk)
        self._follow_log(log_out)
        self._watch_over = self._watch_of(child, limits, group, sandboxed=plan.label == "bubblewrap")
        self._watch_over.begin()
        self._peer = peer = Peer(
            ours_in,
            ours_out,
            on_request=lambda method, params: around.on_request(plugin.plugin_id, method, params),
            on_event=lambda name, data: None,
            on_close=lambda reason: self._disconnected(child, reason),
        )
        peer.start()
        self._watching = asyncio.get_running_loop().create_task(self._watch(child, peer, log_out))
        return peer, child

    def _watch_of(self, child: Child, limits: Limits, group: Group | None, *, sandboxed: bool) -> Watch:
        self._breach, self._group = None, group
        watched = Watched(
            # Bubblewrap is two processes: one that waits outside, and the first of the namespace inside.
            tree=Tree(
                child.pid,
                passed=2 if sandboxed else 0,
                beside=lambda: self._around.programs(self.plugin.plugin_id),
            ),
            limits=limits,
            data_dir=self.plugin.data_dir,
            sandboxed=sandboxed,
            on_breach=self._reached,
            end=child.kill,
            window_s=WINDOW_S,
            group=group,
        )
        return Watch(watched)

    def _reached(self, breach: Breach) -> None:
        """Keep why the process is about to end, and tell of every limit that is reached."""
        if breach.action == "ended":
            self._breach, self.detail = breach, breach.reason()
        self._around.on_limit(self.plugin.plugin_id, breach)

    def _refused(self, error: LimitExceededError) -> LimitExceededError:
        """Say which of its limits a plugin says it met; of another plugin's error everything is said."""
        if error.hint not in LIMIT_NAMES:
            return error
        allowed = getattr(self.limits, error.hint)
        breach = Breach(error.hint, "refused", allowed, allowed)
        self._reached(breach)
        plugin_id = self.plugin.plugin_id
        return LimitExceededError(f"{breach.message(plugin_id)} ({error.detail})", breach.hint(plugin_id))

    def _confinement(self) -> Probe:
        """Find out what confines plugins here, and whether that is enough; the first time takes a while."""
        found = probe()
        if not self._around.allow_unsandboxed:
            check_limits(self.plugin.plugin_id, self._around.minimum("limits"), found)
        return found

    async def _abandon(self, peer: Peer, child: Child) -> None:
        peer.close()
        child.kill()
        if self._watching is not None:
            await asyncio.shield(self._watching)

    def _last_words(self, child: Child) -> str:
        """Say how a process ended that never became ready, with the last line that it printed."""
        status = child.status
        ending = status.describe() if status is not None else "it closed its connection"
        lines = self._log.tail(1) if self._log is not None else []
        return f"{ending}: {lines[0][:300]}" if lines else ending

    # -- watching ------------------------------------------------------------------------------------

    async def _watch(self, child: Child, peer: Peer, log_out: int) -> None:
        """Wait for the end of a process and say what became of it."""
        status = self.status = await child.wait()
        if self._watch_over is not None:
            self._watch_over.close()
        if self._group is not None:
            if self._breach is None and self._group.out_of_memory():
                allowed = self._watch_over.limits.memory_mb if self._watch_over is not None else 0
                self._reached(Breach("memory_mb", "ended", allowed, allowed))
            self._group.remove()
            self._group = None
        was = self.state
        self._drain_log(log_out)
        asyncio.get_running_loop().remove_reader(log_out)
        os.close(log_out)
        if self._log is not None:
            self._log.close()
        ending = status.describe()
        # Kept apart from `detail`, which a restart clears before a lost call tells its caller.
        self._ending = "it was stopped" if was == "stopping" else self.detail or ending
        peer.close()
        if self._held is not None:
            self._held.release()
        if self._descriptors is not None:
            self._descriptors.close()
        self._peer = self._child = self._watching = self._held = self._descriptors = None
        self._around.on_end(self.plugin.plugin_id)
        self.sandbox = ""
        if was == "running":
            self._set("crashed", self.detail or ending)
        elif was == "stopping":
            self._set("stopped")

    def _disconnected(self, child: Child, reason: ViloError | None) -> None:
        """The channel broke, or its content broke the protocol: the process has no way back from that."""
        if reason is not None and self.state == "running" and not isinstance(reason, WorkerLostError):
            self.detail = reason.detail
        if self.state == "stopping":
            return  # it is on its way out, and may still have something to put away
        if reason is None:
            # It is about to end by itself, and how it does is worth knowing.
            asyncio.get_running_loop().call_later(EXIT_TIME_S, child.kill)
        else:
            child.kill()

    def _end_if_stuck(self, peer: Peer) -> None:
        if peer is self._peer and peer.given_up and self._child is not None:
            self.detail = "it did not stop working on a call that was given up"
            self._child.kill()

    def _limit_error(self) -> LimitExceededError | None:
        """Return why the process was ended, when that was for a limit."""
        if self._breach is None:
            return None
        plugin_id = self.plugin.plugin_id
        return LimitExceededError(self._breach.message(plugin_id), self._breach.hint(plugin_id))

    async def _loss(self) -> WorkerLostError | LimitExceededError:
        """Say how the process was lost; the end of its channel is seen a moment before its exit status."""
        if self._watching is not None:
            await asyncio.shield(self._watching)
        if error := self._limit_error():
            return error
        return WorkerLostError(
            f"{self.plugin.plugin_id}: its process was lost: {self._ending}",
            f"the next call starts it again; its log: viloapp logs {self.plugin.plugin_id}",
        )

    def _set(self, state: str, detail: str = "") -> None:
        self.state, self.detail = state, detail
        usage = self.usage
        self.metrics.moved(id(self), state, detail, usage.cpu_s if usage is not None else 0.0)
        self._around.on_state(self.plugin.plugin_id, state, detail)

    # -- its log -------------------------------------------------------------------------------------

    def _follow_log(self, fd: int) -> None:
        self._log = RotatingLog(self.plugin.log_dir)
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read_log, fd)

    def _read_log(self, fd: int) -> bool:
        """Move what the process printed to its log; False when there is no more."""
        try:
            data = os.read(fd, _READ_SIZE)
        except BlockingIOError:
            return False
        if data and self._log is not None:
            self._log.write(data)
        elif not data:
            asyncio.get_running_loop().remove_reader(fd)
        return bool(data)

    def _drain_log(self, fd: int) -> None:
        for _ in range(64):  # a grandchild may hold the pipe open and go on printing
            if not self._read_log(fd):
                return
