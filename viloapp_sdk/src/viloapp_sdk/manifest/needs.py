"""Which permission a call of a service needs, where that depends on what is asked for; pure.

    >>> str(emitting("hello", "weather.changed"))
    'services.emit.weather.changed'
    >>> emitting("hello", "hello.greeted") is None
    True

The host asks this for every call, and so do the fakes of the test kit.
"""

from __future__ import annotations

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
]

TERMINAL = Permission("process", "spawn", "terminal")
ACTIVE = Permission("ui", "read", "active_widget")
COMMANDS = Permission("services", "read", "commands")
PLUGINS = Permission("plugins", "read", "installed")
INFORMATION = Permission("system", "read", "information")

_OF_THE_HOST = ("theme.changed", "settings.changed", "plugin.limit")
"""Events that every plugin may hear; nobody but the host emits them without a permission."""


def named(category: str, scope: str, resource: str) -> Permission:
    """Return the permission for one thing that a plugin named.

    Raises:
        InvalidArgumentsError: it cannot be named like that.
    """
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
