"""Names of distributions, which ids of plugins are."""

from __future__ import annotations

import re

__all__ = ["is_normalized", "normalized"]

# Never "..", never a path. Source: PEP 503, PEP 508.
_NORMALIZED = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def normalized(name: str) -> str:
    """Return a distribution's name as the store has it, without the cost of importing `packaging`.

    >>> normalized("My_Plugin")
    'my-plugin'

    Source: PEP 503.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def is_normalized(name: str) -> bool:
    """Tell whether a name is as `normalized` returns it, which can name a folder."""
    return _NORMALIZED.fullmatch(name) is not None
