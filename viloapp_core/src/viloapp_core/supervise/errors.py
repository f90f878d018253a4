"""What can go wrong with a plugin's process."""

from viloapp_sdk.errors import ViloError

__all__ = [
    "LimitsTooWeakError",
    "PluginDisabledError",
    "PluginRestartingError",
    "PluginStartError",
    "StepFailedError",
    "SuperviseError",
]


class SuperviseError(ViloError):
    """Root of the errors of this package."""


class PluginStartError(SuperviseError):
    """A plugin's process did not become ready.

    Args:
        plugin_id: whose.
        why: for people.
        hint: what to do; its log by default.
        stack: where in the plugin's code, as far as it is known.
    """

    def __init__(self, plugin_id: str, why: str, hint: str = "", *, stack: str = "") -> None:
        self.why = why
        self.stack = stack
        super().__init__(
            "plugin_start_failed", f"{plugin_id} did not start: {why}", hint or f"viloapp logs {plugin_id}"
        )


class PluginRestartingError(SuperviseError):
    """A plugin failed, and its next start is further away than a call waits for."""

    def __init__(self, plugin_id: str, wait_s: float, why: str) -> None:
        super().__init__(
            "plugin_restarting",
            f"{plugin_id} failed and is started again in {wait_s:.0f} s: {why}",
            f"try again then; its log: viloapp logs {plugin_id}",
        )


class PluginDisabledError(SuperviseError):
    """A plugin failed too often, and does not run until a person says so."""

    def __init__(self, plugin_id: str, reason: str) -> None:
        super().__init__(
            "plugin_disabled",
            reason,
            f"to try again: viloapp enable {plugin_id}; its log: viloapp logs {plugin_id}",
        )


class StepFailedError(SuperviseError):
    """A step of a plugin's settings failed, or what it made cannot be stored: the plugin stays as it was."""

    def __init__(self, plugin: str, step: str, why: str) -> None:
        line = " ".join(why.split())[:300]
        super().__init__(
            "step_failed",
            f"{plugin} is not taken: the step of its settings from {step} failed: {line}",
            "nothing was changed: version, settings and data are as they were",
        )


class LimitsTooWeakError(SuperviseError):
    """Limits hold less than the policy wants."""

    def __init__(self, plugin_id: str, minimum: str, weak: list[tuple[str, str, str]]) -> None:
        told = "; ".join(f"{name} is {level} ({reason})" for name, level, reason in weak)
        least = "none" if any(level == "none" for _, level, _ in weak) else "partial"
        super().__init__(
            "limits_too_weak",
            f"{plugin_id} was not started: core.minimum.limits is {minimum}, and on this machine {told}",
            "viloapp doctor has the remedies; or accept less: "
            f"viloapp config set core.minimum.limits {least}; "
            "or run it once: --allow-unsandboxed",
        )
