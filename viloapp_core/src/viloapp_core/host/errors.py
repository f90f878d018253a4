"""What can go wrong with a host as a whole."""

from pathlib import Path

from viloapp_core.foundation.version import __version__
from viloapp_core.store import InstalledPlugin
from viloapp_sdk.errors import IncompatibleVersionsError, ViloError
from viloapp_sdk.manifest.api_version import is_newer
from viloapp_sdk.manifest.format import API_VERSION

__all__ = [
    "ControlError",
    "HostError",
    "HostRunningError",
    "HostStoppingError",
    "PausedPluginError",
    "incompatible",
]


class HostError(ViloError):
    """Root of the errors of this package."""


class HostRunningError(HostError):
    """Another process is the host of the store."""

    def __init__(self, store: Path) -> None:
        super().__init__(
            "host_running",
            f"another host is using the store {store}",
            "`viloapp call` and `viloapp status` reach it; set VILOAPP_HOME to use another store",
        )


class BlockedPluginError(HostError):
    """A block list names the plugin, or what is blocked cannot be known."""

    def __init__(self, plugin_id: str, why: str) -> None:
        what, _, hint = why.partition("; use: ")
        super().__init__("blocked", f"{plugin_id} is not started: {what}", f"use: {hint}" if hint else "")


class PausedPluginError(HostError):
    """The plugin is being updated."""

    def __init__(self, plugin_id: str) -> None:
        super().__init__(
            "paused", f"{plugin_id} is not started: its settings and data are being updated", "try again"
        )


class HostStoppingError(HostError):
    """The host is about to end and takes no calls any more."""

    def __init__(self) -> None:
        super().__init__("host_stopping", "the host is stopping", "try again")


class ControlError(HostError):
    """The control socket cannot be used, or the connection to the host was lost."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("control_failed", detail, hint)


def incompatible(plugin: InstalledPlugin) -> IncompatibleVersionsError:
    """Return why a plugin that another version of the core installed is not started."""
    id, asked = plugin.plugin_id, plugin.api_version
    older = f"viloapp rollback {id}, or viloapp install an older version of it"
    hint = f"update viloapp-core; or {older}" if is_newer(asked) else f"viloapp update {id}"
    detail = f"{id} {plugin.version} asks for API {asked}; viloapp-core {__version__} speaks {API_VERSION}"
    return IncompatibleVersionsError(detail, hint)
