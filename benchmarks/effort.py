"""How much a benchmark measures."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

__all__ = ["Effort"]

T = TypeVar("T")


class Effort(Enum):
    """Of a run: whether the programs work, the first impression, or figures to be told."""

    TINY = "tiny"
    QUICK = "quick"
    FULL = "full"

    def choose(self, tiny: T, quick: T, full: T) -> T:
        """Return what belongs to it."""
        return {Effort.TINY: tiny, Effort.QUICK: quick, Effort.FULL: full}[self]
