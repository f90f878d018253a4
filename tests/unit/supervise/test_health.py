"""What the host makes of a plugin's answers to a check, and of none."""

import asyncio
from typing import Any

import pytest

from tests.unit.rpc.test_peer import Stranger, connected
from viloapp_core.rpc import Peer
from viloapp_core.supervise import health
from viloapp_core.supervise.health import Verdict, examine, expect_answers
from viloapp_sdk._wire import ERROR, REQUEST, RESPONSE
from viloapp_sdk.errors import DeadlineExceededError

SOON = 0.05


async def _answered(stranger: Stranger, *frames: tuple[int, Any]) -> list[str]:
    """Answer one request after the other; return what was asked."""
    asked = []
    for kind, body in frames:
        request = await stranger.receive()
        assert request[0] == REQUEST
        asked.append(request[2])
        stranger.send(kind, request[1], body)
    return asked


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((RESPONSE, None), Verdict("healthy")),
        ((RESPONSE, "it returned False"), Verdict("unhealthy", "it returned False")),
        ((RESPONSE, {"any": "thing"}), Verdict("unhealthy", "its answer is no text")),
        ((ERROR, {"code": "handler_failed", "detail": "gone"}), Verdict("unhealthy", "gone")),
    ],
)
def test_what_it_says(answer: tuple[int, Any], found: Verdict) -> None:
    """Nothing is well, a text is why not, an error too."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            verdict, asked = await asyncio.gather(examine(peer, 5), _answered(stranger, answer))
            assert (verdict, asked) == (found, ["health"])

    asyncio.run(test())


def test_a_worker_of_an_older_sdk_is_pinged() -> None:
    """It knows no checks; that it answers is enough."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            unknown = (ERROR, {"code": "bad_frame", "detail": "the worker has no method 'health'"})
            answers = _answered(stranger, unknown, (RESPONSE, "pong"))
            verdict, asked = await asyncio.gather(examine(peer, 5), answers)
            assert (verdict.found, asked) == ("healthy", ["health", "ping"])

    asyncio.run(test())


def test_silence_is_judged_only_of_who_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call under way, before the check or since, is reason to be silent; what was given up is not."""
    monkeypatch.setattr(health, "GRACE_S", SOON)

    async def test() -> None:
        async with connected() as (peer, _, __):
            assert (await examine(peer, SOON)).found == "hung"
            assert peer.given_up
            assert (await examine(peer, SOON)).found == "hung"
        async with connected() as (peer, _, __):
            busy = asyncio.ensure_future(peer.call("command", ["a", {}], timeout_s=60))
            await asyncio.sleep(0)
            assert (await examine(peer, SOON)).found == "unknown"
            busy.cancel()
        async with connected() as (peer, _, __):
            checking = asyncio.ensure_future(examine(peer, SOON))
            await asyncio.sleep(0)
            busy = asyncio.ensure_future(peer.call("command", ["a", {}], timeout_s=60))
            assert (await checking).found == "unknown"
            busy.cancel()

    asyncio.run(test())


def test_who_does_not_even_read_hangs() -> None:
    """So much waits for it that it would not be asked: that it does not read is the answer."""

    async def test() -> None:
        async with connected() as (peer, _, __):
            while not peer.behind:
                peer.notify("news", "x" * 1_000_000)
            assert (await examine(peer, SOON)).found == "hung"

    asyncio.run(test())


def test_who_ends_meanwhile_is_not_judged() -> None:
    """Its end says more, and comes by another way."""

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            checking = asyncio.ensure_future(examine(peer, 5))
            await stranger.receive()
            peer.close()
            assert (await checking).found == "unknown"

    asyncio.run(test())


def test_each_call_that_is_given_up_has_a_grace_period_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that answered the first in time does not hang because the next was given up just before."""
    monkeypatch.setattr(health, "GRACE_S", SOON)

    async def given_up(peer: Peer) -> None:
        with pytest.raises(DeadlineExceededError):
            await peer.call("command", ["a", {}], timeout_s=0.001)

    async def test() -> None:
        async with connected() as (peer, stranger, _):
            told: list[str] = []
            stuck = asyncio.Event()
            await given_up(peer)
            expect_answers(peer, lambda: told.append("first"))
            await _answered(stranger, (RESPONSE, None))
            await peer.settle()
            await given_up(peer)
            expect_answers(peer, lambda: told.append("second"))
            expect_answers(peer, stuck.set)
            await stuck.wait()
            assert told == ["second"]

    asyncio.run(test())
