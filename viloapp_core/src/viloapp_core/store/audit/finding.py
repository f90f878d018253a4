"""What an audit says of an accepted wheel."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """An accepted wheel."""

    wheel: str
    """Its file name."""
    names: tuple[str, ...]
    """Every file in it."""
    landings: tuple[str, ...]
    """Where its files and scripts will be, below the virtualenv; what is not laid down is left out."""
    notes: tuple[str, ...]
    """What a person should know, one line each."""
