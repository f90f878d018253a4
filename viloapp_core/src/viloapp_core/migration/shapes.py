"""The shapes in which settings of version 1.0 exist, and where in each a setting is.

Nested (``{"terminal": {"font_size": 16}}``), flat (``terminal_font_size``, ``terminal.fontSize``,
``terminal/fontSize``) and what `read_ini` makes of an INI file (``{"Terminal": {"FontSize": 16}}``), also
mixed in one document.

>>> found = find({"terminal.fontSize": 16, "terminal_bell": True})
>>> found.values["terminal", "font_size"]
Place(path=('terminal.fontSize',), value=16)
>>> found.rest
{'terminal_bell': True}
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from viloapp_core.migration.chain import Finding
from viloapp_core.migration.fields import SECTIONS

__all__ = ["CORE", "Found", "Place", "find"]

CORE = ("theme", "layout", "keybindings", "workspace")
"""What 2.0 has under ``core``. Source: the specification."""

_ALIASES = {
    "default_shell": "shell",
    "shell_linux": "shell",
    "scrollback_lines": "scrollback",
    "show_line_numbers": "line_numbers",
}
_KNOWN = {(section, field.old) for section, (_, fields) in SECTIONS.items() for field in fields}
_GROUPS = ("app_defaults", "preferences")
"""Groups of the INI files that hold flat keys; they mean nothing themselves."""

_PREFIX = re.compile(r"(terminal|editor)[._/\\](.+)", re.IGNORECASE | re.DOTALL)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s._/\\-]+")

Path = tuple[str, ...]


class Place(NamedTuple):
    """A value and the keys that lead to it."""

    path: Path
    value: Any


class Found(NamedTuple):
    """A document of 1.0 taken apart.

    Attributes:
        values: the settings of terminal and editor, by section and name.
        core: what belongs to the workspace, by its name in 2.0.
        sections: which sections there are at all.
        rest: everything else, where it was.
        findings: what was given twice, or is no section.
    """

    values: dict[tuple[str, str], Place]
    core: dict[str, Any]
    sections: set[str]
    rest: dict[str, Any]
    findings: list[Finding]


def find(document: Mapping[str, Any]) -> Found:
    """Find every setting that has a place in 2.0; of one that is given twice the plainer name counts."""
    found = Found({}, {}, set(), {}, [])
    candidates: list[tuple[tuple[str, str], Place]] = []
    for place in _leaves(document, ()):
        if place.path == ("version",):
            continue
        if name := _core_name(place.path, document):
            found.core[name] = place.value
        elif known := _known(place.path):
            candidates.append((known, place))
        else:
            _put(found.rest, place)
            if len(place.path) == 1 and (section := place.path[0].lower()) in SECTIONS:
                found.sections.add(section)
                if place.value != {}:
                    found.findings.append(
                        Finding("replaced", place.path[0], "it has to be a section; its defaults are used")
                    )
                else:
                    found.rest.pop(place.path[0])
    for known, place in sorted(candidates, key=lambda each: _plainness(*each)):
        found.sections.add(known[0])
        if known in found.values:
            used = ".".join(found.values[known].path)
            found.findings.append(Finding("kept", ".".join(place.path), f"given twice; {used} is used"))
            _put(found.rest, place)
        else:
            found.values[known] = place
    return found


def _leaves(document: Mapping[str, Any], above: Path) -> Iterator[Place]:
    """Yield what is at the end of each path: sections are gone into, other objects are values."""
    for key, value in document.items():
        path = (*above, key)
        inside = path[0].lower() in SECTIONS or path[0] in _GROUPS
        if isinstance(value, dict) and value and inside:
            yield from _leaves(value, path)
        else:
            yield Place(path, value)


def _core_name(path: Path, document: Mapping[str, Any]) -> str:
    """Return the name under ``core``: exactly as it is, or in other letters where that is not there."""
    if len(path) != 1:
        return ""
    name = path[0].lower()
    return name if name in CORE and (path[0] == name or _first(name, document) == path[0]) else ""


def _first(name: str, document: Mapping[str, Any]) -> str:
    return name if name in document else next(key for key in document if key.lower() == name)


def _known(path: Path) -> tuple[str, str] | None:
    match = _PREFIX.fullmatch(".".join(path[1:] if path[0] in _GROUPS else path))
    if match is None:
        return None
    name = _SEPARATORS.sub("_", _HUMP.sub("_", match[2])).lower()
    known = (match[1].lower(), _ALIASES.get(name, name))
    return known if known in _KNOWN else None


def _plainness(known: tuple[str, str], place: Place) -> tuple[bool, bool]:
    """Sort the specification's own path first, then other nested ones, then flat ones."""
    return place.path != known, len(place.path) != 2


def _put(target: dict[str, Any], place: Place) -> None:
    for key in place.path[:-1]:
        target = target.setdefault(key, {})
    target[place.path[-1]] = place.value
