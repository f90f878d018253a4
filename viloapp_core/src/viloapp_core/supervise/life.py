"""One process of a plugin, from its launch to its end."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from viloapp_core.foundation.processors import processors
from viloapp_core.limits import Breach, Limits
from viloapp_core.metrics import COUNTED, running
from viloapp_core.process import ExitStatus, Forked
from viloapp_core.process.tree import Tree
from viloapp_core.rpc import Descriptors, Incoming, Peer
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.launching import Launched
from viloapp_core.supervise.log import RotatingLog
from viloapp_core.supervise.monitor import Watch, Watched
from viloapp_core.supervise.policy import awake_of
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_sdk._wire import PROFILE, STREAM, TRACE_SIGNAL
from viloapp_sdk.errors import LimitExceededError, ViloError, WorkerLostError, from_wire

__all__ = ["EXIT_TIME_S", "Ending", "Life"]

WINDOW_S = 60.0
"""Over which ``limits.cpu_percent`` is an average. Source: the specification."""
EXIT_TIME_S = 0.5
"""How long a process may live on after it closed its channel."""
TRACE_S = 0.5
"""How long a process that hangs has to say where."""
_QUIET_S = 0.05
_READ_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended.

    Args:
        status: its exit status.
        why: the reason, for people: what the host knows, else the status.
        breach: the limit for which it was ended.
    """

    status: ExitStatus
    why: str
    breach: Breach | None


