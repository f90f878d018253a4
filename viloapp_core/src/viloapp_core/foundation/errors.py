"""Errors of folders, files, locks and commands."""

from __future__ import annotations

from viloapp_sdk.errors import ViloError


class FoundationError(ViloError):
    """Root of everything `viloapp_core.foundation` raises."""


class FolderError(FoundationError):
    """A folder cannot be used: it is missing, foreign or open to others."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_folder", detail, hint)


class FileError(FoundationError):
    """A file cannot be read or written, or does not hold what it should."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_file", detail, hint)


class UnreadableError(FileError):
    """A file that is there cannot be read: what it holds is unknown, and must not be taken for nothing.

    Attributes:
        passing: the process or the machine lacks something (open files, memory), the file may well be whole.
    """

    def __init__(self, detail: str, *, passing: bool) -> None:
        super().__init__(detail)
        self.passing = passing


class LockHeldError(FoundationError):
    """Another process holds the lock and the caller did not want to wait."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("lock_held", detail, hint)


class CommandError(FoundationError):
    """A command could not be started, took too long or was cancelled."""

    def __init__(self, code: str, detail: str, hint: str = "") -> None:
        super().__init__(code, detail, hint)


class HttpError(FoundationError):
    """A server gave no answer, or not the one that was asked for.

    Args:
        detail: what happened.
        status: the server's; 0 when it said none.
    """

    def __init__(self, detail: str, status: int = 0) -> None:
        super().__init__("http_failed", detail, "check the network and the address")
        self.status = status
