"""The symbolic links between a virtualenv's interpreter and the file that is executed.

An interpreter is often reached over several: ``venv/bin/python`` leads to
``~/.local/share/uv/python/cpython-3.12/bin/python3.12``, where ``cpython-3.12`` is itself a link to
``cpython-3.12.5``. Each has to exist inside as well.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from viloapp_core.sandbox.request import Disk

__all__ = ["links_on_the_way"]

# Linux itself gives up with ELOOP after 40 (path_resolution(7)).
_MOST_LINKS = 40


def links_on_the_way(paths: Iterable[Path], disk: Disk) -> Iterator[tuple[Path, str]]:
    """Yield ``(link, what it points to)`` for every link met while following ``paths``, each once.

    A link's own path is free of links. Links above a path count too, not only the last component.
    """
    seen: set[str] = set()
    for path in paths:
        left, here, followed = list(path.parts[1:]), "", 0  # as text, which is quicker: the root is empty
        while left:
            part = left.pop(0)
            here = here.rpartition("/")[0] if part == ".." else f"{here}/{part}"
            target = disk.link(here)
            if target is None:
                continue
            if here not in seen:
                seen.add(here)
                yield Path(here), target
            followed += 1
            if followed > _MOST_LINKS:
                break
            left = [part for part in Path(target).parts if part != "/"] + left
            here = "" if target.startswith("/") else here.rpartition("/")[0]
