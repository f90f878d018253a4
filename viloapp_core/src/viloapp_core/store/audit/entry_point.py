"""Whether an entry point is the plugin's own."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["entry_point_issues"]


def entry_point_issues(entry_point: str, names: Sequence[str]) -> list[str]:
    """Return why an entry point is not the plugin's own: its module must be a file of the plugin's wheel.

    Args:
        entry_point: ``package.module:Class``.
        names: the files of the plugin's wheel.
    """
    module = entry_point.partition(":")[0].strip().replace(".", "/")
    # Extension modules carry a tag between name and suffix, such as plugin.cpython-311-x86_64-linux-gnu.so.
    pattern = re.compile(
        rf"([^/]+\.data/(purelib|platlib)/)?{re.escape(module)}(/__init__)?\.(py|pyc|([^/]+\.)?(so|pyd))"
    )
    if any(pattern.fullmatch(name) for name in names):
        return []
    return [f"entry point {entry_point}: the wheel has no module {module.replace('/', '.')}"]
