"""Two peers over real pipes, and a hostile one that writes what it likes."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from viloapp_core.rpc import Limits, Peer, Waits, event
from viloapp_sdk import _wire
from viloapp_sdk._wire import ERROR, EVENT, HELLO, REQUEST, RESPONSE, FrameBuffer, pack
from viloapp_sdk.errors import (
    CallCancelledError,
    DeadlineExceededError,
    FrameError,
    HandlerError,
    IncompatibleVersionsError,
    InvalidArgumentsError,
    ViloError,
    WorkerLostError,
)


class Stranger:
    """The other end of a peer's pipes, under the test's own hand."""

    def __init__(self, fd_in: int, fd_out: int) -> None:
        self.fd_in, self.fd_out = fd_in, fd_out
        os.set_blocking(fd_in, False)
        self._buffer = FrameBuffer()

    def send(self, *frame: Any) -> None:
        """Write one frame, of whatever shape."""
        os.write(self.fd_out, pack(list(frame)))

    def here(self) -> int:
        """Read what the peer has written by now; return how many frames that was."""
        count = 0
        while True:
            while self._buffer.take() is not None:
                count += 1
            try:
                self._buffer.read_from(self.fd_in)
            except BlockingIOError:
                return count

    async def receive(self) -> list[Any]:
        """Return the next frame that the peer wrote."""
        while (frame := self._buffer.take()) is None:
            try:
                if not self._buffer.read_from(self.fd_in):
                    raise EOFError
            except BlockingIOError:
                await asyncio.sleep(0)
        return frame


class Closing:
    """Records the one time that a peer says it is closed."""

    def __init__(self) -> None:
        self.reasons: list[ViloError | None] = []
        self.happened = asyncio.Event()

    def __call__(self, reason: ViloError | None) -> None:
        """Take the reason down; it is the peer's `on_close`."""
        self.reasons.append(reason)
        self.happened.set()


@asynccontextmanager
async def connected(
    on_request: Callable[[str, Any], Any] = lambda method, params: params,
    *,
    limits: Limits | None = None,
    greet: bool = True,
    timed: Collection[str] = (),
    on_times: Callable[[Sequence[float]], None] = lambda seconds: None,
) -> AsyncIterator[tuple[Peer, Stranger, Closing]]:
    """A started peer and the stranger at its other end, who has read its greeting."""
    closing = Closing()
    our_in, their_out = os.pipe()
    their_in, our_out = os.pipe()
    peer = Peer(
        our_in,
        our_out,
        on_request=on_request,
        on_event=lambda name, data: None,
        on_close=closing,
        limits=limits,
        timed=timed,
        on_times=on_times,
    )
    stranger = Stranger(their_in, their_out)
    peer.start()
    assert (await stranger.receive())[0] == HELLO
    if greet:
        stranger.send(HELLO, {"protocol": 1})
        await peer.ready
    try:
        yield peer, stranger, closing
    finally:
        peer.close()
        os.close(their_in)
        os.close(their_out)


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine with a bound, so that a lost wake-up fails instead of hanging."""

    async def bounded() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(bounded())


def test_a_call_returns_the_answer() -> None:
    """The result that the other side sends is what the call returns."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            call = asyncio.ensure_future(peer.call("add", [1, 2], timeout_s=5))
            kind, id, method, params = await stranger.receive()
            assert (kind, method, params) == (REQUEST, "add", [1, 2])
            stranger.send(RESPONSE, id, 3)
            assert await call == 3

    run(test)


def test_answers_may_come_in_any_order() -> None:
    """Sixty-four calls in flight are told apart by their ids."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            calls = [asyncio.ensure_future(peer.call("echo", n, timeout_s=5)) for n in range(64)]
            frames = [await stranger.receive() for _ in calls]
            for _, id, _, params in reversed(frames):
                stranger.send(RESPONSE, id, params)
            assert await asyncio.gather(*calls) == list(range(64))

    run(test)


def test_an_error_frame_becomes_the_error_of_its_code() -> None:
    """Code, detail and hint survive the wire, and so does the type."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            call = asyncio.ensure_future(peer.call("x", None, timeout_s=5))
            _, id, *_ = await stranger.receive()
            stranger.send(ERROR, id, {"code": "invalid_arguments", "detail": "no", "hint": "do"})
            with pytest.raises(InvalidArgumentsError, match="no") as caught:
                await call
            assert caught.value.hint == "do"

    run(test)


