"""What travels between plugins: events.

>>> PluginEvent("hello.greeted", "hello", {"name": "world"}).type
'hello.greeted'
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["PluginEvent"]


class PluginEvent:
    """Something that happened, told to everybody who subscribed to its type.

    Args:
        type: dotted name, such as ``theme.changed``.
        source: the plugin id of the sender, or ``host``. The host sets it; a plugin cannot forge it.
        data: JSON-like values.
    """

    # Not a dataclass: importing `dataclasses` costs a worker more than all of the SDK.
    __slots__ = ("data", "source", "type")

    def __init__(self, type: str, source: str, data: "Mapping[str, Any] | None" = None) -> None:
        self.type = type
        self.source = source
        self.data: dict[str, Any] = dict(data or {})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PluginEvent):
            return NotImplemented
        return (self.type, self.source, self.data) == (other.type, other.source, other.data)

    def __hash__(self) -> int:
        return hash((self.type, self.source))

    def __repr__(self) -> str:
        return f"PluginEvent(type={self.type!r}, source={self.source!r}, data={self.data!r})"
