"""From addresses to a connection: each in turn, the next one already while the one before is slow.

Source: RFC 8305 (Happy Eyeballs), with its delay of 250 ms.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

from viloapp_core.broker.errors import HostUnreachableError

__all__ = ["dial", "in_turn"]

_DELAY_S = 0.25
_TIMEOUT_S = 20.0
_MOST = 8


def in_turn(addresses: Sequence[str], preferred: str | None) -> list[str]:
    """Return at most eight addresses to try: the preferred one, then one of each family in turn."""
    first = [each for each in addresses if each == preferred]
    six = [each for each in addresses if ":" in each and each != preferred]
    four = [each for each in addresses if ":" not in each and each != preferred]
    leading, other = (six, four) if addresses and ":" in addresses[0] else (four, six)
    mixed = [each for pair in _zip(leading, other) for each in pair]
    return [*first, *mixed][:_MOST]


def _zip(one: Sequence[str], other: Sequence[str]) -> Iterator[Sequence[str]]:
    for number in range(max(len(one), len(other))):
        yield [*one[number : number + 1], *other[number : number + 1]]


async def dial(host: str, addresses: Sequence[str], port: int) -> socket.socket:
    """Connect to the first of some addresses that answers; a non-blocking socket.

    Args:
        host: what is called, for the error.
        addresses: in the order in which they are tried.
        port: TCP port.

    Raises:
        HostUnreachableError: none did, within 20 seconds in all.
    """
    loop = asyncio.get_running_loop()
    attempts: set[asyncio.Task[socket.socket]] = set()
    failures: list[OSError] = []
    deadline = loop.time() + _TIMEOUT_S
    left = list(addresses)
    try:
        while left or attempts:
            if left:
                attempts.add(loop.create_task(_attempt(left.pop(0), port)))
            patience = min(_DELAY_S, deadline - loop.time()) if left else deadline - loop.time()
            done, attempts = await asyncio.wait(
                attempts, timeout=max(patience, 0), return_when=asyncio.FIRST_COMPLETED
            )
            if (connected := _first(done, failures)) is not None:
                return connected
            if loop.time() >= deadline:
                raise HostUnreachableError(f"{host}:{port}", f"no answer within {_TIMEOUT_S:g} s", number=110)
    finally:
        await _give_up(attempts)
    error = failures[0] if failures else OSError(0, "it has no address")
    raise HostUnreachableError(f"{host}:{port}", error.strerror or str(error), number=error.errno or 0)


def _first(done: "set[asyncio.Task[socket.socket]]", failures: list[OSError]) -> socket.socket | None:
    """Return one connection of those that are done, closing others; note what failed."""
    connected: socket.socket | None = None
    for task in done:
        error = task.exception()
        if isinstance(error, OSError):
            failures.append(error)
        elif error is not None:
            raise error
        elif connected is None:
            connected = task.result()
        else:
            task.result().close()
    return connected


async def _attempt(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _give_up(attempts: "set[asyncio.Task[socket.socket]]") -> None:
    for task in attempts:
        task.cancel()
    for task in attempts:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            (await task).close()
