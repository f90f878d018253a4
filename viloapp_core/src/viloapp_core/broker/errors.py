"""What can go wrong with what the host does on behalf of workers."""

from viloapp_sdk.errors import ViloError

__all__ = ["BrokerError", "TerminalInputFullError", "UnknownTerminalError"]


class BrokerError(ViloError):
    """Root of the errors of this package."""


class UnknownTerminalError(BrokerError):
    """There is no such terminal, or not any more."""

    def __init__(self, terminal_id: str) -> None:
        # An id is as good as a key to the terminal: never all of it in a message or a log.
        super().__init__(
            "unknown_terminal",
            f"there is no terminal {terminal_id[:6]}… any more",
            "open a new terminal",
        )


class TerminalInputFullError(BrokerError):
    """The program does not read what was typed, and the host holds as much as it will."""

    def __init__(self, title: str, limit_bytes: int) -> None:
        super().__init__(
            "terminal_input_full",
            f"{title} is not reading its input: {limit_bytes // 1024} KiB wait for it already",
            "wait until it reads again, or press Ctrl-C",
        )
