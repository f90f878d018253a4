"""Why a plugin cannot be confined."""

from viloapp_sdk.errors import ViloError

__all__ = ["SandboxError", "SandboxUnavailableError", "WorkspaceRefusedError"]


class SandboxError(ViloError):
    """Root of the errors of this package."""


class SandboxUnavailableError(SandboxError):
    """No sandbox works on this machine, and running without one was not allowed."""

    def __init__(self, plugin_id: str, reason: str, remedy: str) -> None:
        super().__init__(
            "sandbox_unavailable",
            f"{plugin_id} was not started: no sandbox works on this machine ({reason})",
            f"{remedy}; or run it with your full authority: --allow-unsandboxed",
        )


class WorkspaceRefusedError(SandboxError):
    """The workspace folder is one that no plugin may be given."""

    def __init__(self, plugin_id: str, folder: str, why: str) -> None:
        super().__init__(
            "workspace_refused",
            f"{plugin_id} was not started: it may use the workspace folder, but {folder} {why}",
            "open a folder of your own files instead, for example: viloapp run ~/project",
        )