def test_a_deadline_fails_the_call_tells_the_peer_and_allows_the_late_answer() -> None:
    """A late answer is expected once and breaks nothing; a second one is a breach."""

    async def test() -> None:
        async with connected() as (peer, stranger, closing):
            with pytest.raises(DeadlineExceededError):
                await peer.call("slow", None, timeout_s=0.01)
            _, id, *_ = await stranger.receive()
            assert (await stranger.receive())[1] == id
            assert peer.given_up == 1
            stranger.send(RESPONSE, id, "late")
            stranger.send(RESPONSE, id, "later")
            await closing.happened.wait()
            assert isinstance(closing.reasons[0], FrameError)

    run(test)


def test_the_end_of_the_peer_fails_what_waits_for_it() -> None:
    """No call is left without an answer, and new ones fail at once."""

    async def test() -> None:
        async with connected() as (peer, _, closing):
            calls = [asyncio.ensure_future(peer.call("x", None, timeout_s=5)) for _ in range(3)]
            await asyncio.sleep(0)
            peer.close()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(result) for result in results] == [WorkerLostError] * 3
            with pytest.raises(WorkerLostError):
                await peer.call("x", None, timeout_s=5)
            assert closing.reasons == [None]

    run(test)


def test_requests_of_the_peer_are_answered_plain_and_awaited() -> None:
    """A handler may return its result or an awaitable of it."""

    async def later(value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def test() -> None:
        async with connected(lambda method, params: later(params) if method == "later" else params) as (
            _,
            stranger,
            _,
        ):
            stranger.send(REQUEST, 1, "now", "a")
            assert await stranger.receive() == [RESPONSE, 1, "a"]
            stranger.send(REQUEST, 2, "later", "b")
            assert await stranger.receive() == [RESPONSE, 2, "b"]

    run(test)


def test_a_handler_that_raises_is_answered_with_an_error() -> None:
    """An unexpected exception is named, without a traceback."""

    def broken(method: str, params: Any) -> Any:
        raise ValueError("secret path")

    async def test() -> None:
        async with connected(broken) as (_, stranger, closing):
            stranger.send(REQUEST, 1, "x", None)
            kind, id, body = await stranger.receive()
            assert (kind, id, body["code"]) == (ERROR, 1, HandlerError.CODE)
            assert closing.reasons == []

    run(test)


def test_a_cancelled_request_is_answered_as_cancelled() -> None:
    """The task of a request ends when the peer gives it up."""

    async def forever(params: Any) -> None:
        await asyncio.Event().wait()

    async def test() -> None:
        async with connected(lambda method, params: forever(params)) as (_, stranger, _):
            stranger.send(REQUEST, 7, "x", None)
            await asyncio.sleep(0)
            os.write(stranger.fd_out, pack([4, 7]))
            kind, id, body = await stranger.receive()
            assert (kind, id, body["code"]) == (ERROR, 7, CallCancelledError.CODE)

    run(test)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        (5).to_bytes(4, "little") + b"hello",
        pack([RESPONSE, 99, "an answer that was not asked for"]),
        pack([9, 1]),
        pack([HELLO, {"protocol": 1}]),
        (1).to_bytes(4, "little") + b"\xc1",
        (40).to_bytes(4, "little") + b"\x91" * 40,
    ],
    ids=[
        "giant",
        "garbage",
        "unasked answer",
        "unknown kind",
        "second greeting",
        "reserved byte",
        "truncated",
    ],
)
def test_a_frame_that_breaks_the_protocol_ends_the_peer(data: bytes) -> None:
    """Whatever it was, the host survives and says why."""

    async def test() -> None:
        async with connected() as (peer, stranger, closing):
            os.write(stranger.fd_out, data)
            await closing.happened.wait()
            assert isinstance(closing.reasons[0], FrameError)
            assert peer.closed

    run(test)


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ([EVENT, "x", None], FrameError),
        ([HELLO, {"protocol": 2}], IncompatibleVersionsError),
        ([HELLO, 5], FrameError),
    ],
)
def test_a_peer_that_does_not_greet_rightly_is_refused(first: list[Any], error: type[ViloError]) -> None:
    """The first frame has to be a greeting, in which there is a version of the wire that we speak."""

    async def test() -> None:
        async with connected(greet=False) as (peer, stranger, closing):
            stranger.send(*first)
            await closing.happened.wait()
            with pytest.raises(error):
                await peer.ready

    run(test)


