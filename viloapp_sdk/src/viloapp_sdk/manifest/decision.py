"""Whether a plugin may do a thing, from what was granted and denied; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from viloapp_sdk.manifest.permission import Permission

__all__ = ["NOWHERE", "Decision", "Places", "allows", "decide", "remaining"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question.

    Args:
        allowed: whether it may.
        by: the permission that said so: a grant when allowed, a denial when it was refused by name, None
            when nobody had granted it.
        reason: for people.
    """

    allowed: bool
    by: Permission | None
    reason: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where the named places of the file system are for one plugin: absolute paths, free of links.

    Args:
        home: what ``~`` stands for; empty when nobody knows.
        folders: ``workspace``, ``plugin_data`` and ``temp_files``, as far as they are known.
    """

    home: str = ""
    folders: Mapping[str, str] = field(default_factory=dict)

    def path(self, permission: Permission) -> Permission:
        """Return a permission for files with the path that its resource means; any other as it is."""
        resource = permission.resource
        if permission.category != "filesystem":
            return permission
        if self.home and (resource == "home_directory" or resource.startswith("~/")):
            resource = self.home + resource.removeprefix("home_directory").removeprefix("~")
        return replace(permission, resource=self.folders.get(resource, resource))


NOWHERE = Places()


def decide(
    granted: Iterable[Permission],
    denied: Iterable[Permission],
    wanted: Permission,
    places: Places = NOWHERE,
) -> Decision:
    """Decide: what was denied is, whatever else was granted; what nobody granted is denied.

    Args:
        granted: what the plugin holds.
        denied: what a person refused by name.
        wanted: one thing, without a ``*``.
        places: with them a grant for ``workspace`` is one for the paths below it as well.
    """
    # Nothing of another category covers or denies it; this is asked at every service call.
    denied = [each for each in denied if each.category == wanted.category]
    granted = [each for each in granted if each.category == wanted.category]
    files = wanted.category == "filesystem"
    meant = places.path(wanted)
    for each in denied:
        if each.denies(wanted) or (files and places.path(each).denies(meant)):
            return Decision(False, each, f"{each} was denied")
    for each in remaining(granted, denied) if denied else granted:
        if each.covers(wanted) or (files and places.path(each).covers(meant)):
            return Decision(True, each, f"{each} was granted")
    return Decision(False, None, f"{wanted} was not granted")


def remaining(granted: Iterable[Permission], denied: Iterable[Permission]) -> list[Permission]:
    """Return the grants that the denials leave.

    A grant of a folder goes when anything in it was denied: the kernel mounts the folder, not a part of it.
    """
    denied = list(denied)
    return [
        each
        for each in granted
        if not any(no.denies(each) if each.category == "filesystem" else no.covers(each) for no in denied)
    ]


def allows(granted: Iterable[Permission], wanted: Permission) -> bool:
    """Return whether any of ``granted`` covers ``wanted``: what nobody granted is denied."""
    return any(permission.covers(wanted) for permission in granted)
