"""What can go wrong with what the host does on behalf of workers."""

from viloapp_sdk.errors import ViloError

__all__ = [
    "AddressRefusedError",
    "BrokerError",
    "FileRefusedError",
    "FileUnavailableError",
    "HostUnreachableError",
    "ProgramNotFoundError",
    "ProgramRefusedError",
    "TerminalInputFullError",
    "TooMuchOpenError",
    "UnknownTerminalError",
]


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


class HostUnreachableError(BrokerError):
    """A host has no address, or none of them answered.

    Args:
        host: its name, with the port when it was tried.
        why: the system's words.
        number: the system's error number, 0 when there is none.
        unknown: whether not even an address was found.
    """

    def __init__(self, host: str, why: str, *, number: int = 0, unknown: bool = False) -> None:
        super().__init__(
            "name_unresolved" if unknown else "host_unreachable",
            f"{host} has no address: {why}" if unknown else f"{host} cannot be reached: {why}",
            "check the name, and this machine's connection",
        )
        self.number = number


class AddressRefusedError(BrokerError):
    """A name led to an address that its permission does not stand for."""

    def __init__(self, plugin_id: str, host: str, why: str, address: str) -> None:
        super().__init__(
            "permission_denied",
            f"{plugin_id} may connect to {host}, but {why}, and no permission names that",
            f"viloapp permissions grant {plugin_id} network.connect.{address}",
        )


class TooMuchOpenError(BrokerError):
    """A plugin has as much open through the host as one may have."""

    def __init__(self, plugin_id: str, what: str, limit: int) -> None:
        super().__init__(
            "too_much_open", f"{plugin_id} has {limit} {what} open already", "close those that are done"
        )


class ProgramNotFoundError(BrokerError):
    """There is no such program in the system's folders."""

    def __init__(self, program: str) -> None:
        super().__init__(
            "program_not_found",
            f"there is no program {program[:200]} that can be executed",
            "name one of the system's, or an absolute path",
        )


class ProgramRefusedError(BrokerError):
    """The plugin could put something else in the program's place."""

    def __init__(self, plugin_id: str, path: str) -> None:
        super().__init__(
            "permission_denied",
            f"{plugin_id} may write to {path}, so it may not have it run",
            f"take the one or the other back: viloapp permissions revoke {plugin_id}",
        )


class FileRefusedError(BrokerError):
    """No permission gives this to a plugin."""

    def __init__(self, plugin_id: str, path: str, why: str) -> None:
        super().__init__(
            "permission_denied",
            f"{plugin_id} may not have {path}: {why}",
            "no permission gives it; copy what the plugin needs to a place of its own",
        )


class FileUnavailableError(BrokerError):
    """The system refused to open, list or write."""

    def __init__(self, path: str, why: str, number: int) -> None:
        super().__init__("file_unavailable", f"{path}: {why}", str(number))
