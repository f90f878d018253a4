"""One end of a pair of descriptors that carry frames, on the running event loop.

No task, stream or executor stands between a frame and who waits for it: the loop says that bytes are
there, they are read into one reused buffer, and the future of the call is resolved. That is what keeps a
call close to the time of a bare ping-pong (see the performance notes in the documentation).
"""

import asyncio
import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from viloapp_core.foundation.version import __version__
from viloapp_core.rpc.versions import refusal
from viloapp_core.rpc.waits import Waits
from viloapp_sdk._wire import (
    AWAKE,
    BEGINNING,
    CANCEL,
    ERROR,
    EVENT,
    HELLO,
    MAX_FRAME,
    READ_MORE,
    REQUEST,
    RESPONSE,
    FrameBuffer,
    Large,
    agreed,
    encode,
    greeting,
    pack,
)
from viloapp_sdk.errors import (
    CallCancelledError,
    DeadlineExceededError,
    FrameError,
    HandlerError,
    IncompatibleVersionsError,
    ViloError,
    WorkerLostError,
    from_wire,
)

__all__ = ["Limits", "Peer", "event"]

# What a queued frame takes beside its bytes: many tiny answers must not slip through the bound.
_FRAME_OVERHEAD = 256
# What may be handled in one turn of the loop; then everybody else has theirs. Who sends nothing but tiny
# frames would else have the loop for itself for as long as it takes to handle all that fits in the buffer.
# An answer wakes whoever waits for it, and there are no more of those than calls of ours; to be asked for
# something costs more.
_COST_A_TURN = 64
_COST_OF_ASKING = 8
# What a pipe holds, and what one holds in which that much was sent at once. Source: pipe(7); all pipes of a
# user together have a bound, so that none is made larger before it is needed.
_PIPE = 64 * 1024
_WIDE_PIPE = 4 * _PIPE
_NEVER = float("inf")
# So many frames at most wait for the end of a turn, each below so many bytes: no bound counts them.
_GATHERED = 64
_GATHERED_BYTES = 16 * 1024
# So many calls under way are waited for awake. With more of them one covers for the other, and answers that
# are looked for less often come together, which takes less for each.
_FEW = 16
# After a peer was waited for awake in vain, it is slept for so many times; twice as many each time after
# that, until it was not in vain: on one processor, who stays awake keeps the other from answering.
_NAPS, _MOST_NAPS = 2, 64
# Of results that need not be awaited; to ask an abstract class about each would cost more.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, dict})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may make this process hold."""

    frame_bytes: int = MAX_FRAME
    """Largest frame it may send."""
    outstanding: int = 256
    """Requests of its that may be under way at once."""
    unsent_bytes: int = 4 * MAX_FRAME
    """What may wait for it to read, in bytes of frames; what encoded one large frame may take 5 MiB more. Of
    what others send to it half as much: calls are refused and events dropped beyond, so that nobody can end
    a peer that is merely busy by sending much to it."""


