"""A peer whose answers come at once is waited for without sleeping, and for no longer than that pays."""

import asyncio
import math
import os
import selectors
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import pytest

from viloapp_core.rpc import Peer, Waits, peer
from viloapp_sdk._wire import HELLO, REQUEST, RESPONSE, FrameBuffer, pack

AWAKE_S = 1e-4
TURN_S = 1e-5
"""What the clock of these tests advances by in a turn of the loop."""


class Turns(selectors.DefaultSelector):
    """Counts the turns of a loop that did not sleep, and does something before it would."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1.0
        self.awake = 0
        self.before_sleep: Callable[[], object] | None = None

    def select(self, timeout: float | None = None) -> Any:
        """Look, and let time pass."""
        self.now += TURN_S
        if timeout == 0:
            self.awake += 1
        elif self.before_sleep is not None:
            self.before_sleep()
            timeout = 0  # there is something to do now
        return super().select(timeout)


class Scene:
    """A peer that has greeted, and its other end."""

    def __init__(self, turns: Turns, **options: Any) -> None:
        self.turns = turns
        self.asked: list[int] = []
        our_in, self.fd_out = os.pipe()
        self.fd_in, our_out = os.pipe()
        self.peer = Peer(
            our_in,
            our_out,
            on_request=lambda method, params: params,
            on_event=lambda name, data: None,
            on_close=lambda reason: None,
            **options,
        )
        self.peer.start()
        self._buffer = FrameBuffer()
        self.greeting = self.read()[1]
        self.write(HELLO, {"protocol": 1})

    def read(self) -> list[Any]:
        """Return the next frame that the peer wrote."""
        while (frame := self._buffer.take()) is None:
            self._buffer.read_from(self.fd_in)
        return frame

    def write(self, *frame: Any) -> None:
        """Send a frame to the peer."""
        os.write(self.fd_out, pack(list(frame)))

    def answer(self) -> None:
        """Answer the latest call."""
        self.write(RESPONSE, self.read()[1], None)

    async def call(self, *, at_once: bool) -> int:
        """Call; return how many turns of the loop passed awake until there was the answer."""
        if not at_once:
            self.turns.before_sleep = self.answer
        _, future, _ = self.peer.ask("ping", None, 5)
        if at_once:
            self.answer()
        before = self.turns.awake
        await future
        self.turns.before_sleep = None
        return self.turns.awake - before


def play(monkeypatch: pytest.MonkeyPatch, test: Callable[[Scene], Awaitable[None]], **options: Any) -> None:
    """Run a scene on a loop whose turns are the only clock that the peer knows."""
    turns = Turns()
    monkeypatch.setattr(peer, "monotonic", lambda: turns.now)

    async def scene() -> None:
        played = Scene(turns, **options)
        try:
            async with asyncio.timeout(20):
                await played.peer.ready
                await test(played)
        finally:
            played.peer.close()
            os.close(played.fd_in)
            os.close(played.fd_out)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(turns)) as runner:
        runner.run(scene())


def test_the_loop_turns_for_a_brisk_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the time is over; what was waited for in vain once is slept for at the next time."""

    async def test(scene: Scene) -> None:
        assert await scene.call(at_once=False) <= 2  # nothing is known of it
        assert await scene.call(at_once=True) <= 2
        assert 8 <= await scene.call(at_once=False) <= 12  # AWAKE_S by TURN_S
        assert await scene.call(at_once=False) <= 2  # it was in vain
        assert await scene.call(at_once=True) <= 2  # and it is brisk again by itself
        assert await scene.call(at_once=False) >= 8

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_what_is_in_vain_is_tried_ever_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer on the same processor answers at once when it is slept for, and never when it is not."""

    async def test(scene: Scene) -> None:
        async def naps() -> int:
            """Call until one is waited for awake, in vain; return how many were slept for before."""
            for slept in range(200):
                turns = scene.turns.awake
                _, future, _ = scene.peer.ask("ping", None, 5)
                scene.turns.before_sleep = scene.answer
                await future
                scene.turns.before_sleep = None
                if scene.turns.awake - turns >= 8:
                    return slept
            raise AssertionError("it is never tried again")

        await scene.call(at_once=True)
        assert [await naps() for _ in range(8)] == [0, 2, 4, 8, 16, 32, 64, 64]
        for _ in range(80):
            await scene.call(at_once=True)  # at last one is waited for awake, and answers
        assert [await naps() for _ in range(3)] == [0, 2, 4]

    play(monkeypatch, test, awake_s=AWAKE_S)


@pytest.mark.parametrize(("late", "brisk"), [(1.5, True), (2.5, False)])
def test_who_slept_is_woken_late_and_does_not_blame_the_peer(
    monkeypatch: pytest.MonkeyPatch, late: float, brisk: bool
) -> None:
    """Or one late answer would make all that follow late: each would be slept for."""

    async def test(scene: Scene) -> None:
        _, future, _ = scene.peer.ask("ping", None, 5)
        scene.turns.now += late * AWAKE_S
        scene.answer()
        await future
        turns = await scene.call(at_once=False)
        assert turns >= 8 if brisk else turns <= 2

    play(monkeypatch, test, awake_s=AWAKE_S)


@pytest.mark.parametrize(("others", "awake"), [(1, True), (15, True), (16, False)])
def test_of_several_calls_at_once_a_few_are_waited_for_awake(
    monkeypatch: pytest.MonkeyPatch, others: int, awake: bool
) -> None:
    """Of many one covers for the other; one that is alone later is waited for awake again."""

    async def test(scene: Scene) -> None:
        await scene.call(at_once=True)
        asked = [scene.peer.ask("ping", None, 5) for _ in range(others)]
        for _ in asked:
            scene.read()
        turns = await scene.call(at_once=False)
        assert turns >= 8 if awake else turns <= 3
        for id, answer, _ in asked:
            scene.write(RESPONSE, id, None)
            await answer
        for _ in range(2):
            await scene.call(at_once=True)
        assert await scene.call(at_once=False) >= 8

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_a_call_that_is_sent_with_others_is_waited_for_awake_where_it_is_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What else goes out at the end of the turn, an event for one, is no call."""

    async def test(scene: Scene) -> None:
        await scene.call(at_once=True)
        scene.peer._gather()
        assert await scene.call(at_once=False) >= 8

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_the_rest_of_a_frame_is_waited_for_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large answer comes in parts, of which the first says that it is on its way."""

    async def test(scene: Scene) -> None:
        await scene.call(at_once=True)
        id, future, _ = scene.peer.ask("ping", None, 5)
        answer = pack([RESPONSE, id, "x" * 5000])
        os.write(scene.fd_out, answer[:4096])
        scene.turns.before_sleep = lambda: os.write(scene.fd_out, answer[4096:])
        before = scene.turns.awake
        await future
        assert scene.turns.awake - before >= 8

    play(monkeypatch, test, awake_s=AWAKE_S)


@pytest.mark.parametrize(
    ("others", "awake_s", "expected"), [(0, AWAKE_S, True), (16, AWAKE_S, False), (0, 0.0, False)]
)
def test_for_the_rest_of_a_frame_nobody_stays_awake_who_does_not_otherwise(
    monkeypatch: pytest.MonkeyPatch, others: int, awake_s: float, expected: bool
) -> None:
    """Not beside many calls, nor where it is not allowed."""

    async def test(scene: Scene) -> None:
        asked = [scene.peer.ask("ping", None, 5) for _ in range(others + 1)]
        answer = pack([RESPONSE, asked[0][0], "x" * 9000])
        os.write(scene.fd_out, answer[:5000])
        while not scene.peer._buffer.end:
            await asyncio.sleep(0)
        assert scene.peer._expecting is expected
        os.write(scene.fd_out, answer[5000:])
        await asked[0][1]
        for id, *_ in asked[1:]:
            scene.write(RESPONSE, id, None)
        await asyncio.gather(*(future for _, future, _ in asked))

    play(monkeypatch, test, awake_s=awake_s)


def test_for_what_is_here_and_waits_for_its_turn_nobody_stays_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the peer that is waited for."""

    async def test(scene: Scene) -> None:
        asked = [scene.peer.ask("ping", None, 5) for _ in range(80)]
        os.write(scene.fd_out, b"".join(pack([RESPONSE, id, "x" * 100]) for id, *_ in asked))
        scene.peer._readable()
        assert scene.peer._waiting
        assert 0 < len(scene.peer._calls) <= 16
        assert not scene.peer._expecting
        await asyncio.gather(*(future for _, future, _ in asked))

    play(monkeypatch, test, awake_s=AWAKE_S)


