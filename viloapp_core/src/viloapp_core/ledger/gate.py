"""What the rest of the core asks before it does something for a plugin."""

from collections.abc import Callable
from typing import Protocol

from viloapp_core.permissions import Decision, Permission

__all__ = ["Gate"]


class Gate(Protocol):
    """The port through which broker, sandbox and services see what a plugin may; the host has it."""

    def require(self, plugin_id: str, wanted: Permission, call: str) -> Permission:
        """Return the grant that allows ``wanted``.

        Args:
            plugin_id: who wants it.
            wanted: one thing, without a ``*``.
            call: what was called, for the audit log and the error.

        Raises:
            PermissionDeniedError: nothing allows it; the hint is the command that would. It has been written
                to the audit log and shown to the person.
        """

    def allowed(self, plugin_id: str, wanted: Permission) -> Decision:
        """Decide without telling anybody."""

    def granted(self, plugin_id: str) -> list[Permission]:
        """Return what a plugin may now."""

    def audit(
        self,
        event: str,
        plugin_id: str,
        permission: str = "",
        call: str = "",
        outcome: str = "",
        detail: str = "",
    ) -> None:
        """Write to the audit log; see `viloapp_core.ledger.AuditLog.record`."""

    def on_change(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call ``callback(plugin id)`` after a plugin's permissions changed; return what ends that."""
