"""ViloApp's own distributions: they come from the core itself, never from an index.

Whoever registers ``viloapp-sdk`` on an index that someone configured would otherwise run in every plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from viloapp_core.foundation.version import __version__
from viloapp_core.resolve.errors import OwnNameError

CORE = "viloapp-core"
OWN_NAMES = frozenset({"viloapp-sdk", CORE, "viloxterm", "viloedit"})

# A constraint that no version meets: the index is then not even asked for the file.
_NEVER = "<0"
_REBUILD = (
    "this copy of viloapp-core carries no such wheel; install viloapp-core again, or build the clone again"
)


def wheelhouse(folder: Path | None = None) -> dict[str, Path]:
    """Return the wheels that the core carries, by normalized name.

    Args:
        folder: where; the core's own package data when None.

    Raises:
        OwnNameError: there are two wheels of one distribution.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    folder = folder or Path(__file__).parents[1] / "wheelhouse"
    found: dict[str, Path] = {}
    for wheel in sorted(folder.glob("*.whl")):
        try:
            name = parse_wheel_filename(wheel.name)[0]
        except InvalidWheelFilename:
            continue
        if name in found:
            raise OwnNameError(
                f"{found[name].name} and {wheel.name} are both in {folder}", "remove the older"
            )
        found[name] = wheel
    return found


def constraints(wheels: Mapping[str, Path], *, named: str | None) -> list[str]:
    """Return pip's constraints that bind our names to our files, and to nothing where we have no file.

    Args:
        wheels: the wheelhouse.
        named: a distribution for which the user named a file of their own.
    """
    free = sorted(OWN_NAMES - {named})
    return [
        f"{name} @ {wheels[name].absolute().as_uri()}" if name in wheels else f"{name}{_NEVER}"
        for name in free
    ]


def refusal(plugin_id: str, reason: str) -> OwnNameError | None:
    """Return the error that stands behind pip's reason, when one of our constraints is it.

    Args:
        plugin_id: whose resolution failed.
        reason: what pip said.
    """
    if f"(constraint) {CORE}{_NEVER}" in reason:
        return OwnNameError(
            f"{plugin_id} depends on {CORE}, which runs plugins and is never inside one",
            "the author should depend on viloapp-sdk instead",
        )
    bound = sorted(name for name in OWN_NAMES if f"(constraint) {name}" in reason)
    if missing := [name for name in bound if f"(constraint) {name}{_NEVER}" in reason]:
        return OwnNameError(
            f"{plugin_id} needs {', '.join(missing)}, which comes from the core and never from an index",
            _REBUILD,
        )
    if bound:
        told = [_versions(plugin_id, name, reason) for name in bound]
        return OwnNameError(
            "; ".join(told) if all(told) else f"{plugin_id}: {reason}",
            f"{', '.join(bound)} comes only from this viloapp-core: update it, or ask for a version of "
            f"{plugin_id} that takes what it has",
        )
    return None


def _versions(plugin_id: str, name: str, reason: str) -> str:
    """Return who asks for what of one of our names, and what there is; empty where pip says it otherwise."""
    asked = re.search(rf"^\s*(\S+) (\S+) depends on {name}(.*)$", reason, re.MULTILINE)
    ours = re.search(rf"/{name.replace('-', '_')}-([^-/]+)-[^/]*\.whl", reason)
    if not asked or not ours:
        return ""
    who = (
        f"{asked[1]} {asked[2]}"
        if asked[1] == plugin_id
        else f"{plugin_id} imports {asked[1]} {asked[2]}, which"
    )
    return f"{who} needs {name}{asked[3]}; viloapp-core {__version__} comes with {name} {ours[1]}"


def check(
    plugin_id: str,
    locked: Iterable[tuple[str, str]],
    wheels: Mapping[str, Path],
    hashes: Mapping[str, str],
    named: str | None,
) -> None:
    """Refuse a lock in which one of our names is not our wheel.

    Args:
        plugin_id: whose lock it is.
        locked: name and SHA-256 of each package of a lock.
        wheels: the wheelhouse.
        hashes: the SHA-256 of the wheelhouse's wheels by name.
        named: a distribution for which the user named a file of their own.

    Raises:
        OwnNameError: a package has one of our names and other bytes, or is the core.
    """
    for name, sha256 in locked:
        if name == CORE:
            raise OwnNameError(
                f"{plugin_id} depends on {CORE}, which runs plugins and is never inside one",
                "the author should depend on viloapp-sdk instead",
            )
        if name not in OWN_NAMES or name == named:
            continue
        if name not in wheels:
            raise OwnNameError(
                f"{plugin_id}: {name} would have come from an index, which is never trusted for it", _REBUILD
            )
        if hashes.get(name) != sha256:
            raise OwnNameError(
                f"{plugin_id}: the lock has a {name} other than {wheels[name].name}, which is the core's own",
                "nothing was installed",
            )
