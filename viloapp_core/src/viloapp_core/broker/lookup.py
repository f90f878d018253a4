"""Where a program that a plugin names is found: in the system's folders, never in one that a plugin says."""

import os
import shutil
from collections.abc import Iterator

__all__ = ["PATH", "find", "names"]

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def find(program: str) -> str | None:
    """Return the absolute path of a program, None when there is none that can be executed.

    Args:
        program: a bare name, or an absolute path; anything else is found nowhere.
    """
    if os.path.isabs(program):
        return program if os.path.isfile(program) and os.access(program, os.X_OK) else None
    return shutil.which(program, path=PATH) if "/" not in program and program else None


def names(path: str | None) -> Iterator[str]:
    """Yield the names under which a found program may have been granted: its path, and its bare name.

    The name counts when looking it up leads to the same file.
    """
    if path is None:
        return
    yield path
    name = os.path.basename(path)
    found = shutil.which(name, path=PATH)
    if found is not None and os.path.realpath(found) == os.path.realpath(path):
        yield name
