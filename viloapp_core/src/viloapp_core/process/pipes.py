"""Pipes whose ends have owners, and waiting for a descriptor in the running loop."""

import asyncio
import os
from contextlib import ExitStack

__all__ = ["pipe", "readable"]


def pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """Return the ends of a new pipe, each of which its stack closes."""
    reads, writes = os.pipe()
    reader.callback(os.close, reads)
    writer.callback(os.close, writes)
    return reads, writes


async def readable(fd: int) -> None:
    """Wait until there is something to read. A loop keeps one waiter for each descriptor."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
