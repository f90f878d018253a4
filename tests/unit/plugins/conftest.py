"""The host's side of the SDK's one port, in memory: what a plugin asks for, answered as a host would."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from viloapp_sdk import Plugin, PluginContext, PluginEvent, Widget
from viloapp_sdk.errors import UnknownWidgetError, ViloError
from viloapp_sdk.services import Services


class Desk:
    """A workspace with one plugin in it.

    Attributes:
        widgets: the open instances.
        active: the instance that has the focus.
        updates: ``(instance, data, title)`` of every update, in order.
        shown: ``(message, level)`` of every notification, in order.
        terminals: the living terminals by id.
        opened: the arguments of every terminal that was opened.
        missing: programs and folders that this machine does not have.
    """

    def __init__(self, plugin: Plugin, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.widgets: dict[str, Widget] = {}
        self.active: str | None = None
        self.updates: list[tuple[str, Any, str | None]] = []
        self.shown: list[tuple[str, str]] = []
        self.terminals: dict[str, dict[str, Any]] = {}
        self.opened: list[tuple[list[str] | None, dict[str, Any]]] = []
        self.missing: set[str] = set()
        self.plugin = plugin
        self._subscribers: list[tuple[str, Callable[[PluginEvent], Any]]] = []
        self._ids = count(1)
        start = {
            "plugin_id": type(plugin).__name__.lower(),
            "version": "0.1.0",
            "data_dir": str(folder),
            "resource_dir": str(Path(inspect.getfile(type(plugin))).parent),
            "settings": settings,
        }
        self.context = PluginContext(start, Services(self._request, self._request, self._subscribe))
        plugin.initialize(self.context)

    def call(self, command: str, **arguments: Any) -> Any:
        """Run a command of the plugin."""
        return self.plugin.handle_command(command, arguments)

    def open(
        self, widget: str, params: dict[str, Any] | None = None, state: dict[str, Any] | None = None
    ) -> tuple[Any, Any]:
        """Open a widget as a worker does; return the instance and its data."""
        cls = next((c for c in self.plugin.get_widgets() if getattr(c, "id", "") == widget), None)
        if cls is None:
            raise UnknownWidgetError(widget)
        instance = cls()
        assert isinstance(instance, Widget)
        instance.initialize(self.context, f"i{next(self._ids)}")
        if state is not None:
            instance.restore_state(state)
        data = instance.create(params or {})
        self.widgets[instance.instance_id] = instance
        return instance, data

    def set(self, name: str, value: Any) -> None:
        """Change a setting, as the host tells it."""
        self.context.settings._values[name] = value
        for type_, callback in self._subscribers:
            if type_ == "settings.changed":
                callback(PluginEvent("settings.changed", "host", {"name": name, "value": value}))

    def _subscribe(self, type_: str, callback: Callable[[PluginEvent], Any]) -> Callable[[], None]:
        entry = (type_, callback)
        self._subscribers.append(entry)
        return lambda: self._subscribers.remove(entry)

    def _request(self, method: str, params: list[Any]) -> Any:
        return getattr(self, "_" + method.replace(".", "_"))(*params)

    def _workspace_get_folder(self) -> str:
        return str(self.folder)

    def _workspace_add_widget(self, widget: str, params: dict[str, Any]) -> str:
        instance, _ = self.open(widget, params)
        self.active = instance.instance_id
        return str(instance.instance_id)

    def _workspace_get_active_widget(self) -> dict[str, str] | None:
        return {"instance": self.active, "widget": "", "plugin": ""} if self.active else None

    def _workspace_remove_widget(self, instance: str) -> None:
        self.widgets.pop(instance).destroy()

    def _workspace_update_widget(self, instance: str, data: Any, title: str | None) -> None:
        if instance not in self.widgets:
            raise UnknownWidgetError(instance)
        self.updates.append((instance, data, title))

    def _notifications_show(self, message: str, level: str) -> None:
        self.shown.append((message, level))

    def _terminals_open(self, argv: list[str] | None, options: dict[str, Any]) -> dict[str, Any]:
        if absent := self.missing & {options["cwd"], *(argv or ())}:
            raise ViloError("spawn_failed", f"{min(absent)} does not exist")
        self.opened.append((argv, options))
        cwd = options["cwd"] or str(self.folder)
        id_ = f"t{next(self._ids)}"
        self.terminals[id_] = {"id": id_, "title": options["title"] or "bash", "pid": 4242, "cwd": cwd}
        return dict(self.terminals[id_])

    def _terminals_list(self) -> list[dict[str, Any]]:
        return [dict(terminal) for terminal in self.terminals.values()]

    def _terminals_close(self, terminal: str) -> None:
        del self.terminals[terminal]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace folder."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


MakeDesk = Callable[[Plugin, dict[str, Any]], Desk]


@pytest.fixture
def make_desk(folder: Path) -> MakeDesk:
    """Makes a workspace with the plugin and the settings it is given."""
    return lambda plugin, settings: Desk(plugin, folder, dict(settings))
