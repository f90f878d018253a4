"""Frames in and out of a worker, requests in both directions, on as little as a worker can live with.

One thread at a time reads. Whoever waits for an answer reads when nobody else does, and hands every frame
to whom it concerns; so a handler may wait for threads of its own that call the host, without a thread of
ours. While the main thread waits for the host it serves nested requests, to a bounded depth.
"""

import os
import sys
from _thread import allocate_lock, get_ident, start_new_thread
from itertools import count
from time import monotonic

from viloapp_sdk import __version__
from viloapp_sdk._wire import (
    AWAKE,
    BEGINNING,
    CANCEL,
    ERROR,
    EVENT,
    PROFILE,
    PROTOCOLS,
    REQUEST,
    RESPONSE,
    FrameBuffer,
    Large,
    agreed,
    encode,
    greeting,
    in_words,
    pack,
    spoken,
)
from viloapp_sdk.errors import (
    CallCancelledError,
    FrameError,
    HandlerError,
    LimitExceededError,
    ReentrancyError,
    StreamingCommandError,
    ViloError,
    WorkerLostError,
    from_wire,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from typing import Any

    from viloapp_sdk.worker._loop import Loop

MAX_DEPTH = 8
_AT_ONCE = 64
# Times that a worker goes to sleep though its host is brisk, as it is at each start: to look for what arrives
# takes a library that most plugins never need.
_SLEEPS_AT_FIRST = 4
# After the host was waited for awake in vain, it is slept for so many times; twice as many each time after
# that, until it was not in vain: on one processor, who stays awake keeps the other from answering.
_NAPS, _MOST_NAPS = 2, 64
# Bytes of the buffer for reading in a worker that is called now and then; a burst makes it larger.
_READ_AT_FIRST = 4096
# What most handlers return: none of it has to be awaited.
_PLAIN = frozenset({type(None), bool, int, float, str, list, dict})


class _Answer:
    """Where the answer to one request of ours is put."""

    __slots__ = ("frame",)

    def __init__(self) -> None:
        self.frame: list[Any] | None = None

    def resolve(self, frame: "list[Any]") -> None:
        self.frame = frame


class Channel:
    """The worker's end of the two pipes.

    ``handle(method, params)`` and ``notify(type, body)`` are set by the runtime before `serve`; the latter
    returns None, or an awaitable.

    Args:
        fd_in: pipe to read frames from.
        fd_out: pipe to write frames to.
    """

    handle: "Callable[[str, Any], Any]"
    notify: "Callable[[str, Any], Any]"

    def __init__(self, fd_in: int, fd_out: int) -> None:
        self.fd_in = fd_in
        self._fd_out = fd_out
        self.buffer = FrameBuffer(first=_READ_AT_FIRST)
        self.inbox: list[list[Any]] = []  # requests and events that nobody has served yet
        self.pending: dict[int, Any] = {}  # what our requests wait for, by id
        self.reading = allocate_lock()
        self._writing = allocate_lock()
        self._waiting: list[LockType] = []
        self._ids = count(1)
        self._main = get_ident()
        self._depth = 0
        self._stopping = False
        self._awake_s = 0.0  # that may be waited without sleeping, as the host allows
        self._wrote_at = 0.0
        self.brisk = False  # what was read last came within that time after what was written
        self._asleep, self._naps = 0, _NAPS  # times that it is slept for; how many it will be after the next
        self._arrived: Callable[[int], Any] | None = None  # a look for what has arrived
        self._sleeps = _SLEEPS_AT_FIRST
        self.loop: Loop | None = None

    # -- our requests ------------------------------------------------------------------------------

    def request(self, method: str, params: "list[Any]") -> "Any":
        """Ask the host and wait; the main thread serves nested requests meanwhile.

        Raises:
            ViloError: the host's answer was an error.
        """
        answer = _Answer()
        self._ask(answer, method, params)
        self._wait(answer)
        return result_of(answer.frame)

    def ask(self, method: str, params: "list[Any]") -> "Any":
        """Ask the host and wait, and serve nobody meanwhile; for what the host answers by itself, at once.

        Raises:
            ViloError: the host's answer was an error.
        """
        answer = _Answer()
        self._ask(answer, method, params)
        self._wait(answer, serve=False)
        if self.inbox and self.loop is not None:
            self.loop.wake()  # it was told of these bytes before we read them
        return result_of(answer.frame)

    def request_async(self, method: str, params: "list[Any]") -> "Any":
        """Ask the host; return an awaitable of the answer, for ``async`` handlers."""
        return self._require_loop().request(method, params)

    def _ask(self, answer: "Any", method: str, params: "list[Any]") -> int:
        id = next(self._ids)
        data = encode((REQUEST, id, method, params))
        self.pending[id] = answer
        self._write(data)
        return id

    # -- reading -----------------------------------------------------------------------------------

    def serve(self) -> None:
        """Serve the host until `stop`; returns when it is gone as well."""
        python = sys.version.split()[0]
        self._write(pack(greeting(python=python, sdk=__version__, profile=True, streams=True)))
        nothing, inbox, reading, buffer = _Answer(), self.inbox, self.reading, self.buffer
        while not self._stopping:
            if self.loop is not None:
                self.loop.run()
                return
            try:
                if inbox:
                    self.dispatch(inbox.pop(0))
                elif reading.acquire(False):
                    alone = False
                    try:
                        if not inbox:  # which another thread may have filled until it gave us the lock
                            first = None
                            if not buffer.end and not self.brisk:  # `_receive`, in fewer steps; see `_hear`
                                try:
                                    first = buffer.receive(self.fd_in)
                                    if self._awake_s and (first is None or first[0] != EVENT):
                                        self.came()
                                except BlockingIOError:
                                    pass  # an event loop has made the pipe non-blocking
                            frame = first or self._receive()
                            kind = frame[0]
                            alone = kind == REQUEST or (kind == EVENT and frame[1] != PROFILE)
                            alone = alone and not buffer.end
                            if not alone:
                                self._sort(frame)
                    finally:  # also at the end, which others that wait are to see as well
                        reading.release()
                        if self._waiting:
                            self._wake()
                    if alone:  # as nearly always: it need not be put away before it is served
                        if kind == EVENT:
                            self._hear(frame)
                        else:
                            self.dispatch(frame)
                else:
                    self._step(nothing)
            except EOFError:
                return

    def stop(self) -> None:
        """End `serve` after the current frame."""
        self._stopping = True
        if self.loop is not None:
            self.loop.stop()

    def _wait(self, answer: _Answer, *, serve: bool = True) -> None:
        while answer.frame is None:
            try:
                self._step(answer, serve=serve)
            except EOFError:
                raise WorkerLostError("the host is gone") from None

    def _step(self, answer: _Answer, *, serve: bool = True) -> None:
        """Serve or read one frame, or wait until another thread has read one."""
        main = serve and get_ident() == self._main
        if main and self.inbox:
            frame = self._next_to_serve()
            if frame is not None:
                self.dispatch(frame)
                return
        if self.reading.acquire(False):
            try:
                # Whoever had the lock may have read what we wait for since we looked.
                if answer.frame is None and not (main and self._may_serve()):
                    self._read_frame()
            finally:
                self.reading.release()
                if self._waiting:
                    self._wake()
            return
        turn = allocate_lock()
        turn.acquire()
        self._waiting.append(turn)
        # Looked at after we are in the list: whoever reads wakes the list after it changed these.
        if answer.frame is None and self.reading.locked() and not (main and self.inbox):
            turn.acquire()

    def _may_serve(self) -> bool:
        return any(self._depth == 0 or frame[0] == REQUEST for frame in self.inbox)

    def _next_to_serve(self) -> "list[Any] | None":
        if self._depth == 0:
            return self.inbox.pop(0) if self.inbox else None
        for index, frame in enumerate(self.inbox):
            if frame[0] == REQUEST:  # events wait until no handler is under way
                return self.inbox.pop(index)
        return None

    def _read_frame(self) -> None:
        frame = self._receive()
        if frame[0] == RESPONSE and not self.buffer.end:  # alone, as nearly always
            self.route(frame)
        else:
            self._sort(frame)

    def _receive(self) -> "list[Any]":
        """Wait for the next frame."""
        buffer = self.buffer
        frame = buffer.take() if buffer.end else None
        while frame is None:
            try:
                if not buffer.end:
                    if self.brisk:
                        self._stay_awake()
                    frame = buffer.receive(self.fd_in)
                    # An event says nothing of how brisk the host is: nobody has asked for it.
                    if self._awake_s and (frame is None or frame[0] != EVENT):
                        self.came()
                    continue
                if self.brisk:
                    self._stay_awake()  # the rest of a frame is on its way
                if not buffer.read_from(self.fd_in):
                    raise EOFError
            except BlockingIOError:  # an event loop has made the pipe non-blocking
                from select import select

                select([self.fd_in], [], [])
            frame = buffer.take()
        return frame

    def _sort(self, frame: "list[Any]") -> None:
        """Hand a frame, and all that have arrived behind it, to whom they concern."""
        buffer = self.buffer
        if buffer.end:
            self.brisk = False  # of several at once one covers for the other
        frames = [frame]
        while frames:  # all that has arrived: an event loop is told of bytes, not of frames
            for frame in frames:
                if frame[0] == REQUEST:
                    self.inbox.append(frame)
                else:
                    self.route(frame)
            frames = buffer.take_some(_AT_ONCE) if buffer.end else []
        if self.inbox and self.loop is not None and get_ident() != self._main:
            self.loop.wake()

    def _stay_awake(self) -> None:
        """Look for what arrives, rather than to sleep until it does, as long as the host is brisk.

        To fall asleep and to be woken takes longer than a plain call itself.
        """
        if self._arrived is None:
            if self._sleeps:
                self._sleeps -= 1
                self.brisk = False
                return
            try:
                from select import poll
            except ImportError:  # not on Windows
                self._awake_s, self.brisk = 0.0, False
                return
            watched = poll()
            watched.register(self.fd_in)
            self._arrived = watched.poll
        while not self._arrived(0):
            if not self.may_wait():
                return

    def may_wait(self) -> bool:
        """Whether it is worth to stay awake for what the host says next; ever less after it was in vain."""
        if self.brisk and monotonic() - self._wrote_at >= self._awake_s:
            self.brisk, self._asleep = False, self._naps
            self._naps = min(2 * self._naps, _MOST_NAPS)
        return self.brisk

    def came(self) -> None:
        """Take note that the host has said something, and whether it was brisk about it."""
        if self._asleep:
            self._asleep -= 1
        elif self.brisk:
            self._naps = _NAPS
        else:
            # Who slept was woken late, too, and has twice the time: or, once the host took too long, it would
            # each time from then on, since it is slept for.
            self.brisk = monotonic() - self._wrote_at < 2 * self._awake_s

    def route(self, frame: "list[Any]") -> None:
        """Hand a frame to whom it concerns."""
        kind = frame[0]
        if kind == EVENT and frame[1] == PROFILE:
            self._profile(frame[2])  # at once: it is about the handler that runs now
        elif kind in (REQUEST, EVENT):
            self.inbox.append(frame)
        elif kind in (RESPONSE, ERROR):
            answer = self.pending.pop(frame[1], None)
            if answer is not None:
                answer.resolve(frame)
        elif kind == CANCEL:
            self._cancel(frame[1])
        elif agreed(frame[1]):  # HELLO: the host says what it speaks
            self._awake_s = frame[1].get(AWAKE, 0.0)
        else:
            core = f"viloapp-core {frame[1].get('core', 'of an older version')}"
            ours, theirs = in_words(PROTOCOLS), in_words(spoken(frame[1]))
            raise SystemExit(f"viloapp-sdk {__version__} speaks {ours}, and {core} {theirs}")

    def glance(self) -> None:
        """Look whether the host has sent something though a handler runs; safe in a signal's handler.

        Another thread reads: what it routes may have to be answered, and the main thread may hold the lock
        for that at this very moment.
        """
        try:
            start_new_thread(self._read_waiting, ())
        except RuntimeError:
            return  # no more threads; it is read when the handler is done

    def _read_waiting(self) -> None:
        from select import select

        if not self.reading.acquire(False):
            return  # whoever reads routes it
        try:
            if select([self.fd_in], [], [], 0)[0]:
                self._read_frame()
        except EOFError:
            pass  # whoever reads next sees the same
        finally:
            self.reading.release()
            self._wake()

    def _profile(self, request: "Any") -> None:
        from viloapp_sdk.worker._sampler import start

        try:
            start(self._write, request)
        except RuntimeError as error:  # no more threads
            self._write(pack([EVENT, PROFILE, {"id": request["id"], "error": str(error)}]))

    def _wake(self) -> None:
        while self._waiting:
            self._waiting.pop().release()

    def _cancel(self, id: int) -> None:
        for index, frame in enumerate(self.inbox):
            if frame[0] == REQUEST and frame[1] == id:
                del self.inbox[index]
                self._turn_away(frame, CallCancelledError("cancelled before it began"))
                return
        if self.loop is not None:
            self.loop.cancel(id)  # a plain handler cannot be interrupted: the host decides how long to wait

    # -- their requests ----------------------------------------------------------------------------

    def dispatch(self, frame: "list[Any]") -> None:
        """Run what a request or an event asks for."""
        if frame[0] == EVENT:
            self._hear(frame)
            return
        _, id, method, params = frame
        if self._depth >= MAX_DEPTH:
            error = ReentrancyError(f"calls between host and plugin are nested deeper than {MAX_DEPTH}")
            self._turn_away(frame, error)
            return
        self._depth += 1
        try:
            result = self.handle(method, params)
            if type(result) not in _PLAIN:
                if hasattr(result, "__await__"):
                    self._require_loop().start(id, result, nested=self._depth > 1)
                    return
                if method == "command":
                    try:
                        refuse_stream(params[0], result)
                    except StreamingCommandError as error:
                        self._write(pack([ERROR, id, error.to_wire()]))
                        return
            self._write(encode((RESPONSE, id, result)))
        except BaseException as error:  # also SystemExit: a library that exits must not take the plugin along
            self.fail(id, error)
        finally:
            self._depth -= 1

    def _hear(self, frame: "list[Any]") -> None:
        """Tell of an event. No handler is under way: see `_next_to_serve`.

        Where many plugins hear of it, each is a process whose memory is in no cache: fewer steps need less.
        """
        self._depth += 1
        try:
            later = self.notify(frame[1], frame[2])
            if later is not None:
                self._require_loop().start(None, later, nested=False)
        except BaseException as error:  # as of a request
            self.fail(None, error)
        finally:
            self._depth -= 1

    def answer(self, id: "int | None", result: "Any") -> None:
        """Send the result of a handler that ran in the loop."""
        if id is None:
            return
        try:
            self._write(encode((RESPONSE, id, result)))
        except FrameError as error:
            self.fail(id, error)

    def fail(self, id: "int | None", error: BaseException) -> None:
        """Answer with an error; the traceback goes to the log and never over the wire."""
        told = as_told(error)
        if id is not None:
            self._write(pack([ERROR, id, told.to_wire()]))

    def tell(self, name: str, data: "Any") -> None:
        """Send the host an event."""
        self._write(pack([EVENT, name, data]))

    def _turn_away(self, frame: "list[Any]", error: ViloError) -> None:
        """Answer a request that is not run."""
        if frame[2] == "stream":
            self._drop_stream(frame[3])
        self._write(pack([ERROR, frame[1], error.to_wire()]))

    def _drop_stream(self, params: "Any") -> None:
        """Close the descriptor that came for a stream which is not run."""
        try:
            self.handle("stream.drop", params)
        except OSError:
            return  # there is none: no number was left for it

    def _require_loop(self) -> "Loop":
        if self.loop is None:
            from viloapp_sdk.worker._loop import Loop

            self.loop = Loop(self)
        return self.loop

    def _write(self, data: "bytes | Large") -> None:
        with self._writing:
            try:
                if isinstance(data, bytes):
                    count = os.write(self._fd_out, data)
                else:
                    count = os.writev(self._fd_out, data.begin)
                    if count == BEGINNING:
                        count += os.write(self._fd_out, data.rest)
                self._wrote_at = monotonic()
                if count != len(data):
                    rest = memoryview(bytes(data))[count:]
                    while rest:
                        rest = rest[os.write(self._fd_out, rest) :]
            except BrokenPipeError:
                self._stopping = True
        if not isinstance(data, bytes):
            data.free()


def result_of(frame: "list[Any] | None") -> "Any":
    """Return the result in a response frame.

    Raises:
        ViloError: the frame is an error.
    """
    if frame is None:
        raise WorkerLostError("the host is gone")
    if frame[0] == ERROR:
        raise from_wire(frame[2])
    return frame[2]


def as_told(error: BaseException) -> ViloError:
    """Return what the host is told of an exception in the plugin's code; its traceback goes to the log.

    That a command streams says of who has it that nothing has run: from a handler, which has, it is told as
    any failure.
    """
    if isinstance(error, ViloError) and not isinstance(error, StreamingCommandError):
        try:
            pack([ERROR, 0, error.to_wire()])
        except FrameError:
            pass  # it is told as far as it can be
        else:
            return error
    sys.excepthook(type(error), error, error.__traceback__)
    # The name of a file may have half a character in it, which no frame can hold.
    said = f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "backslashreplace").decode()
    limit = _limit_of(error)
    if limit:
        return LimitExceededError(said, limit)  # the host knows the hint; it gets the limit's name
    return HandlerError(said, "the traceback is in the plugin's log: viloapp logs ID")


def refuse_stream(command: str, result: "Any") -> None:
    """Refuse what a generator's handler returned to a caller who waits for one answer; none of it has run.

    Raises:
        StreamingCommandError: it is a generator, plain or ``async``.
    """
    if hasattr(result, "__next__") or hasattr(result, "__anext__"):
        raise StreamingCommandError(
            f"{command} streams what it yields, and has no one result",
            "read it with Host.stream; `viloapp call` without --json writes it to standard output",
        )


def _limit_of(error: BaseException) -> str:
    """Return which limit of the manifest an exception comes of; empty when of none.

    Source: ``errno(3)``: EMFILE 24, EFBIG 27, EDQUOT 122 on Linux.
    """
    if isinstance(error, MemoryError):
        return "memory_mb"
    if isinstance(error, OSError):
        return {24: "file_handles", 27: "disk_mb", 122: "disk_mb"}.get(error.errno or 0, "")
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return "processes"
    return ""
