"""What each plugin may, as it was granted at its installation: the `Gate` of a host without a ledger."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from viloapp_core.permissions import Decision, Permission, decide
from viloapp_sdk.errors import PermissionDeniedError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["InstalledGrants"]


class InstalledGrants:
    """See `viloapp_core.ledger.Gate`.

    Args:
        host: knows what is installed.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host

    def require(self, plugin_id: str, wanted: Permission, call: str) -> Permission:
        """Return the grant that allows ``wanted``.

        Raises:
            PermissionDeniedError: nothing does.
        """
        decision = self.allowed(plugin_id, wanted)
        if not decision.allowed or decision.by is None:
            raise PermissionDeniedError(
                f"{plugin_id} called {call} without the permission {wanted}",
                f"viloapp permissions grant {plugin_id} {wanted}",
            )
        return decision.by

    def allowed(self, plugin_id: str, wanted: Permission) -> Decision:
        """Decide without telling anybody."""
        return decide(self.granted(plugin_id), [], wanted)

    def granted(self, plugin_id: str) -> list[Permission]:
        """Return what a plugin may."""
        return self._host.granted(plugin_id)

    def audit(
        self,
        event: str,
        plugin_id: str,
        permission: str = "",
        call: str = "",
        outcome: str = "",
        detail: str = "",
    ) -> None:
        """There is no log."""

    def on_change(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """What was granted at installation does not change."""
        return lambda: None
