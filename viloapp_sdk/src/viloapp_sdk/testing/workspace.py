"""Open widgets: the workspace of the kit's host, and one for plugins that are tested by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viloapp_sdk.errors import UnknownWidgetError

__all__ = ["FakeWorkspace", "MockWorkspaceService", "OpenWidget"]


@dataclass
class OpenWidget:
    """An open instance, as the page has it.

    Args:
        id: of the instance.
        widget_id: such as ``hello.panel``.
        plugin_id: whose it is.
        title: what its tab shows.
        data: what is drawn; changes are put in.
        params: what it was opened with.
        state: what its plugin last said it needs to go on.
    """

    id: str
    widget_id: str
    plugin_id: str
    title: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    state: Any = None


class FakeWorkspace:
    """Which instances are open and which has the focus.

    Args:
        folder: what `get_folder` returns.
    """

    def __init__(self, folder: str = "/workspace") -> None:
        self.folder = folder
        self._instances: dict[str, OpenWidget] = {}
        self._active: str | None = None
        self._count = 0

    @property
    def widgets(self) -> list[OpenWidget]:
        """Every open instance, oldest first."""
        return list(self._instances.values())

    @property
    def active(self) -> OpenWidget | None:
        """The instance that has the focus."""
        return self._instances.get(self._active or "")

    def new_id(self) -> str:
        """Return an unused id."""
        self._count += 1
        return f"instance-{self._count}"

    def add(self, widget: OpenWidget) -> None:
        """Take up an instance and give it the focus."""
        self._instances[widget.id] = widget
        self._active = widget.id

    def get(self, instance_id: str, plugin_id: str | None = None) -> OpenWidget:
        """Return an open instance, of one plugin's where that is named.

        Raises:
            UnknownWidgetError: there is none.
        """
        widget = self._instances.get(instance_id)
        if widget is None or plugin_id not in (None, widget.plugin_id):
            raise UnknownWidgetError(f"no widget {instance_id[:40]!r} of {plugin_id or 'anybody'} is open")
        return widget

    def focus(self, instance_id: str) -> None:
        """Give an instance the focus, as a click does.

        Raises:
            UnknownWidgetError: there is none of this id.
        """
        self._active = self.get(instance_id).id

    def remove(self, instance_id: str) -> None:
        """Drop an instance."""
        self._instances.pop(instance_id, None)
        if self._active == instance_id:
            self._active = None

    def update(self, widget: OpenWidget, data: Mapping[str, Any] | None, title: str | None) -> None:
        """Change what an instance shows."""
        if data is not None:
            widget.data = {**widget.data, **data}
        if title is not None:
            widget.title = title


class MockWorkspaceService:
    """A workspace without a host: remembers what was added, under the id that was given.

    >>> workspace = MockWorkspaceService()
    >>> workspace.add_widget("hello.panel", {"text": "Hello"})
    'hello.panel'
    >>> workspace.get_active_widget()
    {'text': 'Hello'}
    """

    def __init__(self) -> None:
        self.widgets: dict[str, Any] = {}
        self.active_widget: str | None = None
        self.folder = "/workspace"

    def add_widget(self, widget_id: str, widget: Any = None) -> str:
        """Remember a widget, or the parameters that it is opened with; return its id."""
        self.widgets[widget_id] = widget
        self.active_widget = widget_id
        return widget_id

    def get_active_widget(self) -> Any:
        """Return what was added last and is still there, or None."""
        return self.widgets.get(self.active_widget) if self.active_widget else None

    def remove_widget(self, widget_id: str) -> None:
        """Forget a widget."""
        self.widgets.pop(widget_id, None)
        if self.active_widget == widget_id:
            self.active_widget = None

    def update_widget(
        self, widget_id: str, data: Mapping[str, Any] | None = None, title: str | None = None
    ) -> None:
        """Put new data into a widget that was added with a dict."""
        known = self.widgets.get(widget_id)
        if isinstance(known, dict) and data is not None:
            known.update(data)

    def get_folder(self) -> str:
        """Return the path of the folder that the workspace shows."""
        return self.folder