class Peer:
    """Calls in both directions over two descriptors, which it owns from now on.

    Args:
        fd_in: where frames come from.
        fd_out: where frames go; may be the same descriptor (a socket).
        on_request: ``(method, params) → result``, or an awaitable of it; what it raises is answered.
        on_event: ``(name, data)``; what it raises ends the peer.
        on_close: called once with the reason, None for a plain end of file.
        limits: bounds for what the peer may make us hold.
        awake_s: seconds that the loop goes on turning, rather than to sleep, for a peer that has lately said
            what was waited for within that time; 0 for never.
        peer_awake_s: the same for the peer, which is told in our first frame.
        waits: where it is noted while it is waited for.
        timed: methods of ours of which it is of interest how long the peer takes for a result.
        on_times: told the seconds that it took for each of some results of those.

    Attributes:
        closed: whether the connection has ended.
        free: whether it has not, and the peer has answered all that was given up.
    """

    # Every call looks at a dozen of these; of so many, attributes without slots cost 0.3 us a call.
    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_asleep",
        "_awake",
        "_awake_s",
        "_brisk",
        "_buffer",
        "_calls",
        "_expecting",
        "_fd_in",
        "_fd_out",
        "_gathered",
        "_gathering",
        "_given_up",
        "_greeted",
        "_limits",
        "_loop",
        "_naps",
        "_next_id",
        "_on_close",
        "_on_event",
        "_on_request",
        "_on_times",
        "_peer_awake_s",
        "_said_at",
        "_settled",
        "_tasks",
        "_timed",
        "_unsent",
        "_unsent_bytes",
        "_waiting",
        "_waits",
        "_wide",
        "closed",
        "free",
        "hello",
        "ready",
    )

    def __init__(
        self,
        fd_in: int,
        fd_out: int,
        *,
        on_request: Callable[[str, Any], Any],
        on_event: Callable[[str, Any], None],
        on_close: Callable[[ViloError | None], None],
        limits: Limits | None = None,
        awake_s: float = 0.0,
        peer_awake_s: float = 0.0,
        waits: Waits | None = None,
        timed: Collection[str] = (),
        on_times: Callable[[Sequence[float]], None] = lambda seconds: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timed, self._on_times = timed, on_times
        self._waits = (waits or Waits()).since
        self._limits = limits or Limits()
        self._fd_in = fd_in
        self._fd_out = fd_out
        self._on_request = on_request
        self._on_event = on_event
        self._on_close = on_close
        self._buffer = FrameBuffer(self._limits.frame_bytes, READ_MORE)
        # Of each call that somebody waits for: its answer, when it is given up, when it began, what it is.
        self._calls: dict[int, tuple[asyncio.Future[Any], float, float, str, Any]] = {}
        self._alarm: asyncio.TimerHandle | None = None  # one for all: most calls end long before theirs
        self._alarm_at = _NEVER
        self._given_up: set[int] = set()  # nobody waits for their answers, which may still come
        self._settled: asyncio.Future[None] | None = None
        self._tasks: dict[int, asyncio.Future[Any]] = {}
        self._next_id = 0
        self._unsent: deque[tuple[memoryview, Large | None]] = deque()
        self._unsent_bytes = 0
        self._gathered: list[bytes] = []
        self._gathering = False
        self.closed = False
        self.free = True
        self._awake_s, self._peer_awake_s = awake_s, peer_awake_s
        self._said_at = 0.0  # when the peer was last told something to which it has something to say
        self._expecting = False  # it has not said anything since
        self._brisk = False  # what it said last came within the time for which to stay awake
        self._awake = False
        self._asleep, self._naps = 0, _NAPS  # answers that are slept for; how many it will be after the next
        self._greeted = False
        self._waiting = False  # frames that were read wait for the next turn of the loop
        self._wide: set[int] = set()
        self.hello: dict[str, Any] = {}
        """What the peer said of itself, also where that is why it was refused."""
        self.ready: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        """Resolved with the peer's first frame, in which it says which protocol it speaks."""

    @property
    def given_up(self) -> int:
        """Calls of ours that nobody waits for any more, and that the peer has not answered yet."""
        return len(self._given_up)

    def which_given_up(self) -> frozenset[int]:
        """Return the numbers of those calls: never used again, so that they tell old ones from new ones."""
        return frozenset(self._given_up)

    @property
    def outstanding(self) -> int:
        """Calls of ours that somebody waits for."""
        return len(self._calls)

    def under_way(self) -> Iterator[tuple[str, Any, float]]:
        """Return the calls that somebody waits for: method, parameters, and when it began (`monotonic`).

        While ``on_close`` runs, those that the end of the connection has ended.
        """
        return ((method, params, began) for _, _, began, method, params in self._calls.values())

    @property
    def behind(self) -> bool:
        """Whether so much waits for the peer to read that it is sent no more."""
        return self._unsent_bytes > self._limits.unsent_bytes // 2

    def start(self) -> None:
        """Begin to read, and say which protocol we speak."""
        for fd in {self._fd_in, self._fd_out}:
            os.set_blocking(fd, False)
        self._loop.add_reader(self._fd_in, self._readable)
        more = {AWAKE: self._peer_awake_s} if self._peer_awake_s else {}
        self._send(pack(greeting(core=__version__, **more)))

    # -- our calls ---------------------------------------------------------------------------------

    async def call(self, method: str, params: Any, *, timeout_s: float | None) -> Any:
        """Ask the peer and wait for its answer.

        Args:
            method: what is asked for.
            params: its JSON-like parameters.
            timeout_s: seconds until the call is given up; None waits for as long as the peer lives.

        Raises:
            DeadlineExceededError: no answer in time; the peer is told that nobody waits any more.
            FrameError: the parameters cannot be sent, or too much waits for the peer already.
            WorkerLostError: the peer went away first.
            ViloError: the peer's answer was an error.
        """
        id, future, _ = self.ask(method, params, timeout_s)
        try:
            return await future
        except BaseException:
            self.leave(id)
            raise

    def ask(
        self, method: str, params: Any, timeout_s: float | None
    ) -> tuple[int, "asyncio.Future[Any]", float]:
        """Ask the peer, as `call` does; return the call's number, its answer to come, and when it began.

        Whoever stops waiting before the answer is there has to `leave`.

        Raises:
            FrameError: the parameters cannot be sent, or too much waits for the peer already.
            WorkerLostError: the peer is gone.
        """
        if self.closed:
            raise WorkerLostError("the process is gone")
        if self._unsent and self.behind:
            raise FrameError(
                f"{self._unsent_bytes} bytes wait already for a process that is busy", "try again later"
            )
        self._next_id = id = self._next_id + 1
        data = encode((REQUEST, id, method, params))
        future = self._loop.create_future()
        now = monotonic()
        when = _NEVER if timeout_s is None else now + timeout_s
        self._calls[id] = (future, when, now, method, params)
        if when < self._alarm_at:
            self._set_alarm(when)
        if self._gathering and len(data) < _GATHERED_BYTES and len(self._gathered) < _GATHERED:
            self._gathered.append(data)  # type: ignore[arg-type]  # `_send`, in fewer steps
        else:
            self._send(data)
        if self._awake_s and 0 < len(self._calls) <= _FEW:
            self._expect(now if type(data) is bytes else monotonic())  # to write what is large takes its time
            self._waits[self] = now  # not where it is answered: it could ask without end
        return id, future, now

    def leave(self, id: int) -> None:
        """Wait no more for a call: the peer is told, if it has not answered."""
        if self._calls.pop(id, None) is not None and not self.closed:
            self._given_up.add(id)
            self.free = False
            self._send(pack([CANCEL, id]))

    def _set_alarm(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = when
        # A loop's clock may be coarser than ours; never so early that it would ring again and again.
        self._alarm = self._loop.call_later(max(when - monotonic(), 0.001), self._ring)

    def _ring(self) -> None:
        """Fail the calls whose time is over; the alarm is then for the next that is still under way."""
        self._alarm, self._alarm_at = None, _NEVER
        now, next_at = monotonic(), _NEVER
        for future, when, began, method, _ in self._calls.values():
            if when > now:
                next_at = min(next_at, when)
            elif not future.done():
                what = f"{method} did not answer within {when - began:g} s"
                future.set_exception(DeadlineExceededError(what))
        if next_at < _NEVER:
            self._set_alarm(next_at)

    async def settle(self) -> None:
        """Wait until the peer has answered every call that was given up, or is gone."""
        while self._given_up and not self.closed:
            if self._settled is None:
                self._settled = self._loop.create_future()
            await asyncio.shield(self._settled)

    def notify(self, name: str, data: Any) -> None:
        """Send an event; nobody answers it. A peer that is far behind does not get it."""
        if not self.closed and not self.behind:
            self._send(encode((EVENT, name, data)))

    def tell(self, event: bytes) -> None:
        """Send what `event` returned, as `notify` does."""
        if not self.closed and not (self._unsent and self.behind):
            self._send(event)

    # -- staying awake -----------------------------------------------------------------------------
    #
    # To sleep until the peer answers, and to be woken, takes longer than a plain call itself. So who calls a
    # brisk peer goes on for a moment: the loop turns, serves whatever else there is, and looks each time.

    def _expect(self, now: float) -> None:
        self._said_at, self._expecting = now, True
        if self._brisk and not self._awake:
            self._awake = True
            self._loop.call_soon(self._stay_awake)

    def _stay_awake(self) -> None:
        if self._expecting and 0 < len(self._calls) <= _FEW:
            if monotonic() - self._said_at < self._awake_s:
                self._loop.call_soon(self._stay_awake)
                return
            self._brisk, self._asleep = False, self._naps
            self._naps = min(2 * self._naps, _MOST_NAPS)
        self._awake = False

    def _heard(self, now: float) -> None:
        self._expecting = False
        self._waits.pop(self, None)
        if self._asleep:
            self._asleep -= 1
        elif self._awake:
            self._naps = _NAPS
        else:
            # Who slept was woken late, too, and has twice the time: or, once one answer came late, all that
            # follow would, since each is slept for.
            self._brisk = now - self._said_at < 2 * self._awake_s

    # -- reading -----------------------------------------------------------------------------------

    def _readable(self) -> None:
        if self._waiting:
            return  # nothing more is read before what was read is handled
        now = monotonic()
        if self._expecting:
            self._heard(now)
        buffer = self._buffer
        before = buffer.end
        try:
            if before:
                if not buffer.read_from(self._fd_in):
                    raise EOFError
                frame = None
            else:
                frame = buffer.receive(self._fd_in)
            if frame is not None and frame[0] == RESPONSE and self._greeted:
                self._answered(frame, now)  # one answer and nothing else, as of a call that is alone
                if not buffer.end:
                    return
                frame = None
        except BlockingIOError:
            return
        except EOFError:
            self.close(None)
            return
        except FrameError as error:
            self.close(error)
            return
        except OSError as error:
            self.close(WorkerLostError(f"the connection broke: {error.strerror}"))
            return
        if frame is not None and frame[0] == REQUEST and not buffer.end and self._greeted:
            try:  # a request that is alone, as of a plugin that waits for its answer
                self._serve(frame)
            except Exception as error:
                self._faulty(error)
            return
        if buffer.end >= _PIPE:
            self._widen(self._fd_in)
        self._handle(frame)
        # The rest of a large frame is on its way; not of one that comes byte by byte, without an end.
        more = buffer.end - before >= BEGINNING and not self._waiting
        if more and self._awake_s and 0 < len(self._calls) <= _FEW:
            self._expect(now)

    def _answered(self, frame: list[Any], now: float) -> None:
        call = self._calls.pop(frame[1], None)
        if call is None:
            self._late(frame[1])
            return
        try:
            call[0].set_result(frame[2])
        except asyncio.InvalidStateError:
            return  # it was given up in this turn of the loop
        if call[3] in self._timed:
            self._on_times((now - call[2],))

    def _handle(self, frame: list[Any] | None = None) -> None:
        """Handle a frame and those that are here, as many as one turn of the loop has time for."""
        answers, asking, buffer, now = 0, 0, self._buffer, monotonic()
        calls, timed = self._calls, self._timed
        took: list[float] = []
        frames = [frame] if frame is not None else None
        self._waiting = False
        try:
            while not self.closed:
                if frames is None:
                    # Of requests as many as one turn has time for, however many answers it has seen.
                    most = (_COST_A_TURN - asking) // _COST_OF_ASKING
                    frames = buffer.take_some(most) if buffer.end else None
                    if not frames:
                        break
                for each in frames:
                    if each[0] == RESPONSE and self._greeted:
                        _, id, result = each  # `_answered`, in fewer steps
                        answers += 1
                        if id not in calls:
                            self._late(id)
                            continue
                        future, _, began, method, _ = calls.pop(id)
                        if not future.done():
                            future.set_result(result)
                            if method in timed:
                                took.append(now - began)
                    elif not self.closed:
                        self._route(each)
                        asking += _COST_OF_ASKING
                frames = None
                if answers + asking >= _COST_A_TURN:
                    self._waiting = True
                    self._loop.call_soon(self._handle)
                    break
            if answers > 1:
                self._gather()
        except Exception as error:
            self._faulty(error)
        finally:
            if took:
                self._on_times(took)

    def _faulty(self, error: Exception) -> None:
        """End the connection: what came broke the protocol, or we are at fault: never the loop."""
        if not isinstance(error, (FrameError, IncompatibleVersionsError)):
            error = FrameError(f"a frame could not be handled: {type(error).__name__}: {error}")
        self.close(error)

    def _route(self, frame: list[Any]) -> None:
        kind = frame[0]
        if not self._greeted:
            self._greet(frame)
        elif kind == REQUEST:
            self._serve(frame)
        elif kind == ERROR:
            self._fail_call(frame[1], frame[2])
        elif kind == EVENT:
            self._on_event(str(frame[1]), frame[2])
        elif kind == CANCEL:
            task = self._tasks.get(frame[1])
            if task is not None:
                task.cancel()
        else:
            raise FrameError("the peer greeted twice")

    def _fail_call(self, id: int, body: Any) -> None:
        call = self._calls.pop(id, None)
        if call is None:
            self._late(id)
        elif not call[0].done():
            call[0].set_exception(from_wire(body))

    def _late(self, id: int) -> None:
        """Take note of an answer for which nobody waits any more."""
        if id not in self._given_up:
            raise FrameError("the peer answered a call that nobody made")
        self._given_up.discard(id)
        self.free = not (self.closed or self._given_up)
        self._tell_settled()

    def _tell_settled(self) -> None:
        if self._settled is not None and (self.closed or not self._given_up):
            self._settled.set_result(None)
            self._settled = None

    def _greet(self, frame: list[Any]) -> None:
        hello = frame[1] if frame[0] == HELLO else None
        if not isinstance(hello, dict):
            raise FrameError("the peer's first frame was no greeting")
        self.hello = hello
        if not agreed(hello):
            raise refusal(hello)
        self._greeted = True
        self.ready.set_result(hello)

    # -- their requests ----------------------------------------------------------------------------

    def _serve(self, frame: list[Any]) -> None:
        _, id, method, params = frame
        if id in self._tasks:
            raise FrameError("the peer used the id of a request that is still under way")
        if len(self._tasks) >= self._limits.outstanding:
            raise FrameError(f"the peer has more than {self._limits.outstanding} requests under way")
        try:
            result = self._on_request(str(method), params)
        except Exception as error:
            self._fail(id, error)
            return
        if type(result) not in _PLAIN and isinstance(result, Awaitable):
            task = asyncio.ensure_future(result)
            self._tasks[id] = task
            task.add_done_callback(lambda done: self._finish(id, done))
        else:
            self._answer(id, result)

    def _finish(self, id: int, task: "asyncio.Future[Any]") -> None:
        del self._tasks[id]
        if task.cancelled():
            self._fail(id, CallCancelledError("the caller gave up"))
        elif isinstance(error := task.exception(), Exception):
            self._fail(id, error)
        elif error is None:
            self._answer(id, task.result())

    def _answer(self, id: int, result: Any) -> None:
        try:
            data = encode((RESPONSE, id, result))
        except FrameError as error:
            data = pack([ERROR, id, error.to_wire()])
        self._send(data)
        # Not for one that asks without having been called.
        if self._awake_s and 0 < len(self._calls) <= _FEW:
            self._expect(monotonic())

    def _fail(self, id: int, error: Exception) -> None:
        self._send(_refusal(id, error))

    # -- writing -----------------------------------------------------------------------------------

    def _send(self, data: bytes | Large) -> None:
        """Write now what the peer takes now; keep the rest, up to the bound. Never blocks."""
        if self._gathering:
            if len(data) < _GATHERED_BYTES and len(self._gathered) < _GATHERED:
                self._gathered.append(data)  # type: ignore[arg-type]  # what is large has more bytes
                return
            self._flush()
        if self.closed:
            return
        if not isinstance(data, bytes):
            self._send_large(data)
            return
        count = 0
        if not self._unsent:
            count = self._write(data)
            if count == len(data):
                return
        self._keep(memoryview(data)[count:])

    def _gather(self) -> None:
        """Send what is sent until the end of the next turn of the loop together.

        Those who were answered have theirs in it, and tend to go on asking; a call alone never waits.
        """
        if not self._gathering and not self.closed:
            self._gathering = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._gathering = False
        if self._gathered:
            data = b"".join(self._gathered)
            self._gathered.clear()
            self._send(data)

    def _send_large(self, data: Large) -> None:
        if len(data) > _PIPE:
            self._widen(self._fd_out)
        count = 0 if self._unsent else self._write_together(data.begin)
        if count == BEGINNING:
            count += self._write(data.rest)
        if BEGINNING <= count < len(data) > _WIDE_PIPE:
            # The rest waits where it lies: to copy it takes as long as to write it. Not more than one at a
            # time, nor what is small: who encoded it may hold far more than is counted here.
            self._keep(data.rest[count - BEGINNING :], data)
            return
        if count < len(data):
            self._keep(memoryview(bytes(data))[count:])
        data.free()

    def _keep(self, rest: memoryview, of: Large | None = None) -> None:
        if not self._unsent:
            self._loop.add_writer(self._fd_out, self._writable)
        self._unsent.append((rest, of))
        self._unsent_bytes += len(rest) + _FRAME_OVERHEAD
        if self._unsent_bytes > self._limits.unsent_bytes:
            self.close(FrameError(f"the peer does not read: {self._unsent_bytes} bytes wait for it"))

    def _widen(self, fd: int) -> None:
        """Make a pipe in which a frame has no room larger, once; where that may not be, it stays as it is."""
        if fd not in self._wide:
            self._wide.add(fd)
            with contextlib.suppress(OSError, AttributeError):  # a socket, another system
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _WIDE_PIPE)

    def _write(self, data: bytes | memoryview) -> int:
        """Write what the peer takes now; return how much that was, or all when it takes nothing any more."""
        try:
            return os.write(self._fd_out, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._broken(error)
            return len(data)

    def _write_together(self, parts: tuple[bytes, memoryview]) -> int:
        """Write two things as `_write` does one."""
        try:
            return os.writev(self._fd_out, parts)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._broken(error)
            return sum(map(len, parts))

    def _broken(self, error: OSError) -> None:
        # Soon, not now: whoever sends must not find the peer's state changed under its feet.
        self._loop.call_soon(self.close, WorkerLostError(f"the connection broke: {error.strerror}"))

    def _writable(self) -> None:
        while self._unsent:
            view, of = self._unsent[0]
            count = self._write(view)
            self._unsent_bytes -= count
            if count < len(view):
                self._unsent[0] = (view[count:], of)
                return
            self._unsent.popleft()
            if of is not None:
                view.release()
                of.free()
            self._unsent_bytes -= _FRAME_OVERHEAD
        self._loop.remove_writer(self._fd_out)

    # -- the end -----------------------------------------------------------------------------------

    def close(self, reason: ViloError | None = None) -> None:
        """End the connection: every waiting call fails with a `WorkerLostError` or ``reason``."""
        self._flush()
        if self.closed:
            return
        self.closed, self.free = True, False
        self._waits.pop(self, None)
        self._loop.remove_reader(self._fd_in)
        self._loop.remove_writer(self._fd_out)
        for fd in {self._fd_in, self._fd_out}:
            with contextlib.suppress(OSError):
                os.close(fd)
        if self._alarm is not None:
            self._alarm.cancel()
        for task in list(self._tasks.values()):
            task.cancel()
        lost = reason or WorkerLostError("the process went away before it answered")
        for future, *_ in self._calls.values():
            if not future.done():
                future.set_exception(lost)
        self._tell_settled()
        if not self.ready.done():
            self.ready.set_exception(lost)
            self.ready.exception()  # whoever starts a peer may have given up on it already
        try:
            self._on_close(reason)
        finally:
            self._calls.clear()
            self._unsent.clear()


def event(name: str, data: Any) -> bytes:
    """Encode an event that several peers are told.

    Raises:
        FrameError: the data cannot be sent.
    """
    return pack((EVENT, name, data))


def _refusal(id: int, error: Exception) -> bytes:
    """Encode an error as an answer, as far as it can be told."""
    if isinstance(error, ViloError):
        try:
            return pack([ERROR, id, error.to_wire()])
        except FrameError:
            pass  # the name of a file may have half a character in it, which no frame can hold
    said = f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "backslashreplace").decode()
    code = error.code if isinstance(error, ViloError) else HandlerError.CODE
    return pack([ERROR, id, ViloError(code, said).to_wire()])
