"""Why a plugin cannot be confined."""

from viloapp_sdk.errors import ViloError

__all__ = ["FolderRefusedError", "SandboxError", "SandboxTooWeakError", "SandboxUnavailableError"]


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


class SandboxTooWeakError(SandboxError):
    """A sandbox works, which enforces less than the policy wants, and that was not allowed."""

    def __init__(self, plugin_id: str, level: str, minimum: str, reason: str, remedy: str) -> None:
        super().__init__(
            "sandbox_too_weak",
            f"{plugin_id} was not started: permissions are {level} on this machine, and "
            f"core.minimum.permissions is {minimum} ({reason})",
            f"{remedy}; or accept less: viloapp config set core.minimum.permissions {level}; "
            "or run it once: --allow-unsandboxed",
        )


class FolderRefusedError(SandboxError):
    """A permission shares a folder that no plugin may be given."""

    def __init__(self, plugin_id: str, folder: str, why: str, *, is_workspace: bool) -> None:
        which = "use the workspace folder" if is_workspace else "use a folder"
        super().__init__(
            "workspace_refused" if is_workspace else "folder_refused",
            f"{plugin_id} was not started: it may {which}, but {folder} {why}",
            "open a folder of your own files instead, for example: viloapp run ~/project"
            if is_workspace
            else f"take the permission back: viloapp permissions revoke {plugin_id} PERMISSION; "
            f"which it is: viloapp permissions show {plugin_id}",
        )
