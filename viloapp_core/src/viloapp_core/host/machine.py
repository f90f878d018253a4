"""What a plugin may learn of the machine with ``system.read.information``."""

import os
import platform
from typing import Any

__all__ = ["Environment", "information"]


def information() -> dict[str, Any]:
    """Return ``{"name", "system", "release", "machine", "processors", "memory_mb"}``."""
    found = os.uname()
    pages = os.sysconf("SC_PHYS_PAGES") if "SC_PHYS_PAGES" in os.sysconf_names else 0
    return {
        "name": found.nodename,
        "system": platform.system(),
        "release": found.release,
        "machine": found.machine,
        "processors": os.cpu_count() or 1,
        "memory_mb": pages * os.sysconf("SC_PAGE_SIZE") // 1_048_576,
    }


class Environment:
    """The host's environment variables; each is decoded once for as long as it stays the same.

    ``os.environ`` decodes a value whenever it is asked for one: of a large one that is a tenth of a call.
    """

    def __init__(self) -> None:
        self._decoded: dict[str, tuple[bytes, str]] = {}

    def get(self, name: str) -> str | None:
        """Return what a variable is now, None when there is none of that name."""
        value = os.environb.get(os.fsencode(name))
        known = self._decoded.get(name)
        if known is not None and known[0] == value:  # as a rule it is the same object
            return known[1]
        if value is None:
            self._decoded.pop(name, None)
            return None
        text = os.fsdecode(value)
        self._decoded[name] = value, text
        return text
