"""The core of ViloApp: plugins from wheels, each in its own virtualenv, process and sandbox.

    from viloapp_core import Host

    async with Host() as host:
        print(await host.call("hello.greet", {"name": "you"}))

`Host` runs inside a caller's event loop, `SyncHost` for callers that have none. Neither installs a signal
handler, and nothing of the web is imported.
"""

TYPE_CHECKING = False  # typing is not free, and every command imports this
if TYPE_CHECKING:
    from typing import Any

    from viloapp_core.foundation.version import __version__
    from viloapp_core.host.host import Host
    from viloapp_core.host.sync import SyncHost
    from viloapp_core.resolve.errors import DependencyCycleError

__all__ = ["DependencyCycleError", "Host", "SyncHost", "__version__"]


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        from viloapp_core.foundation.version import __version__

        return __version__
    # Lazily: `viloapp list` imports this package too, and needs neither asyncio nor a sandbox.
    if name == "Host":
        from viloapp_core.host.host import Host

        return Host
    if name == "SyncHost":
        from viloapp_core.host.sync import SyncHost

        return SyncHost
    if name == "DependencyCycleError":
        from viloapp_core.resolve.errors import DependencyCycleError

        return DependencyCycleError
    raise AttributeError(f"module 'viloapp_core' has no attribute {name!r}")
