"""Which permission a call of a service needs, where that depends on what is asked for; pure.

    >>> str(emitting("hello", "weather.changed"))
    'services.emit.weather.changed'
    >>> emitting("hello", "hello.greeted") is None
    True

The host asks this for every call, and so do the fakes of the test kit.
"""

from __future__ import annotations

import os
from functools import lru_cache

from viloapp_sdk.errors import InvalidArgumentsError
from viloapp_sdk.manifest.permission import Permission, PermissionSyntaxError

__all__ = [
    "ACTIVE",
    "COMMANDS",
    "INFORMATION",
    "PLUGINS",
    "TERMINAL",
    "calling",
    "emitting",
    "hearing",
    "named",
    "opening",
]

TERMINAL = Permission("process", "spawn", "terminal")
ACTIVE = Permission("ui", "read", "active_widget")
COMMANDS = Permission("services", "read", "commands")
PLUGINS = Permission("plugins", "read", "installed")
INFORMATION = Permission("system", "read", "information")

_OF_THE_HOST = ("theme.changed", "settings.changed", "locale.changed", "plugin.limit")
"""Events that every plugin may hear; nobody but the host emits them without a permission."""

_REMEMBERED = 200
"""Characters: what a plugin names may be as long as a frame."""

_MODES = {
    "r": os.O_RDONLY,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "r+": os.O_RDWR,
    "w+": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
}


def named(category: str, scope: str, resource: str) -> Permission:
    """Return the permission for one thing that a plugin named.

    Raises:
        InvalidArgumentsError: it cannot be named like that.
    """
    if len(resource) <= _REMEMBERED:
        return _parsed(category, scope, resource)
    return _parsed.__wrapped__(category, scope, resource)


@lru_cache(512)
def _parsed(category: str, scope: str, resource: str) -> Permission:
    """See `named`; the same few names are asked for again and again, and an error is not remembered."""
    try:
        permission = Permission.parse(f"{category}.{scope}.{resource}")
    except PermissionSyntaxError as error:
        raise InvalidArgumentsError(error.detail[:300], error.hint) from None
    if permission.wildcard:
        raise InvalidArgumentsError(f"{resource[:80]!r} is no name: '*' stands in grants alone")
    return permission


def calling(plugin_id: str, other: str) -> Permission | None:
    """Return what a plugin needs to run a command of another; None for its own."""
    return None if other == plugin_id else named("plugins", "call", other)


def emitting(plugin_id: str, type: str) -> Permission | None:
    """Return what a plugin needs to emit an event; None for those that bear its name."""
    free = type.startswith(f"{plugin_id}.") and type not in _OF_THE_HOST
    return None if free else named("services", "emit", type)


def hearing(plugin_id: str, type: str) -> Permission | None:
    """Return what a plugin needs to hear an event; None for its own and the host's."""
    free = type in _OF_THE_HOST or type.startswith(f"{plugin_id}.")
    return None if free else named("services", "subscribe", type)


def opening(mode: str) -> tuple[int, str]:
    """Return the flags of open(2) for a mode of a file, and the scope of the permission that it needs.

    Raises:
        InvalidArgumentsError: there is no such mode.
    """
    if mode not in _MODES:
        raise InvalidArgumentsError(f"a file has no mode {mode[:10]!r}", f"there are: {', '.join(_MODES)}")
    return _MODES[mode], "read" if mode == "r" else "write"
