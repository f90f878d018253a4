"""What the plugin under test may: decided by the host's own code, from what the test granted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from viloapp_sdk.errors import InvalidArgumentsError, PermissionDeniedError
from viloapp_sdk.manifest.decision import NOWHERE, Places, decide
from viloapp_sdk.manifest.permission import Permission

__all__ = ["Denial", "FakePermissions"]

_FREE = ("filesystem.write.plugin_data", "filesystem.write.temp_files")


@dataclass(frozen=True)
class Denial:
    """Something that was refused.

    Args:
        permission: what was missing.
        call: the service call.
    """

    permission: str
    call: str


class FakePermissions:
    """Grants, denials, and the answers that the person of the test gives.

    Args:
        plugin_id: of the plugin under test.
        granted: permissions that it has, as text.
        places: where the named places of the file system are.

    Attributes:
        denials: what was refused, in order.
        asked: what the plugin asked the person for, with its reasons.
    """

    def __init__(self, plugin_id: str, granted: Iterable[str] = (), places: Places = NOWHERE) -> None:
        self._plugin_id = plugin_id
        self._granted = [Permission.parse(text) for text in (*_FREE, *granted)]
        self._refused: list[Permission] = []
        self._answers: dict[str, bool] = {}
        self._places = places
        self.denials: list[Denial] = []
        self.asked: list[tuple[str, str]] = []

    def grant(self, *permissions: str) -> None:
        """Allow something, as ``viloapp permissions grant`` does."""
        for permission in map(Permission.parse, permissions):
            self._refused = [each for each in self._refused if not permission.covers(each)]
            self._granted.append(permission)

    def revoke(self, *permissions: str) -> None:
        """Deny something, whatever was granted."""
        self._refused += map(Permission.parse, permissions)

    def answer(self, permission: str, allow: bool) -> None:
        """Say what the person answers when the plugin asks for ``permission``; unasked, nobody is there."""
        self._answers[str(Permission.parse(permission))] = allow

    def allowed(self, wanted: Permission) -> bool:
        """Return whether the plugin may; nothing is noted."""
        return decide(self._granted, self._refused, wanted, self._places).allowed

    def require(self, wanted: Permission, call: str) -> None:
        """Note a denial and raise it.

        Raises:
            PermissionDeniedError: the plugin may not.
        """
        decision = decide(self._granted, self._refused, wanted, self._places)
        if not decision.allowed:
            self.denials.append(Denial(str(wanted), call))
            raise PermissionDeniedError(
                f"{self._plugin_id} may not: {decision.reason} ({call})",
                f'declare {wanted} in [tool.viloapp], or grant it in the test: host.grant("{wanted}")',
            )

    def check(self, wanted: str) -> bool:
        """Answer ``permissions.check``."""
        return self.allowed(Permission.parse(wanted))

    def request(self, wanted: str, reason: str) -> bool:
        """Answer ``permissions.request``.

        Raises:
            InvalidArgumentsError: a ``*`` stands in it.
        """
        permission = Permission.parse(wanted)
        if permission.wildcard:
            raise InvalidArgumentsError(
                f"{permission} cannot be asked for while running", "ask for one thing, or declare it"
            )
        if self.allowed(permission):
            return True
        if not any(each.denies(permission) for each in self._refused):
            self.asked.append((str(permission), reason))
            if (answer := self._answers.get(str(permission))) is True:
                self.grant(str(permission))
                return True
            if answer is False:
                self._refused.append(permission)
        self.denials.append(Denial(str(permission), "permissions.request"))
        return False
