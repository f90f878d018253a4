"""Where a wheel's files land in a virtualenv, and the places that none may take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from viloapp_core.store.audit.names import folded, shown

__all__ = [
    "SCHEMES",
    "Clash",
    "Places",
    "clashes",
    "is_own_program",
    "landing",
    "module_of",
    "place_issues",
    "start_file",
]

SCHEMES = ("purelib", "platlib", "scripts", "data", "headers")
# Modules that the interpreter imports by itself at its start. Source: the documentation of `site`.
_START_MODULES = {"sitecustomize", "usercustomize"}
# Files that it obeys at its start, when they are directly in site-packages. Source: `site`, and PEP 829.
_START_FILES = (".pth", ".start")
# Programs and scripts that the virtualenv has of its own; argcomplete's activate-global-… is none.
_OWN_PROGRAM = re.compile(
    r"(python|pythonw|pypy)[0-9.]*t?(\.exe)?|pydoc(\.bat)?|(de)?activate(_this)?(\.[a-z0-9]+)?", re.IGNORECASE
)
_LIBRARIES = re.compile(r"(python|pypy)[0-9.]*t?", re.IGNORECASE)
# What the installer writes into .dist-info of its own knowledge. Source: "Recording installed projects".
_INSTALLERS = {"installer", "requested", "direct_url.json"}
_MODULE = re.compile(r"(?P<stem>[^/.]+)(\.py|\.pyc|(\.[^/]+)?\.(so|pyd))")
SITE = "site-packages"


@dataclass(frozen=True)
class Places:
    """The folders of a wheel that are named after it."""

    data_dir: str
    dist_info: str
    headers: str
    """The folder for its headers below ``include/``."""


def landing(name: str, places: Places) -> str:
    """Return a file's path in the virtualenv, with ``site-packages/`` wherever that is; empty when nowhere.

    Bytecode in ``__pycache__`` is not laid down: it could differ from its source.
    """
    if "__pycache__" in name.split("/")[:-1]:
        return ""
    if not name.startswith(f"{places.data_dir}/"):
        return f"{SITE}/{name}"
    scheme, _, path = name.removeprefix(f"{places.data_dir}/").partition("/")
    if scheme in ("purelib", "platlib"):
        return f"{SITE}/{path}"
    if scheme == "scripts":
        return f"bin/{path}"
    if scheme == "headers":
        return f"include/{places.headers}/{path}"
    # In a virtualenv, lib64 is a link to lib.
    return re.sub(r"^lib64/", "lib/", path)


def place_issues(name: str, places: Places) -> Iterator[str]:
    """Yield why one file may not be where it would land."""
    top, *rest = name.split("/")
    if rest and top.lower().endswith(".data") and top != places.data_dir:
        yield f"is in {shown(top)}, which belongs to another wheel than this"
        return
    if top == places.data_dir and (len(rest) < 2 or rest[0] not in SCHEMES):
        yield f"is in no folder that wheels have: {', '.join(SCHEMES)}"
        return
    folder, *below = landing(name, places).split("/")
    if folder == SITE:
        yield from _site_issues(below, places)
        if below[0] == places.dist_info and top == places.data_dir:
            yield "adds to the wheel's metadata from outside of it"
    elif _is_the_virtualenvs(folder.lower(), below):
        yield "takes the place of the virtualenv's own"


def start_file(name: str, places: Places) -> bool:
    """Whether every start of the interpreter obeys that file; one inside a package is data."""
    folder, *below = landing(name, places).split("/")
    return folder == SITE and len(below) == 1 and below[0].lower().endswith(_START_FILES)


def is_own_program(name: str) -> bool:
    """Whether the virtualenv has a program of that name itself."""
    return _OWN_PROGRAM.fullmatch(name) is not None


@dataclass(frozen=True)
class Clash:
    """Two files that no virtualenv can both have."""

    owner: str
    path: str
    other: str
    other_path: str
    why: str
    """Stands between the one and the other."""


def clashes(landings: Iterable[tuple[str, str]]) -> Iterator[Clash]:
    """Yield the files that claim one place.

    Two clash in one path, in paths that differ by case or Unicode form alone, and where one needs a folder
    of the other's name.

    Args:
        landings: pairs of owner and path; a path that ends in ``/`` is a folder.
    """
    files: dict[str, tuple[str, str]] = {}
    folders: dict[str, tuple[str, str]] = {}
    for owner, path in landings:
        key = folded(path)
        if key in files:
            other, other_path = files[key]
            why = "lands where" if path == other_path else "differs only by case or Unicode form from"
            yield Clash(owner, path, other, other_path, why)
            continue
        files[key] = (owner, path)
        parent = key.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = (owner, path)
            parent = parent.rpartition("/")[0]
    for key in sorted(files.keys() & folders.keys()):
        yield Clash(*folders[key], *files[key], "needs a folder of the name of")


def module_of(path: str) -> str:
    """Return the module that a path below site-packages is, as a path without suffix; empty when none.

    Where a package and a module have one name, Python takes the package and never sees the module.
    """
    folder, _, name = path.rpartition("/")
    match = _MODULE.fullmatch(name)
    if not path.startswith(f"{SITE}/") or match is None:
        return ""
    return folder if match["stem"] == "__init__" else f"{folder}/{match['stem']}"


def _site_issues(below: list[str], places: Places) -> Iterator[str]:
    top, rest = below[0], below[1:]
    if top.partition(".")[0] in _START_MODULES and (rest or top.endswith((".py", ".pyc", ".so", ".pyd"))):
        yield "is imported by every interpreter at its start"
    kind = top.lower().rpartition(".")[2]
    if kind in ("dist-info", "egg-info") and top != places.dist_info:
        yield "claims to be the metadata of another distribution"
    elif top == places.dist_info and len(rest) == 1 and rest[0].lower() in _INSTALLERS:
        yield "is written by the installer alone"


def _is_the_virtualenvs(folder: str, below: list[str]) -> bool:
    if not below:
        return folder in {"pyvenv.cfg", "bin", "lib", "lib64", "include", "scripts"}
    if folder == "bin":
        return len(below) == 1 and is_own_program(below[0])
    return folder in ("lib", "lib64") and _LIBRARIES.fullmatch(below[0]) is not None
