"""The service calls that the broker answers, as rows of the dispatcher's table.

Each checks its permission itself, in the broker, since what is needed depends on the parameters.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from viloapp_sdk.errors import WorkerLostError

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

    return {
        "network.connect": (connect, (str, int, (str, _NONE))),
        "network.resolve": (
            lambda plugin, name, port: host.network.resolve(plugin, name, port),
            (str, (int, _NONE)),
        ),
        "network.outcome": (lambda plugin, ticket: host.network.outcome(plugin, ticket), (int,)),
    }
