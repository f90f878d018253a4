"""Many relays of one plugin at once, over real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from viloapp_core.broker import relay
from viloapp_core.broker.relay import Relay, Turns

COUNT = 40
Far = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[list[tuple[Far, Far]]]:
    """Pairs for as many relays: (the network's end, ours), (ours, the plugin's end)."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(COUNT):
            pairs = socket.socketpair(), socket.socketpair()
            for pair in pairs:
                for each in pair:
                    each.setblocking(False)
                    stack.enter_context(each)
            made.append(pairs)
        yield made


def fill(sock: socket.socket) -> int:
    """Send what the socket takes, and return how much that was."""
    total = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            total += sock.send(b"x" * 65536)
    return total


def drain(sock: socket.socket) -> int:
    """Receive what is there, and return how much that was."""
    total = 0
    with contextlib.suppress(BlockingIOError):
        while data := sock.recv(1 << 20):
            total += len(data)
    return total


def test_together_they_move_a_bounded_amount_in_a_turn(ends: list[tuple[Far, Far]]) -> None:
    """Each of them gets on, both ways, and all of it arrives."""

    async def scenario() -> None:
        turns = Turns()
        relays = [Relay(near, local, lambda error: None, turns) for (_, near), (local, _) in ends]
        sent = [(fill(network), fill(plugin)) for (network, _), (_, plugin) in ends]
        got = [[0, 0] for _ in ends]
        moved: list[int] = []
        before, first_round = 0, 0
        while [tuple(row) for row in got] != [(up, down) for down, up in sent]:
            await asyncio.sleep(0)
            now = sum(each.sent + each.received for each in relays)
            moved.append(now - before)
            before = now
            for row, ((network, _), (_, plugin)) in zip(got, ends, strict=True):
                row[0] += drain(network)
                row[1] += drain(plugin)
            if not first_round and all(map(all, got)):
                first_round = len(moved)
        # Those that begin a turn, and those that come in it.
        assert max(moved) <= 2 * relay._A_TURN * relay._CHUNK
        assert first_round <= 2 * (2 * COUNT / relay._A_TURN) + 8
        for each in relays:
            each.close()

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scenario()

    asyncio.run(bounded())


def test_a_relay_that_waits_may_end(ends: list[tuple[Far, Far]]) -> None:
    """It is not called when its turn comes: its descriptors may be another's by then."""

    async def scenario() -> None:
        turns = Turns()
        relays = [Relay(near, local, lambda error: None, turns) for (_, near), (local, _) in ends]
        for (network, _), _ in ends:
            fill(network)
        await asyncio.sleep(0)
        for each in relays[1:]:
            each.close()
        while not relays[0].received:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert drain(ends[0][1][1]) > 0
        relays[0].close()

    asyncio.run(scenario())
