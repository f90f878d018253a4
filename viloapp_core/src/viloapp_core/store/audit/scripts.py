"""The scripts that a wheel asks for, read with the very code that will write them."""

from __future__ import annotations

import configparser

from viloapp_core.store.audit.names import name_issues, shown
from viloapp_core.store.audit.places import is_own_program

__all__ = ["scripts_of"]


def scripts_of(data: bytes) -> tuple[list[str], list[str]]:
    """Return the names of the scripts of ``entry_points.txt``, and what is wrong with them."""
    from installer.utils import parse_entrypoints

    if b"%" in data:
        # The parser takes it for a reference to another value, and ten levels of them fill any memory.
        return [], ["entry_points.txt: has a %, which no entry point has"]
    try:
        text = data.decode("utf-8")
        names = [name for name, _, _, _ in parse_entrypoints(text)]
    # installer asserts where a line is no entry point.
    except (configparser.Error, AssertionError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "a script is no 'name = module:function'"
        return [], [f"entry_points.txt: cannot be read: {shown(reason)}"]
    return names, [
        f"entry_points.txt: script {shown(name)} is not a name that a script may have"
        for name in names
        if "/" in name or name in (".", "..") or is_own_program(name) or any(name_issues(name))
    ]
