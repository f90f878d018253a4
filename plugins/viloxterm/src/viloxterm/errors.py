"""What can be wrong with a request for a terminal."""

from viloapp_sdk.errors import ViloError

__all__ = ["NoTerminalError", "ProfileError", "TerminalError"]


class TerminalError(ViloError):
    """Root of this plugin's errors."""


class ProfileError(TerminalError):
    """The settings describe no such profile, or one that cannot be started."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_profile", detail, hint)


class NoTerminalError(TerminalError):
    """There is no terminal to do this to."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("no_terminal", detail, hint)
