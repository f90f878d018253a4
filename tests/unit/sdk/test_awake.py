"""A worker that may waits awake for what a brisk host says next, and never for longer than it was told."""

import asyncio
import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from viloapp_sdk._wire import AWAKE, EVENT, HELLO, REQUEST, greeting, pack
from viloapp_sdk.worker import _channel
from viloapp_sdk.worker._channel import Channel
from viloapp_sdk.worker._loop import Loop

STEP_S = 1e-5


@pytest.fixture
def pipes() -> Iterator[tuple[int, int, int, int]]:
    """What a worker reads from and its writing end, where it is read and what it writes to."""
    fds = (*os.pipe(), *os.pipe())
    yield fds
    for fd in fds:
        os.close(fd)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """Let a hundredth of a millisecond pass at each look at the clock."""
    steps = count()

    def look() -> float:
        return next(steps) * STEP_S

    monkeypatch.setattr(_channel, "monotonic", look)
    return look


class Looks:
    """Counts how often it was looked whether something has arrived."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, timeout: int) -> bool:
        """Nothing has."""
        self.count += 1
        return False


def served(
    pipes: tuple[int, int, int, int], awake_s: float | None, requests: int, *, looking: bool = True
) -> tuple[Channel, Looks]:
    """Have a channel serve so many requests, each sent when the one before is being answered.

    Args:
        pipes: where.
        awake_s: seconds that it may wait without sleeping, in the host's greeting.
        requests: how many.
        looking: whether it has already loaded what it looks with.
    """
    fd_in, host_out, _, fd_out = pipes
    channel, looks, left = Channel(fd_in, fd_out), Looks(), iter(range(requests))
    channel._arrived = looks if looking else None

    def handle(method: str, params: object) -> None:
        if (id := next(left, None)) is None:
            channel.stop()
        else:
            os.write(host_out, pack([REQUEST, id + 1, "next", None]))

    channel.handle = handle
    hello = greeting() if awake_s is None else [HELLO, {"protocol": 1, AWAKE: awake_s}]
    os.write(host_out, pack(hello))
    os.write(host_out, pack([REQUEST, 0, "first", None]))
    channel.serve()
    return channel, looks


def test_a_worker_that_may_not_sleeps(pipes: tuple[int, int, int, int]) -> None:
    """A host that says nothing of it, an older one too, has workers that sleep."""
    assert served(pipes, None, 5)[1].count == 0


def test_a_worker_waits_awake_for_a_brisk_host(pipes: tuple[int, int, int, int]) -> None:
    """It looks until its time is over, and then reads as it always did."""
    channel, looks = served(pipes, 20 * STEP_S, 5)
    assert looks.count >= 10
    assert channel._stopping


def test_a_worker_that_gets_several_requests_at_once_sleeps(pipes: tuple[int, int, int, int]) -> None:
    """While it serves the one the next arrives; between them there is nothing to wait for."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel._wrote_at = 20 * STEP_S, 1.0  # so that what comes is brisk
    request = pack([REQUEST, 0, "next", None])
    for at_once, brisk in ((1, True), (2, False), (1, True)):
        os.write(pipes[1], at_once * request)
        channel._read_frame()
        assert channel.brisk is brisk


