"""What can go wrong with a long-lived child process."""

from viloapp_sdk.errors import ViloError

__all__ = ["ForkServerError", "ProcessError", "SpawnError", "SpawnerClosedError"]


class ProcessError(ViloError):
    """Root of the errors of this package."""


class SpawnError(ProcessError):
    """The operating system refused to start a program."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("spawn_failed", detail, hint)


class SpawnerClosedError(ProcessError):
    """A child was asked for after the spawner was closed."""

    def __init__(self) -> None:
        super().__init__(
            "spawner_closed",
            "no program can be started any more: the host is stopping",
            "start the host again",
        )


class ForkServerError(ProcessError):
    """A worker cannot be forked; it can still be started as any other."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("fork_server", detail, hint)
