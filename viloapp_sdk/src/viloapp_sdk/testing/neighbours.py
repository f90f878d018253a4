"""Other plugins, as far as a test plays them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Neighbour"]


@dataclass(frozen=True)
class Neighbour:
    """A plugin that the one under test may meet.

    Args:
        id: its plugin id.
        version: its version.
        commands: what runs, by the command's id; called with the arguments as keywords.
        widgets: the ids of its widgets.
    """

    id: str
    version: str
    commands: Mapping[str, Callable[..., Any]]
    widgets: tuple[str, ...] = ()