@pytest.mark.parametrize(("calls", "expected"), [(0, False), (1, True), (16, True), (17, False)])
def test_who_answers_in_a_call_expects_the_peer_to_go_on(
    monkeypatch: pytest.MonkeyPatch, calls: int, expected: bool
) -> None:
    """One that asks without having been called has nothing to say to the answer."""

    async def test(scene: Scene) -> None:
        asked = [scene.peer.ask("ping", None, 5) for _ in range(calls)]
        scene.write(REQUEST, 1, "get", None)
        scene.peer._readable()
        assert scene.peer._expecting is expected
        for id, *_ in asked:
            scene.write(RESPONSE, id, None)
        await asyncio.gather(*(future for _, future, _ in asked))

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_nobody_stays_awake_for_a_call_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What still comes is nobody's."""

    async def test(scene: Scene) -> None:
        await scene.call(at_once=True)
        id, future, _ = scene.peer.ask("ping", None, 5)
        scene.peer.leave(id)
        future.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        assert not scene.peer._awake

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_a_frame_that_comes_byte_by_byte_keeps_nobody_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin could have the host turn for as long as it likes: nothing says when a frame has to end."""

    async def test(scene: Scene) -> None:
        await scene.call(at_once=True)
        id, future, _ = scene.peer.ask("ping", None, 5)
        answer = pack([RESPONSE, id, "x" * 9000])
        pieces = iter([answer[at : at + 1] for at in range(5000, 5020)])
        os.write(scene.fd_out, answer[:5000])
        scene.turns.before_sleep = lambda: os.write(scene.fd_out, next(pieces, answer[5020:]))
        await asyncio.sleep(0)
        while scene.peer._awake:
            await asyncio.sleep(0)
        before = scene.turns.awake
        await future
        assert scene.turns.awake - before <= 25

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_how_long_it_takes_to_ask_says_nothing_of_who_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large question is written for longer than an answer may take to be a brisk one."""

    async def test(scene: Scene) -> None:
        write = Peer._write

        def slow(of: Peer, data: Any) -> int:
            scene.turns.now += AWAKE_S
            return write(of, data)

        monkeypatch.setattr(Peer, "_write", slow)
        for _ in range(2):  # the first of them is packed as all before it was
            _, future, _ = scene.peer.ask("ping", "x" * 50_000, 5)
            scene.answer()
            await future
        monkeypatch.setattr(Peer, "_write", write)
        assert await scene.call(at_once=False) >= 8

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_nobody_stays_awake_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the time for it the loop sleeps until the answer is there."""

    async def test(scene: Scene) -> None:
        assert await scene.call(at_once=True) <= 2
        assert await scene.call(at_once=False) <= 2

    play(monkeypatch, test)


def test_for_how_long_an_answer_is_waited_for_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the question until the answer, or the end; infinite where nothing is waited for, or nobody may."""
    waits = Waits()

    async def test(scene: Scene) -> None:
        monkeypatch.setattr("viloapp_core.rpc.waits.monotonic", lambda: scene.turns.now)
        said = [waits.waited_s()]
        _, future, _ = scene.peer.ask("ping", None, 5)
        said.append(waits.waited_s())
        scene.turns.now += 2
        said.append(waits.waited_s())
        scene.answer()
        await future
        said.append(waits.waited_s())
        assert said == [math.inf, 0, 2, math.inf]
        scene.peer.ask("ping", None, 5)
        scene.peer.close()
        assert waits.waited_s() == math.inf

    async def never(scene: Scene) -> None:
        _, future, _ = scene.peer.ask("ping", None, 5)
        assert waits.waited_s() == math.inf
        scene.answer()
        await future

    play(monkeypatch, test, awake_s=AWAKE_S, waits=waits)
    play(monkeypatch, never, waits=waits)


