"""What a plugin may use: who says so, and what happens beyond."""

from collections.abc import Awaitable, Callable

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_sdk.errors import PermissionDeniedError

Run = Callable[[Callable[[], Awaitable[None]]], None]

DEVOURS = """
    from viloapp_sdk import Plugin, command


    class P(Plugin):
        @command("devours.raise_own_limit")
        def raise_own_limit(self) -> None:
            self.context.settings.set("limits.memory_mb", 5000)
"""


def test_a_plugin_cannot_raise_its_own_limits(plant: Plant, run: Run) -> None:
    """A plugin sets its settings by itself, and its limits never."""
    plant("devours", DEVOURS)

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(PermissionDeniedError, match="for the person to say"):
                await host.call("devours.raise_own_limit")
            assert host.settings.limits_of("devours") == {}

    run(test)