class Life:
    """A process that was just started: its channel, its log, the watch over its limits.

    Args:
        plugin: whose process it is.
        around: what the host lends.
        limits: what it may use.
        launched: the process and its pipes; owned from now on.
        on_breach: told of each limit that it reaches.

    Attributes:
        peer: the channel to it.
        tree: its processes.
        watch: what keeps them to their limits.
        log: what it prints.
        label: what confines it.
        start_method: ``spawn`` or ``forkserver``, see ``core.supervise.start_method``.
        began: when it was started, in seconds since the epoch.
        fault: why the host ends it; empty while it does not.
        was_ready: whether it has answered.
        asked: whether it was asked to shut down.
        python: the version of the interpreter that it says it runs on.
        sdk: the version of viloapp-sdk that it says it has.
        running: what it had not answered when its channel ended, and for how many seconds.
        on_profile: called with what it sends when it was asked for a profile.
        streams: what is read of it, by the ticket of the other end.
        catch_up: tells it what has changed while it initialized; called once it hears what changes.
        ended: resolves with how it ended, once nothing of it is left.
        told: resolves after that, once the plugin's state says so; resolved by its supervisor.
    """

    def __init__(
        self,
        plugin: InstalledPlugin,
        around: Surroundings,
        limits: Limits,
        launched: Launched,
        on_breach: Callable[[Breach], None],
    ) -> None:
        self.label = launched.label
        forked = launched.child if isinstance(launched.child, Forked) else None
        self.start_method = "spawn" if forked is None else "forkserver"
        self.began = time.time()
        self.fault = ""
        self.was_ready = False
        self.asked = False
        self.python = self.sdk = ""
        self.running: list[tuple[str, float]] = []
        self.on_profile: set[Callable[[Any], None]] = set()
        self.streams: dict[int, Incoming] = {}
        self.catch_up: Callable[[], None] = lambda: None
        self._metrics = around.metrics(plugin.plugin_id)
        self._id = plugin.plugin_id
        self._on_breach = on_breach
        self._child, self._held, self.group = launched.child, launched.held, launched.group
        self._breach: Breach | None = None
        self._loop = asyncio.get_running_loop()
        self._descriptors = Descriptors(launched.bulk)
        self._observer = launched.observer
        if self._observer is not None:
            self._observer.begin(launched.observed, self._unobserved)
        self.log = RotatingLog(plugin.log_dir)
        os.set_blocking(launched.log, False)
        self._loop.add_reader(launched.log, self._read_log, launched.log)
        # Bubblewrap is two processes: one that waits outside, and the first of the namespace inside.
        self._contained = launched.label == "bubblewrap"
        self.tree = Tree(
            launched.child.pid,
            passed=2 if self._contained else 0,
            beside=lambda: around.programs(self._id),
            forked=forked.worker if forked is not None else None,
        )
        watched = Watched(
            tree=self.tree,
            limits=limits,
            data_dir=plugin.data_dir,
            sandboxed=self._contained,
            on_breach=self._reached,
            end=self.kill,
            window_s=WINDOW_S,
            group=launched.group,
        )
        self.watch = Watch(watched)
        self.watch.begin()
        awake = awake_of(around.supervision, limits, processors())
        self.peer = Peer(
            launched.fd_in,
            launched.fd_out,
            on_request=lambda method, params: around.on_request(self._id, method, params),
            on_event=self._heard,
            on_close=self._disconnected,
            awake_s=awake.host,
            peer_awake_s=awake.worker,
            waits=around.waits,
            timed=COUNTED,
            on_times=self._metrics.latencies.record_all,
        )
        self.peer.start()
        self._metrics.under_way.add(self.peer.under_way)
        self.told: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Task[Ending] = self._loop.create_task(self._end(launched.log))

    @property
    def pid(self) -> int:
        """Process id of the first of its processes."""
        return self._child.pid

    @property
    def free(self) -> bool:
        """Whether it can be called: it is connected, not about to be ended, and not stuck in a call."""
        return self.peer.free and not self.fault

    def hand_over(self, fd: int) -> int:
        """Give it a copy of a descriptor; see `Descriptors.send`."""
        return self._descriptors.send(fd)

    def limit_error(self) -> LimitExceededError | None:
        """Return why it was ended, when that was for a limit."""
        if self._breach is None:
            return None
        return LimitExceededError(self._breach.message(self._id), self._breach.hint(self._id))

    def _heard(self, name: str, data: Any) -> None:
        if name == PROFILE:
            for hear in tuple(self.on_profile):
                hear(data)
        elif name == STREAM and isinstance(data, list) and len(data) == 2 and type(data[0]) is int:
            self._stream_ended(*data)

    def _stream_ended(self, ticket: int, error: Any) -> None:
        if (incoming := self.streams.get(ticket)) is not None:  # else one that was given up
            incoming.say(from_wire(error) if error is not None else None)

    # -- its end -------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask the plugin to shut down; how long it takes is not waited for here."""
        self.asked = True
        self.watch.release()
        if not self.peer.closed:
            asking = self._loop.create_task(self.peer.call("shutdown", None, timeout_s=None))
            asking.add_done_callback(_ignore)

    def terminate(self) -> None:
        """Send SIGTERM to every process of the plugin."""
        self.watch.release()
        self.tree.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the plugin at once; nothing happens when it has ended."""
        if self.ended.done():
            return
        if not self._contained:  # no namespace ends with its first process: what left the group is looked for
            self.tree.stop()
            self.tree.signal(signal.SIGKILL)
        self._child.kill()

    async def abandon(self) -> Ending:
        """End it at once, and wait until it is gone."""
        self.peer.close()
        self.kill()
        return await asyncio.shield(self.ended)

    async def trace(self) -> str:
        """Have it write where each of its threads is to its log; return that, empty when it does not come.

        Python's own handler of the signal does it, whatever the threads are busy with (`faulthandler`); a
        process that is stopped, or of a plugin that took the signal for itself, says nothing.
        """
        self.watch.release()
        mark = self.log.written
        self.tree.signal_first(TRACE_SIGNAL)
        deadline = self._loop.time() + TRACE_S
        before = mark
        while self._loop.time() < deadline:
            await asyncio.sleep(_QUIET_S)
            if self.log.written == before > mark:
                break
            before = self.log.written
        return self.log.since(mark)

    async def _end(self, log: int) -> Ending:
        """Wait for the end, clear up, and say how it came."""
        try:
            status = await self._child.wait()
        except asyncio.CancelledError:  # the loop ends with all its tasks, and nobody else will end it
            self.kill()
            status = await self._child.wait()
        clearing: tuple[Callable[[], object], ...] = (
            self.watch.close,
            self._leave_group,
            lambda: self._drain_log(log),
            lambda: self._loop.remove_reader(log),
            lambda: os.close(log),
            self.log.close,
            self.peer.close,
            self._held.release,
            self._descriptors.close,
            self._observer.close if self._observer is not None else int,
        )
        for clear in clearing:
            try:
                clear()
            except Exception as error:  # whoever waits for the end hears of it whatever else fails
                what = {"message": f"clearing up after {self._id} failed", "exception": error}
                self._loop.call_exception_handler(what)
        return Ending(status, self.fault or status.describe(), self._breach)

    def _leave_group(self) -> None:
        if self.group is None:
            return
        if self._breach is None and self.group.out_of_memory():
            allowed = self.watch.limits.memory_mb
            self._reached(Breach("memory_mb", "ended", allowed, allowed))
        self.group.remove()

    def _reached(self, breach: Breach) -> None:
        """Keep why the process is about to end, and tell of every limit that is reached."""
        if breach.action == "ended":
            self._breach, self.fault = breach, breach.reason()
        self._on_breach(breach)

    def _unobserved(self, reason: str) -> None:
        """From the observer's thread: calls of the process would wait for an answer, and then fail."""
        self.fault = reason
        self._child.kill()

    def _disconnected(self, reason: ViloError | None) -> None:
        """The channel broke, or its content broke the protocol: the process has no way back from that."""
        self.running = running(self.peer.under_way())
        self._metrics.under_way.discard(self.peer.under_way)
        for incoming in tuple(self.streams.values()):
            incoming.lose()
        if self.asked:
            return  # it is on its way out, and may still have something to put away
        if reason is None:
            # It is about to end by itself, and how it does is worth knowing.
            self._loop.call_later(EXIT_TIME_S, self.kill)
            return
        if not self.fault and not isinstance(reason, WorkerLostError):
            self.fault = reason.detail
        self.kill()

    # -- its log -------------------------------------------------------------------------------------

    def _read_log(self, fd: int) -> bool:
        """Move what the process printed to its log; False when there is no more."""
        try:
            data = os.read(fd, _READ_SIZE)
        except BlockingIOError:
            return False
        if data:
            self.log.write(data)
        else:
            self._loop.remove_reader(fd)
        return bool(data)

    def _drain_log(self, fd: int) -> None:
        for _ in range(64):  # a grandchild may hold the pipe open and go on printing
            if not self._read_log(fd):
                return


def _ignore(task: "asyncio.Task[Any]") -> None:
    with contextlib.suppress(ViloError, asyncio.CancelledError):
        task.result()
