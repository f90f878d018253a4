"""Doors to hosts outside, as far as a test opens them."""

from __future__ import annotations

from viloapp_sdk.manifest.needs import named
from viloapp_sdk.services import NetworkService
from viloapp_sdk.testing.grants import FakePermissions

__all__ = ["FakeNetwork"]


class FakeNetwork(NetworkService):
    """Leads to the servers that a test has started, under the names that the plugin knows.

        host.network.routes["db.example.com", 5432] = ("127.0.0.1", server_port)

    Args:
        permissions: what the plugin may.
    """

    __slots__ = ("_permissions", "routes")

    def __init__(self, permissions: FakePermissions) -> None:
        self._permissions = permissions
        self.routes: dict[tuple[str, int], tuple[str, int]] = {}

    def forward(self, host: str, port: int) -> tuple[str, int]:
        """Return where the test says that ``host`` is.

        Raises:
            PermissionDeniedError: it was not granted.
            ConnectionRefusedError: the test named no server for it.
        """
        self._permissions.require(named("network", "connect", f"{host}:{port}"), "network.connect")
        if (host, port) not in self.routes:
            raise ConnectionRefusedError(
                f"nothing answers at {host}:{port}; "
                f'a test says what does: host.network.routes["{host}", {port}]'
            )
        return self.routes[host, port]
