"""What a plugin may learn of the machine with ``system.read.information``."""

import os
import platform
from typing import Any

__all__ = ["information"]


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
