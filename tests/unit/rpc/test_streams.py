"""The host's end of a stream, with the other end in the hand of a test."""

import asyncio

import pytest

from viloapp_core.rpc import Incoming, pair
from viloapp_sdk.errors import ViloError, WorkerLostError


def test_a_piece_that_came_as_its_reader_gave_up_is_kept_for_the_next() -> None:
    """What was read of the socket cannot be read of it again."""

    async def scenario() -> None:
        ours, theirs = pair()
        incoming = Incoming(ours)
        with theirs:
            reading = asyncio.create_task(incoming.read(30))
            await asyncio.sleep(0)
            theirs.send(b"first")
            while not incoming._waiter.done():  # type: ignore[union-attr]
                incoming._readable()  # as the loop does; the reader has not run yet
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            theirs.send(b"second")
            assert await incoming.read(30) == b"first"
            assert await incoming.read(30) == b"second"
        incoming.close()

    asyncio.run(scenario())


def test_a_second_piece_that_is_there_is_read_at_once_and_a_third_after_others_had_their_turn() -> None:
    """A turn of the loop for each piece costs half of reading it; none at all would keep all else waiting."""

    async def scenario() -> None:
        ours, theirs = pair()
        incoming, turns = Incoming(ours), list[str]()
        with theirs:
            theirs.send(b"first")
            assert await incoming.read(30) == b"first"
            theirs.send(b"second")
            asyncio.get_running_loop().call_soon(turns.append, "another's")
            assert await incoming.read(30) == b"second"
            assert not turns
            theirs.send(b"third")
            assert await incoming.read(30) == b"third"
            assert turns
        incoming.close()

    asyncio.run(scenario())


def test_a_reset_that_is_met_where_a_second_piece_was_looked_for_is_the_end() -> None:
    """The system tells of it once, and of the end from then on."""

    async def scenario() -> None:
        ours, theirs = pair()
        incoming = Incoming(ours)
        theirs.send(b"first")
        assert await incoming.read(30) == b"first"
        ours.send(b"never read")
        theirs.close()  # with something unread in it: a reset
        incoming.say(None)
        assert await incoming.read(30) == b""
        incoming.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [None, WorkerLostError("the process is gone")])
def test_an_end_that_is_met_where_a_second_piece_was_looked_for_is_the_end(error: ViloError | None) -> None:
    """And what the worker said of it is told."""

    async def scenario() -> None:
        ours, theirs = pair()
        incoming = Incoming(ours)
        with theirs:
            theirs.send(b"first")
            assert await incoming.read(30) == b"first"
        incoming.say(error)
        if error is None:
            assert await incoming.read(30) == b""
        else:
            with pytest.raises(WorkerLostError):
                await incoming.read(30)
        incoming.close()

    asyncio.run(scenario())