def test_who_asks_in_a_call_is_not_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a plugin that asks without end would make others wait for as long as it likes."""
    waits = Waits()

    async def test(scene: Scene) -> None:
        monkeypatch.setattr("viloapp_core.rpc.waits.monotonic", lambda: scene.turns.now)
        _, future, _ = scene.peer.ask("ping", None, 5)
        scene.write(REQUEST, 1, "get", None)
        for _ in range(4):
            await asyncio.sleep(0)  # it is asked, and answers
        assert waits.waited_s() == math.inf
        scene.answer()
        await future

    play(monkeypatch, test, awake_s=AWAKE_S, waits=waits)


def test_who_was_asked_last_is_who_is_waited_for() -> None:
    """One that never answers hides nobody."""
    waits = Waits()
    waits.since.update(hangs=monotonic() - 1000, asked=monotonic())
    assert waits.waited_s() < 500


def test_a_peer_that_only_asks_keeps_nobody_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that asks again and again, and was not called, costs the host what it asks and no more."""

    async def test(scene: Scene) -> None:
        await scene.call(at_once=True)
        for id in (1, 2, 3):
            scene.write(REQUEST, id, "get", None)
            for _ in range(4):
                await asyncio.sleep(0)  # it is asked, and answers
            assert scene.read()[0] == RESPONSE
            before, slept = scene.turns.awake, asyncio.get_running_loop().create_future()
            scene.turns.before_sleep = lambda slept=slept: slept.done() or slept.set_result(None)
            await slept
            scene.turns.before_sleep = None
            assert scene.turns.awake - before <= 2

    play(monkeypatch, test, awake_s=AWAKE_S)


def test_a_peer_is_told_for_how_long_it_may_wait_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the greeting; where it may not, nothing is said."""

    async def told(scene: Scene) -> None:
        assert scene.greeting["awake_s"] == AWAKE_S

    async def not_told(scene: Scene) -> None:
        assert "awake_s" not in scene.greeting

    play(monkeypatch, told, peer_awake_s=AWAKE_S)
    play(monkeypatch, not_told, awake_s=AWAKE_S)
