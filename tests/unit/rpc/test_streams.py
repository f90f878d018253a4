"""The host's end of a stream, with the other end in the hand of a test."""

import asyncio

import pytest

from viloapp_core.rpc import Incoming, pair


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
