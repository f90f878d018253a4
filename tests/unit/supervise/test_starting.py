"""A start that fails, and is called off while it is found out why."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from viloapp_core.supervise import starting
from viloapp_core.supervise.turns import Turns
from viloapp_sdk.errors import WorkerLostError


class Stuck:
    """A process that did not get ready, and about which it takes for ever to know more."""

    def __init__(self, *_: object) -> None:
        self.looked_into = asyncio.Event()
        self.gone = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.peer = SimpleNamespace(ready=asyncio.get_running_loop().create_future(), call=self._call)

    async def _call(self, *_: object, timeout_s: None) -> Any:
        return await self.peer.ready

    async def trace(self) -> str:
        """Say where it hangs, never."""
        self.looked_into.set()
        await asyncio.Event().wait()
        return ""

    async def abandon(self) -> None:
        """End it."""
        self.gone = True


@pytest.mark.parametrize("lost", [False, True])
def test_a_start_that_is_called_off_while_it_fails_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, *, lost: bool
) -> None:
    """Not while it is asked where it hangs, nor while it is left to end by itself."""

    async def launch(*_: object) -> None:
        return None

    async def test() -> None:
        begun: list[Stuck] = []
        monkeypatch.setattr(starting, "launch", launch)
        monkeypatch.setattr(starting, "Life", Stuck)
        around = SimpleNamespace(admit=lambda _: None, turns=Turns())
        monkeypatch.setattr(starting, "_params", lambda *_: {})
        limits = SimpleNamespace(startup_time=60 if lost else 0.001)
        work = starting.start(*cast(Any, (None, around, limits, None, begun.append)))
        task = asyncio.ensure_future(work)
        while not begun:
            await asyncio.sleep(0)
        if lost:
            begun[0].peer.ready.set_exception(WorkerLostError("the process is gone"))
            for _ in range(10):
                await asyncio.sleep(0)
        else:
            await begun[0].looked_into.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert begun[0].gone

    asyncio.run(test())
