"""Whom a host waits for: peers that were asked, and have not said anything since."""

from math import inf
from time import monotonic

__all__ = ["Waits"]


class Waits:
    """Shared by the peers of a host, so that whoever is not in a hurry sees at a glance whether one is.

    Attributes:
        since: by peer when it was asked (`monotonic`), until it says anything; of those waited for awake.
    """

    __slots__ = ("since",)

    def __init__(self) -> None:
        self.since: dict[object, float] = {}

    def waited_s(self) -> float:
        """Return the seconds since the last of them was asked; infinite where none is waited for."""
        return monotonic() - max(self.since.values()) if self.since else inf
