"""Where the package of a plugin lies, and its data files; nothing of it is run."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

__all__ = ["find_package", "package_of", "read_below"]


def find_package(entry_point: str, generation: Path, dev_source: Path | None) -> Path | None:
    """Return the folder of the package that holds a plugin's class; None where there is none.

    Args:
        entry_point: ``package.module:Class``.
        generation: the installation, with its virtualenv.
        dev_source: the project folder of an editable installation.
    """
    places = package_of(entry_point)
    for root in _roots(places[0][0], generation, dev_source) if places else ():
        for parts in places:
            if (package := root.joinpath(*parts)).is_dir():
                return package
    return None


def package_of(entry_point: str) -> tuple[tuple[str, ...], ...]:
    """Return where the package of a plugin's class may be, the likelier first, as the parts of a path.

    ``a.b:C`` is in ``a/b`` when that is a package, else in ``a``. A module that is in no package has no
    data files: the folder beside it is that of every distribution.
    """
    parts = tuple(entry_point.partition(":")[0].split("."))
    if not all(part.isidentifier() for part in parts):
        return ()
    return tuple(each for each in (parts, parts[:-1]) if each)


def _roots(package: str, generation: Path, dev_source: Path | None) -> list[Path]:
    if dev_source is None:
        return sorted(generation.glob("venv/lib/python*/site-packages"))
    from viloapp_core.manifest.errors import ManifestError
    from viloapp_sdk.manifest.project import packages, read_pyproject

    with contextlib.suppress(ManifestError, OSError):
        found = packages(dev_source, read_pyproject(dev_source))
        return [path.parent for path in found if path.name == package]
    return []


def read_below(folder: Path, path: str, limit: int) -> bytes | None:
    """Return the content of a plain file below a folder, by no link and no ``..``; None where it is none.

    Args:
        folder: where to begin; itself a folder, no link.
        path: relative, with ``/``.
        limit: the most bytes that are read; a larger file is none.
    """
    folders, name = path.split("/")[:-1], path.split("/")[-1]
    if any(part in ("", ".", "..") for part in (*folders, name)):
        return None
    opened: list[int] = []
    try:
        opened.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
        for part in folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            opened.append(os.open(part, flags, dir_fd=opened[-1]))
        # Without waiting: the other end of a pipe may never come.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        opened.append(os.open(name, flags, dir_fd=opened[-1]))
        found = os.fstat(opened[-1])
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            return None
        with os.fdopen(opened.pop(), "rb") as file:
            content = file.read(limit + 1)
        return content if len(content) <= limit else None
    except OSError:
        return None
    finally:
        for descriptor in opened:
            os.close(descriptor)