def test_an_event_says_nothing_of_how_brisk_a_host_is(pipes: tuple[int, int, int, int]) -> None:
    """Nobody has asked for it, so a worker that hears of one sleeps or stays awake as it did."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel._wrote_at = 1000 * STEP_S, 0.0
    channel._arrived = lambda timeout: True
    for brisk in (False, True):
        channel.brisk = brisk
        os.write(pipes[1], pack([EVENT, "happened", {}]))
        channel._read_frame()
        assert channel.brisk is brisk


def test_the_rest_of_a_frame_is_waited_for_awake(pipes: tuple[int, int, int, int]) -> None:
    """A host writes a large one in two goes, and is at the second when the first is here."""
    channel = Channel(pipes[0], pipes[3])
    frame = pack([REQUEST, 0, "next", "x" * 8000])
    rests = iter([frame[:100], frame[100:5000], frame[5000:]])

    def arrives(timeout: int) -> bool:
        os.write(pipes[1], next(rests))
        return True

    channel._awake_s, channel._wrote_at, channel.brisk = 1000 * STEP_S, 0.0, True
    channel._arrived = arrives
    channel._read_frame()
    assert channel.inbox == [[REQUEST, 0, "next", "x" * 8000]]
    assert next(rests, None) is None


@pytest.mark.parametrize(("requests", "loaded"), [(1, False), (12, True)])
def test_a_start_loads_nothing_to_look_with(
    pipes: tuple[int, int, int, int], requests: int, loaded: bool
) -> None:
    """The few frames of a start come briskly, too; a worker that is then left alone needs no `select`."""
    channel, _ = served(pipes, 20 * STEP_S, requests, looking=False)
    assert (channel._arrived is not None) == loaded


def test_waiting_in_vain_is_not_repeated(pipes: tuple[int, int, int, int]) -> None:
    """Once the time is over it sleeps, until the host has been brisk by itself again."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel.brisk, channel._arrived = 20 * STEP_S, True, (looks := Looks())
    channel._wrote_at = 0.0
    channel._stay_awake()
    assert 10 <= looks.count <= 25  # and not one more after it was over
    assert not channel.brisk


def test_what_is_in_vain_is_tried_ever_less(
    pipes: tuple[int, int, int, int], clock: Callable[[], float]
) -> None:
    """A host on the same processor answers at once when it is slept for, and never when it is not."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel._arrived = 20 * STEP_S, Looks()

    def naps(*, in_vain: bool) -> int:
        """Hear from the host until it is waited for awake; return how often it was slept for before."""
        for slept in range(200):
            channel._wrote_at = clock()
            if channel.brisk:
                if in_vain:
                    channel._stay_awake()
                channel.came()
                return slept
            channel.came()
        raise AssertionError("it is never tried again")

    assert naps(in_vain=False) == 1  # nothing is known of it
    assert [naps(in_vain=True) for _ in range(8)] == [0, 2, 4, 8, 16, 32, 64, 64]
    assert naps(in_vain=False) == 64
    assert [naps(in_vain=True) for _ in range(3)] == [0, 2, 4]


@pytest.mark.parametrize(("steps", "brisk"), [(30, True), (50, False)])
def test_who_slept_is_woken_late_and_does_not_blame_the_host(
    pipes: tuple[int, int, int, int], clock: Callable[[], float], steps: int, brisk: bool
) -> None:
    """It has twice the time, or one late answer would make all that follow late."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel._wrote_at = 20 * STEP_S, clock() - steps * STEP_S
    channel.came()
    assert channel.brisk is brisk


def test_a_worker_without_what_it_looks_with_has_slept(pipes: tuple[int, int, int, int]) -> None:
    """So that one that is called now and then does not take what comes late for brisk, and load it."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel.brisk, channel._wrote_at = 20 * STEP_S, True, -1.0
    channel._stay_awake()
    channel.came()
    assert not channel.brisk


def test_what_has_arrived_is_seen(pipes: tuple[int, int, int, int]) -> None:
    """With the system's own look: nothing there, then a byte."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel.brisk, channel._wrote_at, channel._sleeps = STEP_S, True, 0.0, 0
    channel._stay_awake()
    assert not channel.brisk
    os.write(pipes[1], b"x")
    channel.brisk = True
    channel._stay_awake()
    assert channel.brisk


def test_an_event_loop_turns_for_as_long(pipes: tuple[int, int, int, int]) -> None:
    """The loop of a plugin with asynchronous handlers goes on turning, and sleeps when its time is over."""
    channel = Channel(pipes[0], pipes[3])
    channel._awake_s, channel._wrote_at, channel.brisk = 10 * STEP_S, 0.0, True
    loop = Loop(channel)
    loop._expect()
    turns = 0

    async def until_asleep() -> None:
        nonlocal turns
        while loop._awake:
            turns += 1
            await asyncio.sleep(0)

    loop._loop.run_until_complete(until_asleep())
    loop._loop.close()
    assert 8 <= turns <= 14
    assert not channel.brisk
