"""Many plugins start in the order in which they were asked for, a few at a time, and none for ever."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from viloapp_core.supervise import turns
from viloapp_core.supervise.turns import Turns


def _bounded(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(limited())


def test_as_many_as_allowed_and_the_others_in_order() -> None:
    """Two go at once; a turn that is over, however often that is said, lets exactly one more begin."""

    async def test() -> None:
        handed, begun = Turns(2), []

        async def start(number: int) -> turns.Turn:
            turn = await handed.take()
            begun.append(number)
            return turn

        tasks = [asyncio.create_task(start(number)) for number in range(5)]
        first, second = await tasks[0], await tasks[1]
        assert begun == [0, 1]
        assert not first.waited
        first.over()
        first.over()
        third = await tasks[2]
        await asyncio.sleep(0)
        assert begun == [0, 1, 2]
        assert third.waited
        tasks[3].cancel()  # whoever gives up takes no turn with it
        second.over()
        await tasks[4]
        assert begun == [0, 1, 2, 4]

    _bounded(test)


def test_nobody_holds_up_the_others_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that is never said to be over ends by itself."""
    monkeypatch.setattr(turns, "MOST_S", 0.01)

    async def test() -> None:
        handed = Turns(1)
        for _ in range(3):
            await handed.take()

    _bounded(test)
