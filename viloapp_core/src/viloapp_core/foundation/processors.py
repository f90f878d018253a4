"""How many processors this process may use."""

import os

__all__ = ["processors"]


def processors() -> int:
    """Return how many there are for this process, at least one: a container or ``taskset`` may allow few."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
