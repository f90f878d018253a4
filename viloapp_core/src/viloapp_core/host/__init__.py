"""The composition root: one host per store, its plugins' workers, its control socket.

async with Host() as host:
    await host.call("hello.greet", {"name": "you"})
"""

from viloapp_core.host.errors import HostError, HostRunningError, HostStoppingError
from viloapp_core.host.host import Host
from viloapp_core.host.permissions import PermissionManager
from viloapp_core.host.prompts import Asker
from viloapp_core.host.sync import SyncHost

__all__ = [
    "Asker",
    "Host",
    "HostError",
    "HostRunningError",
    "HostStoppingError",
    "PermissionManager",
    "SyncHost",
]
