"""One permission, ``category.scope.resource``, and whether a set of them allows another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from viloapp_core.permissions.errors import PermissionSyntaxError

__all__ = ["CATEGORIES", "Permission", "allows"]

CATEGORIES = ("system", "filesystem", "network", "process", "ui", "services", "plugins")
"""Source: the specification, Permission Categories."""


@dataclass(frozen=True, slots=True)
class Permission:
    """A thing that a plugin may do; ``*`` stands for any scope, any resource, or the end of one.

    Args:
        category: one of `CATEGORIES`.
        scope: such as ``read``, ``connect``, ``spawn``.
        resource: such as ``workspace`` or ``api.example.com``; may contain dots.
    """

    category: str
    scope: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``category.scope.resource``.

        Raises:
            PermissionSyntaxError: it is not of that form.
        """
        parts = text.split(".", 2)
        if len(parts) != 3 or not all(parts):
            raise PermissionSyntaxError(text, "it has fewer than three parts")
        if parts[0] not in CATEGORIES:
            raise PermissionSyntaxError(text, f"{parts[0]!r} is none of {', '.join(CATEGORIES)}")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.category}.{self.scope}.{self.resource}"

    def covers(self, wanted: "Permission") -> bool:
        """Return whether holding this permission is enough for ``wanted``."""
        return (
            self.category == wanted.category
            and self.scope in ("*", wanted.scope)
            and _matches(self.resource, wanted.resource)
        )


def allows(granted: Iterable[Permission], wanted: Permission) -> bool:
    """Return whether any of ``granted`` covers ``wanted``: what nobody granted is denied."""
    return any(permission.covers(wanted) for permission in granted)


def _matches(pattern: str, resource: str) -> bool:
    if pattern.endswith("*"):
        return resource.startswith(pattern[:-1])
    return pattern == resource