def test_a_flood_of_requests_ends_the_peer() -> None:
    """Requests under way are bounded."""

    async def never(params: Any) -> None:
        await asyncio.Event().wait()

    async def test() -> None:
        async with connected(lambda method, params: never(params), limits=Limits(outstanding=3)) as (
            _,
            stranger,
            closing,
        ):
            for id in range(4):
                stranger.send(REQUEST, id, "x", None)
            await closing.happened.wait()
            assert "3 requests" in str(closing.reasons[0])

    run(test)


@pytest.mark.parametrize("size", [1, 65_536])
def test_a_peer_that_does_not_read_its_answers_ends_and_never_blocks_us(size: int) -> None:
    """What waits is bounded, writing returns at once, and tiny answers count for what they take."""

    async def test() -> None:
        limits = Limits(unsent_bytes=1_000_000)
        async with connected(lambda *_: "x" * size, limits=limits) as (_, stranger, closing):
            os.set_blocking(stranger.fd_out, False)
            for number in range(30_000):
                with contextlib.suppress(BlockingIOError, BrokenPipeError):
                    stranger.send(REQUEST, number, "flood", None)
                if closing.reasons:
                    break
                await asyncio.sleep(0)
            assert "does not read" in str(closing.reasons[0])

    run(test)


def test_a_busy_peer_is_not_ended_by_large_events_of_one_turn() -> None:
    """Nor while what is small is sent together, after several answers at once."""

    async def test() -> None:
        async with connected(limits=Limits(unsent_bytes=1_000_000)) as (peer, stranger, closing):
            told = event("flood", "x" * 65_536)

            async def ask() -> None:
                await peer.call("ask", None, timeout_s=5)
                for _ in range(20):
                    peer.tell(told)

            asking = asyncio.gather(ask(), ask())
            ids = [(await stranger.receive())[1] for _ in range(2)]
            os.write(stranger.fd_out, b"".join(pack([RESPONSE, id, None]) for id in ids))
            await asyncio.wait_for(asking, 20)
            for _ in range(3):
                await asyncio.sleep(0)
            assert not closing.reasons
            async with asyncio.timeout(20):
                assert (await stranger.receive())[0] == EVENT

    run(test)


def test_a_busy_peer_is_not_ended_by_what_others_send_to_it() -> None:
    """Events beyond half the bound are dropped and calls refused; when it reads again it is called again."""

    async def test() -> None:
        async with connected(limits=Limits(unsent_bytes=1_000_000)) as (peer, stranger, closing):
            for _ in range(40):
                peer.notify("flood", "x" * 65_536)
            with pytest.raises(FrameError, match="busy"):
                await peer.call("more", None, timeout_s=5)
            assert not closing.reasons
            events = 0
            with contextlib.suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(0.2):
                        events += (await stranger.receive())[0] == EVENT
            assert 0 < events < 40
            answer = asyncio.ensure_future(peer.call("again", None, timeout_s=5))
            _, id, *_ = await stranger.receive()
            stranger.send(RESPONSE, id, "here")
            assert await answer == "here"

    run(test)


def test_large_frames_cross_in_both_directions() -> None:
    """Frames larger than the pipe and the buffer arrive whole."""
    big = os.urandom(3_000_000)

    async def test() -> None:
        def peer(fd_in: int, fd_out: int) -> Peer:
            return Peer(
                fd_in,
                fd_out,
                on_request=lambda method, params: params,
                on_event=lambda name, data: None,
                on_close=lambda reason: None,
            )

        our_in, their_out = os.pipe()
        their_in, our_out = os.pipe()
        one, two = peer(our_in, our_out), peer(their_in, their_out)
        one.start()
        two.start()
        assert await one.call("echo", big, timeout_s=5) == big
        assert await two.call("echo", [big, 1], timeout_s=5) == [big, 1]
        one.close()
        two.close()

    run(test)


