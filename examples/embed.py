"""Plugins in your own application: python examples/embed.py hello.greet '{"name": "you"}'."""

import asyncio
import json
import sys

from viloapp_core import Host, SyncHost

command, arguments = sys.argv[1], json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}")


async def in_my_loop() -> None:  # noqa: D103
    async with Host() as host:
        print(await host.call(command, arguments))


asyncio.run(in_my_loop())
with SyncHost() as blocking:  # in its own thread, for a program without a loop
    print(blocking.call(command, arguments))
