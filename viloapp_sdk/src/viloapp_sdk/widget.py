"""What a plugin shows: `IWidget`, the interface, and `Widget`, which implements it.

A widget is data of a kind that the workspace knows how to draw: ``text``, ``terminal``, ``editor``, or
``webview``, an HTML page of the package (``web/…``) in a frame of its own. One object lives in the worker for
each open instance.

    >>> class Panel(Widget):
    ...     id = "hello.panel"
    ...     title = "Hello"
    ...     kind = "text"
    ...
    ...     def create(self, params):
    ...         return {"text": "Hello!"}
    >>> Panel().create({})
    {'text': 'Hello!'}
"""

from abc import ABC, abstractmethod

from viloapp_sdk.errors import UnknownCommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from viloapp_sdk.context import PluginContext

__all__ = ["IWidget", "Widget"]


class IWidget(ABC):
    """The interface of a widget. Derive from `Widget`, which implements it."""

    @abstractmethod
    def get_widget_id(self) -> str:
        """Return the widget's id, such as ``hello.panel``."""

    @abstractmethod
    def get_title(self) -> str:
        """Return what the tab of this instance shows."""

    @abstractmethod
    def initialize(self, context: "PluginContext", instance_id: str) -> None:
        """Called once by the worker, before `create`."""

    @abstractmethod
    def create(self, params: "dict[str, Any]") -> "Any":
        """Return the data to draw, a dict of the widget's kind, or an awaitable of it."""

    @abstractmethod
    def handle_command(self, command: str, args: "dict[str, Any]") -> "Any":
        """Answer a message from the page."""

    @abstractmethod
    def get_state(self) -> "dict[str, Any]":
        """Return what is needed to show this instance again later."""

    @abstractmethod
    def restore_state(self, state: "dict[str, Any]") -> None:
        """Take back what `get_state` gave; called before `create`."""

    @abstractmethod
    def destroy(self) -> None:
        """Called once when the instance is closed."""


class Widget(IWidget):
    """A widget that shows nothing and answers nothing, until an author overrides what differs.

    ``id``, ``title``, ``kind``, ``icon`` and ``position`` are read from the source when the wheel is
    built, so they have to be literal strings.
    """

    id: "ClassVar[str]" = ""
    title: "ClassVar[str]" = ""
    kind: "ClassVar[str]" = "text"
    icon: "ClassVar[str]" = ""
    position: "ClassVar[str]" = "main"

    context: "PluginContext"
    instance_id: str = ""

    def get_widget_id(self) -> str:  # noqa: D102 - the interface says it
        return self.id

    def get_title(self) -> str:  # noqa: D102
        return self.title or self.id

    def initialize(self, context: "PluginContext", instance_id: str) -> None:  # noqa: D102
        self.context = context
        self.instance_id = instance_id

    def create(self, params: "dict[str, Any]") -> "Any":  # noqa: D102
        return {}

    def handle_command(self, command: str, args: "dict[str, Any]") -> "Any":  # noqa: D102
        raise UnknownCommandError(f"widget {self.get_widget_id()} has no command {command!r}")

    def get_state(self) -> "dict[str, Any]":  # noqa: D102
        return {}

    def restore_state(self, state: "dict[str, Any]") -> None:  # noqa: D102
        pass

    def destroy(self) -> None:  # noqa: D102
        pass

    def update(self, data: "Mapping[str, Any] | None" = None, *, title: "str | None" = None) -> None:
        """Show new data, a new title, or both, wherever this instance is open."""
        self.context.services.workspace.update_widget(self.instance_id, data, title)
