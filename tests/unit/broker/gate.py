"""A gate whose grants a test sets, deciding as the host's does."""

from __future__ import annotations

from collections.abc import Callable

from viloapp_core.permissions import Decision, Permission, decide
from viloapp_sdk.errors import PermissionDeniedError


class Grants:
    """What each plugin may, and what was written to the audit log."""

    def __init__(self, *granted: str) -> None:
        self.now = [Permission.parse(each) for each in granted]
        self.lines: list[tuple[str, str, str, str]] = []
        self._callbacks: list[Callable[[str], None]] = []

    def require(self, plugin_id: str, wanted: Permission, call: str) -> Permission:
        """See `Gate`."""
        decision = self.allowed(plugin_id, wanted)
        if not decision.allowed or decision.by is None:
            raise PermissionDeniedError(
                f"{plugin_id} called {call} without {wanted}",
                f"viloapp permissions grant {plugin_id} {wanted}",
            )
        return decision.by

    def allowed(self, plugin_id: str, wanted: Permission) -> Decision:
        """See `Gate`."""
        return decide(self.now, [], wanted)

    def granted(self, plugin_id: str) -> list[Permission]:
        """See `Gate`."""
        return self.now

    def audit(
        self,
        event: str,
        plugin_id: str,
        permission: str = "",
        call: str = "",
        outcome: str = "",
        detail: str = "",
    ) -> None:
        """See `Gate`."""
        self.lines.append((permission, call, outcome, detail))

    def on_change(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """See `Gate`."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def change(self, plugin_id: str, *granted: str) -> None:
        """Grant something else."""
        self.now = [Permission.parse(each) for each in granted]
        for callback in self._callbacks:
            callback(plugin_id)
