"""A plugin of the old form, wrapped by `viloapp create-plugin --from-legacy`, in a worker of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.unit.host.conftest import Plant
from viloapp_core.devtools.wrapping import wrap
from viloapp_core.host import Host
from viloapp_core.manifest import read_source
from viloapp_core.store import Store

LEGACY = Path(__file__).parents[2] / "fixtures" / "legacy" / "notes"
Run = Callable[[Callable[[], Awaitable[None]]], None]


def test_an_old_plugin_runs_unchanged(store: Store, plant: Plant, run: Run, tmp_path: Path) -> None:
    """Its widget shows what it set up with the old context, answers, keeps its state; its command runs."""
    made = wrap(LEGACY, tmp_path)
    for name in ("notes.py", "board.py"):
        assert (made.folder / "src" / name).read_bytes() == (LEGACY / "src" / name).read_bytes()
    described = read_source(made.folder)
    events = described.manifest.activation_events
    assert events == ("onStartup",)
    entry_point = described.entry_point.value
    plant("notes-board", made.folder / "src", entry_point=entry_point, activation_events=list(events))

    async def check() -> None:
        async with Host(store.root, workspace=tmp_path) as host:
            while not host.widgets():  # known once its process, which starts with the host, has said so
                await asyncio.sleep(0.01)
            assert await host.call("notes.count", {"start": 4}) == 5
            assert [widget["id"] for widget in host.widgets()] == ["notes-board.board"]
            opened = await host.open_widget("notes-board.board")
            assert opened["title"] == "Notes board"
            assert opened["data"]["text"] == "Board of commands, theme, workspace: theme dark"
            answer = await host.widget_command(opened["instance"], "add", {"line": "milk"})
            assert answer == {"lines": ["theme dark", "milk"]}
            state = await host.widget_state(opened["instance"])
            again = await host.open_widget("notes-board.board", {}, state)
            assert await host.widget_state(again["instance"]) == {"lines": ["theme dark", "milk"]}

    run(check)


WIDGET = """
    from viloapp_sdk import Plugin
    from viloapp_sdk.compat import LegacyWidgetAdapter, create_compatibility_shim

    class Old:
        title = "Old"
        def __init__(self, parent=None):
            self.parent = parent
        def widget_id(self):
            return "old"
        def setup_widget(self, context):
            return {"text": "with " + context["workspace"].get_folder()}

    def make():
        return create_compatibility_shim(Old)(None, theme="dark")

    class Adapted(LegacyWidgetAdapter):
        id = "old.panel"
        title = "Old panel"
        legacy = make

    class P(Plugin):
        widgets = (Adapted,)
"""


def test_an_old_widget_in_a_plugin_of_today(store: Store, plant: Plant, run: Run, tmp_path: Path) -> None:
    """The build knows it, since its id stands in the source: its worker starts when it is opened."""
    plant("old", WIDGET)

    async def check() -> None:
        async with Host(store.root, workspace=tmp_path) as host:
            (row,) = host.widgets()
            assert (row["id"], row["title"]) == ("old.panel", "Old panel")
            opened = await host.open_widget("old.panel")
            assert opened["data"] == {"text": f"with {tmp_path}"}
            assert opened["title"] == "Old"

    run(check)
