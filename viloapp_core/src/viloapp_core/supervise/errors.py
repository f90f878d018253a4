"""What can go wrong with a plugin's process."""

from viloapp_sdk.errors import ViloError

__all__ = ["PluginStartError", "SuperviseError"]


class SuperviseError(ViloError):
    """Root of the errors of this package."""


class PluginStartError(SuperviseError):
    """A plugin's process did not become ready."""

    def __init__(self, plugin_id: str, why: str, hint: str = "") -> None:
        super().__init__(
            "plugin_start_failed", f"{plugin_id} did not start: {why}", hint or f"viloapp logs {plugin_id}"
        )
