"""Versions of the interface between plugin and core: which one a plugin may ask of a core.

A version is ``MAJOR.MINOR``. A minor one adds and takes nothing away, so a core runs every plugin of its
major version that asks for no later minor one. docs/reference/versions.md has the rule.

>>> speaks("1.0"), speaks("1.1", "1.4"), speaks("1.4", "1.1"), speaks("1.0", "2.0")
(True, True, False, False)
"""

from __future__ import annotations

from collections.abc import Mapping

from viloapp_sdk.manifest.format import API_VERSION, SCHEMA_VERSION

__all__ = ["asked_of", "is_newer", "lower", "speaks"]


def speaks(asked: str, known: str = API_VERSION) -> bool:
    """Return whether who knows the version ``known`` can do what is asked."""
    (major, minor), ours = _parts(asked), _parts(known)
    return major == ours[0] and minor <= ours[1]


def is_newer(asked: str, known: str = API_VERSION) -> bool:
    """Return whether a version came after another one."""
    return _parts(asked) > _parts(known)


def lower(one: str, other: str) -> str:
    """Return the older of two versions: what both sides know."""
    return min(one, other, key=_parts)


def asked_of(data: object) -> tuple[object, str]:
    """Return format and API version of a decoded `plugin.json`, before anything else of it is judged.

    A file of another version may have keys that nobody here knows: to call these mistakes would hide the one
    thing that matters. The API version is empty where it is none; `validate` says so.
    """
    if not isinstance(data, Mapping):
        return SCHEMA_VERSION, ""
    asked = data.get("api_version")
    parts = asked.split(".") if isinstance(asked, str) else ()
    fits = len(parts) == 2 and all(part.isascii() and part.isdecimal() and len(part) < 5 for part in parts)
    return data.get("schema"), str(asked) if fits else ""


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
