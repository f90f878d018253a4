"""How well something is enforced: ``enforced``, ``partial`` or ``none``."""

from collections.abc import Iterable
from typing import Literal

__all__ = ["LEVELS", "Level", "enough", "weakest"]

Level = Literal["enforced", "partial", "none"]

LEVELS: tuple[Level, ...] = ("none", "partial", "enforced")
"""From the least to the most."""


def enough(level: Level, minimum: Level) -> bool:
    """Return whether ``level`` is no less than ``minimum``."""
    return LEVELS.index(level) >= LEVELS.index(minimum)


def weakest(levels: Iterable[Level]) -> Level:
    """Return the least of several, ``enforced`` of none."""
    return min(levels, key=LEVELS.index, default="enforced")
