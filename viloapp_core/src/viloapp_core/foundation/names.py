"""Names of distributions, which ids of plugins are."""

from __future__ import annotations

import re

__all__ = ["normalized"]


def normalized(name: str) -> str:
    """Return a distribution's name as the store has it, without the cost of importing `packaging`.

    >>> normalized("My_Plugin")
    'my-plugin'

    Source: PEP 503.
    """
    return re.sub(r"[-_.]+", "-", name).lower()
