"""Plugins in an application of your own: in its event loop, and without one.

python examples/embed.py hello.greet '{"name": "you"}'
"""

import asyncio
import json
import sys

from viloapp_core import Host, SyncHost


async def in_my_loop(command: str, arguments: dict[str, object]) -> object:
    """Call one command inside a running event loop."""
    async with Host() as host:
        return await host.call(command, arguments)


if __name__ == "__main__":
    command, arguments = sys.argv[1], json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}")
    print(asyncio.run(in_my_loop(command, arguments)))
    with SyncHost() as host:
        print(host.call(command, arguments))