def test_frames_of_all_sizes_keep_their_order_when_the_peer_reads_late() -> None:
    """What is written at once, what is kept whole and what was written in part come as they were sent."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            sent = ["x" * size for size in (10, 65_536, 5, 30_000, 300_000, 20_000, 1, 4_092, 16_384) * 3]
            for text in sent:
                peer.notify("event", text)
            assert [await stranger.receive() for _ in sent] == [[EVENT, "event", text] for text in sent]
            peer.notify("event", "y" * 65_536)  # all at once again: the buffers of before are in use no more
            assert (await stranger.receive())[2] == "y" * 65_536

    run(test)


def test_one_large_frame_waits_for_a_busy_peer_where_it_was_encoded() -> None:
    """To copy it takes as long as to write it. Others are: what encodes may hold more than is counted."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            texts = ["f" * 50_000, "a" * 1_000_000, "b" * 700_000, "c" * 1_000_000, "d"]
            asked = [peer.ask("echo", text, None) for text in texts]
            assert [of is not None for _, of in peer._unsent] == [True, False, False, False]
            assert [(await stranger.receive())[3] for _ in asked] == texts
            assert not peer._unsent_bytes
            for id, *_ in asked:
                stranger.send(RESPONSE, id, None)
            await asyncio.gather(*(future for _, future, _ in asked))

    run(test)


