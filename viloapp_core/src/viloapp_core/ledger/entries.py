"""What a person decided about one permission of one plugin, and what the decisions amount to; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from viloapp_core.foundation.names import normalized
from viloapp_core.permissions import Permission, PermissionSyntaxError, remaining

__all__ = ["Entry", "Standing", "consented_by", "standing"]

_KEYS = {"permission", "state", "by", "at", "reason"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision that holds until another replaces it.

    Args:
        permission: which.
        state: ``granted`` or ``denied``.
        by: where it was said: ``install``, ``prompt`` or ``command``.
        at: when, ISO 8601 in UTC.
        reason: what the plugin had said that it wants it for.
    """

    permission: Permission
    state: str
    by: str
    at: str
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes back."""
        return {
            "permission": str(self.permission),
            "state": self.state,
            "by": self.by,
            "at": self.at,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, value: Any) -> "Entry":
        """Read one.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(value, dict) or value.keys() != _KEYS:
            raise ValueError(f"has an entry that is not made of {', '.join(sorted(_KEYS))}")
        if not all(isinstance(text, str) for text in value.values()):
            raise ValueError("has an entry whose values are not all texts")
        if value["state"] not in ("granted", "denied") or value["by"] not in ("install", "prompt", "command"):
            raise ValueError(f"has an entry of state {value['state']!r} by {value['by']!r}")
        try:
            permission = Permission.parse(value["permission"])
        except PermissionSyntaxError as error:
            raise ValueError(f"has {error.detail}") from error
        return cls(permission, value["state"], value["by"], value["at"], value["reason"])


@dataclass(frozen=True, slots=True)
class Standing:
    """What a plugin has in all.

    Args:
        granted: what it may.
        denied: what it may not, whatever it was granted.
    """

    granted: tuple[Permission, ...]
    denied: tuple[Permission, ...]

    @property
    def effective(self) -> tuple[Permission, ...]:
        """What of the grants the denials leave."""
        return tuple(remaining(self.granted, self.denied))


def consented_by(permissions: Iterable[str], requires_plugins: Iterable[str]) -> list[str]:
    """Return what the consent to an installation granted: plugins that are required may be called too."""
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requires_plugins)
    ids = (normalized(name[0]) for name in names if name is not None)
    return [*permissions, *(f"plugins.call.{id}" for id in ids)]


def standing(consented: Iterable[str], entries: Sequence[Entry]) -> Standing:
    """Return what the installed generation was granted, with what was decided since.

    What was accepted at the installation is in the generation's receipt, so that a rollback takes its grants
    back along with the code, and a host that was killed between two writes has lost nothing. Entries by
    ``install`` only say when.

    Args:
        consented: of the receipt. What is no permission any more grants nothing.
        entries: of the ledger.
    """
    granted = []
    for text in consented:
        try:
            granted.append(Permission.parse(text))
        except PermissionSyntaxError:
            continue
    granted += [each.permission for each in entries if each.state == "granted" and each.by != "install"]
    denied = [each.permission for each in entries if each.state == "denied"]
    return Standing(tuple(dict.fromkeys(granted)), tuple(denied))
