"""What callers are told of a process that is gone."""

from collections.abc import Awaitable, Callable

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_sdk.errors import WorkerLostError

FRAIL = """
import os
from viloapp_sdk import Plugin, Widget, command

class Panel(Widget):
    id = "frail.panel"
    title = "Frail"
    kind = "text"
    def create(self, params):
        return {"text": "here"}

class P(Plugin):
    widgets = [Panel]
    @command("frail.exit")
    def exit(self):
        os._exit(7)
"""


def test_a_lost_call_says_how_though_a_restart_is_under_way(
    plant: Plant, run: Callable[[Callable[[], Awaitable[None]]], None]
) -> None:
    """An open widget starts the plugin again at once; the caller still learns how the first process ended."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.open_widget("frail.panel")
            with pytest.raises(WorkerLostError, match="ended with code 7"):
                await host.call("frail.exit")

    run(test)
