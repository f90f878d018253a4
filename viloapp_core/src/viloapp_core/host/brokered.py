"""The service calls that the broker answers, as rows of the dispatcher's table.

Each checks its permission itself, in the broker, since what is needed depends on the parameters.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from viloapp_sdk.errors import InvalidArgumentsError, WorkerLostError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["brokered"]

_Types = tuple[type | tuple[type, ...], ...]
_NONE = type(None)


def brokered(host: "Host") -> Mapping[str, tuple[Callable[..., Any], _Types]]:
    """Return ``(run, types of the parameters)`` by method."""

    def hand_over(plugin_id: str) -> Callable[[int], int]:
        worker = host.worker(plugin_id)
        if worker is None:
            raise WorkerLostError("the process is gone")
        return worker.hand_over

    def connect(plugin_id: str, name: str, port: int, preferred: str | None) -> int:
        return host.network.connect(plugin_id, name, port, preferred, hand_over(plugin_id))

    def run(plugin_id: str, program: bytes, argv: list[Any]) -> Any:
        if not all(isinstance(each, bytes) for each in argv):
            raise InvalidArgumentsError("process.run takes arguments as bytes")
        return host.programs.run(plugin_id, program, argv, hand_over(plugin_id))

    return {
        "network.connect": (connect, (str, int, (str, _NONE))),
        "network.resolve": (
            lambda plugin, name, port: host.network.resolve(plugin, name, port),
            (str, (int, _NONE)),
        ),
        "files.open": (
            lambda plugin, path, mode: host.files.open(plugin, path, mode, hand_over(plugin)),
            (str, str),
        ),
        "files.write": (lambda plugin, path, data: host.files.write(plugin, path, data), (str, bytes)),
        "files.list": (lambda plugin, path: host.files.list(plugin, path), (str,)),
        "files.stat": (lambda plugin, path: host.files.stat(plugin, path), (str,)),
        "process.run": (run, (bytes, list)),
        "process.find": (lambda plugin, program: host.programs.find(plugin, program), (bytes,)),
        "network.outcome": (lambda plugin, ticket: host.network.outcome(plugin, ticket), (int,)),
    }