@pytest.mark.parametrize("room", [0, 100, 4095])
def test_a_large_frame_arrives_whole_whatever_a_pipe_had_room_for(
    monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Not even for its beginning."""

    def little(peer: Peer, parts: tuple[bytes, memoryview]) -> int:
        return os.write(peer._fd_out, b"".join(parts)[:room])

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            for size in (20_000, 20_000, 300_000):  # the first is packed as all before it was
                text = "x" * size
                kept = len(_wire._keeping)
                monkeypatch.setattr(Peer, "_write_together", little)
                id, future, _ = peer.ask("echo", text, None)
                monkeypatch.undo()
                assert (await stranger.receive())[3] == text
                assert len(_wire._keeping) >= kept  # what was taken of these was given back
                stranger.send(RESPONSE, id, None)
                await future

    run(test)


def test_what_is_not_very_large_is_copied_for_a_busy_peer() -> None:
    """Who encoded it may have encoded much more before, and would be held for as long as the peer likes."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            for _ in range(3):
                peer.notify("fills", "x" * 60_000)
            assert len(peer._unsent) == 2  # the last of them did not fit, and waits in part
            assert all(of is None for _, of in peer._unsent)
            for _ in range(3):
                await stranger.receive()

    run(test)


def test_who_goes_on_asking_at_once_is_written_together_and_a_call_alone_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eight that were answered together and ask again are one write; the next, alone, waits for no turn."""
    writes: list[int] = []
    write = os.write
    ours: list[int] = []

    def counting(fd: int, data: Any) -> int:
        if fd in ours:
            writes.append(len(data))
        return write(fd, data)

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            ours.append(peer._fd_out)

            async def twice(number: int) -> None:
                for _ in range(2):
                    assert await peer.call("echo", number, timeout_s=5) == number

            calls = [asyncio.ensure_future(twice(number)) for number in range(8)]
            first = [await stranger.receive() for _ in calls]
            assert len(writes) == 8
            os.write(stranger.fd_out, b"".join(pack([RESPONSE, id, params]) for _, id, _, params in first))
            second = [await stranger.receive() for _ in calls]
            assert [params for *_, params in second] == list(range(8))
            assert len(writes) == 9
            os.write(stranger.fd_out, b"".join(pack([RESPONSE, id, params]) for _, id, _, params in second))
            await asyncio.gather(*calls)
            await asyncio.sleep(0)
            peer.ask("alone", None, None)
            assert len(writes) == 10

    monkeypatch.setattr(os, "write", counting)
    run(test)


def test_a_large_frame_does_not_overtake_what_is_gathered() -> None:
    """Nor does what is sent after it; and what is gathered at the end is still sent."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            peer._gather()
            sent = ["a", "b", "c" * 50_000, "d"]
            for text in sent:
                peer.notify("event", text)
            assert [(await stranger.receive())[2] for _ in sent] == sent
            peer._gather()
            peer.notify("event", "last")
            peer.close()
            assert (await stranger.receive())[2] == "last"

    run(test)


def test_what_waits_for_the_end_of_a_turn_has_a_bound() -> None:
    """In number and in size: no other bound counts what is gathered."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            peer._gather()
            for number in range(64):
                peer.ask("x", number, None)
            assert stranger.here() == 0
            peer.ask("x", "one too many", None)
            assert stranger.here() == 65
            peer._gather()
            peer.ask("x", "small", None)
            assert stranger.here() == 0
            peer.ask("x", "c" * 16 * 1024, None)
            assert stranger.here() == 2

    run(test)


def test_a_result_that_cannot_be_sent_is_an_error_not_a_silence() -> None:
    """The caller learns that the handler returned something that is no data."""

    async def test() -> None:
        async with connected(lambda method, params: object()) as (_, stranger, _):
            stranger.send(REQUEST, 1, "x", None)
            kind, _, body = await stranger.receive()
            assert kind == ERROR
            assert "cannot be sent" in body["detail"]

    run(test)


def test_a_flood_of_tiny_frames_leaves_the_loop_to_others() -> None:
    """Whatever else is there to do has a turn after every few of them, and none of them is lost."""

    async def scenario() -> None:
        async with connected() as (peer, stranger, _closing):
            handled = 0
            steps: list[int] = []

            def count(name: str, data: Any) -> None:
                nonlocal handled
                handled += 1

            peer._on_event = count
            os.write(stranger.fd_out, pack([EVENT, "x", None]) * 4000)
            before = 0
            while handled < 4000:
                await asyncio.sleep(0)
                steps.append(handled - before)
                before = handled
            assert handled == 4000
            assert max(steps) <= 8
            stranger.send(REQUEST, 1, "echo", "after it")
            assert await stranger.receive() == [RESPONSE, 1, "after it"]

    run(scenario)


def test_a_flood_of_answers_leaves_the_loop_to_others() -> None:
    """They cost a turn less than what is asked, and still not nothing."""

    async def scenario() -> None:
        async with connected() as (peer, stranger, _closing):
            calls = [peer.ask("x", None, None) for _ in range(1000)]
            os.write(stranger.fd_out, b"".join(pack([RESPONSE, id, None]) for id, *_ in calls))
            steps: list[int] = []
            while left := len(peer._calls):
                await asyncio.sleep(0)
                steps.append(left - len(peer._calls))
            assert 64 <= max(steps) <= 72
            assert all(future.done() for _, future, _ in calls)

    run(scenario)


def test_what_was_sent_before_the_end_is_handled() -> None:
    """A flood and then the end: the end is seen last."""

    async def scenario() -> None:
        served: list[int] = []
        async with connected(lambda method, params: served.append(params)) as (_peer, stranger, closing):
            for number in range(100):
                stranger.send(REQUEST, number, "note", number)
            os.close(stranger.fd_out)
            stranger.fd_out = os.open(os.devnull, os.O_WRONLY)
            await closing.happened.wait()
            assert served == list(range(100))
            assert closing.reasons == [None]

    run(scenario)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    "error", [ValueError("no file \udc80"), InvalidArgumentsError("no file \udc80", "see \udc80")]
)
def test_an_error_that_no_frame_can_hold_is_told_as_far_as_it_can_be(error: Exception, later: bool) -> None:
    """Whoever asked is answered, at once or later, and the peer goes on."""

    async def refuse_later() -> None:
        raise error

    def refuse(method: str, params: Any) -> Any:
        if later:
            return refuse_later()
        raise error

    async def test() -> None:
        async with connected(refuse) as (peer, stranger, _):
            stranger.send(REQUEST, 1, "open", None)
            kind, id, body = await stranger.receive()
            assert (kind, id, "no file \\udc80" in body["detail"]) == (ERROR, 1, True)
            assert body["code"] == getattr(error, "code", HandlerError.CODE)
            assert not peer.closed

    run(test)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("kind", "body"), [(RESPONSE, 3), (ERROR, {"code": "unknown", "detail": "no"})])
def test_only_a_result_has_its_time_told_and_only_once(kind: int, body: Any, together: bool) -> None:
    """Not an error, not a method that nobody times, not what is answered again, which ends the peer."""
    took: list[float] = []

    async def test() -> None:
        async with connected(timed=["timed"], on_times=took.extend) as (peer, stranger, closing):
            names = ("timed", "other", "timed")
            calls = [asyncio.ensure_future(peer.call(name, 1, timeout_s=5)) for name in names]
            ids = [(await stranger.receive())[1] for _ in calls]
            frames = [pack([kind, id, body]) for id in ids]
            if together:
                os.write(stranger.fd_out, b"".join(frames))
            else:
                for frame, call in zip(frames, calls, strict=True):
                    os.write(stranger.fd_out, frame)
                    await asyncio.wait([call])
            await asyncio.wait(calls)
            assert [call.exception() is None for call in calls] == [kind == RESPONSE] * 3
            stranger.send(RESPONSE, ids[0], 3)
            await closing.happened.wait()
            assert isinstance(closing.reasons[0], FrameError)

    run(test)
    assert [0 <= each < 10 for each in took] == [True] * (2 * (kind == RESPONSE))


def test_an_answer_in_the_turn_in_which_its_caller_gives_up_is_nobodys() -> None:
    """It is not counted, and those that come with it are others' as ever."""
    took: list[float] = []

    async def test() -> None:
        async with connected(timed=["timed"], on_times=took.extend) as (peer, stranger, _):
            asked = [peer.ask("timed", number, 5) for number in range(3)]
            for _ in asked:
                await stranger.receive()
            os.write(stranger.fd_out, b"".join(pack([RESPONSE, id, id]) for id, _, _ in asked))
            asked[1][1].cancel()
            assert await asked[2][1] == asked[2][0]
            assert (await asked[0][1], peer.closed) == (asked[0][0], False)

    run(test)
    assert len(took) == 2


def test_a_peer_that_ends_while_it_is_asked_is_not_waited_for() -> None:
    """More waits for it than may: it is closed before the question is out."""
    waits = Waits()

    async def test() -> None:
        ours, theirs = os.pipe()
        other, ours_out = os.pipe()
        peer = Peer(
            ours,
            ours_out,
            on_request=lambda method, params: None,
            on_event=lambda name, data: None,
            on_close=lambda reason: None,
            limits=Limits(unsent_bytes=100_000),
            awake_s=1.0,
            waits=waits,
        )
        peer.start()
        try:
            _, future, _ = peer.ask("echo", "x" * 1_000_000, None)
            assert peer.closed
            assert not peer._unsent
            with pytest.raises(FrameError):
                await future
            assert not waits.since
        finally:
            os.close(theirs)
            os.close(other)

    run(test)


def test_what_is_under_way_is_known_until_the_end_has_been_told() -> None:
    """With parameters and beginning; whoever hears of the end sees what it has ended, and nothing is left."""
    seen: list[tuple[str, Any]] = []

    async def test() -> None:
        async with connected() as (peer, stranger, closing):

            def told(reason: ViloError | None) -> None:
                seen.extend((method, params) for method, params, _ in peer.under_way())
                closing(reason)
                raise RuntimeError("of whoever is told")

            peer._on_close = told
            call = asyncio.ensure_future(peer.call("echo", [1], timeout_s=5))
            await stranger.receive()
            ((method, params, began),) = peer.under_way()
            assert (method, params) == ("echo", [1])
            assert 0 <= monotonic() - began < 10
            with pytest.raises(RuntimeError, match="of whoever is told"):
                peer.close()
            assert (list(peer.under_way()), peer.outstanding) == ([], 0)
            with pytest.raises(WorkerLostError):
                await call

    run(test)
    assert seen == [("echo", [1])]


@pytest.mark.parametrize("behind", [b"", pack([EVENT, "e", 1])], ids=["alone", "with another"])
@pytest.mark.parametrize(
    ("requests", "answer", "why"),
    [
        ([1, 1], "never", "still under way"),
        ([1, 2, 3, 4], "never", "more than 3"),
        ([1], "odd", "could not be handled"),
    ],
)
def test_a_request_is_refused_alone_as_it_is_among_others(
    requests: list[int], answer: str, why: str, behind: bytes
) -> None:
    """An id in use, too many, a result that fails as it is encoded: the connection ends, and says why."""

    class Odd(dict[str, int]):
        def items(self) -> Any:
            raise KeyError("odd")

    def handle(method: str, params: Any) -> Any:
        return Odd(a=1) if answer == "odd" else asyncio.Event().wait()

    async def test() -> None:
        async with connected(handle, limits=Limits(outstanding=3)) as (peer, stranger, closing):
            for number, id in enumerate(requests):
                os.write(stranger.fd_out, pack([REQUEST, id, "x", None]) + behind)
                while not peer.closed and len(peer._tasks) <= number and not closing.reasons:
                    await asyncio.sleep(0)
            await closing.happened.wait()
            (reason,) = closing.reasons
            assert reason is not None
            assert why in reason.detail

    run(test)
