"""An old widget as one of today's.

A widget of the old interface has a ``widget_id`` (a method, a property or an attribute), maybe a ``title``,
and ``setup_widget(context)``, which gets ``{"workspace", "theme", "commands"}``. The adapter makes it one of
today's:

    >>> class OldPanel:
    ...     title = "Panel"
    ...
    ...     def widget_id(self):
    ...         return "panel"
    ...
    ...     def setup_widget(self, context):
    ...         return "Hello!"
    >>> class Panel(LegacyWidgetAdapter):
    ...     id = "hello.panel"  # as for any widget, read by the build
    ...     legacy = OldPanel
    >>> Panel().get_widget_id(), Panel().get_title()
    ('panel', 'Panel')

Source: the specification, Backward Compatibility.
"""

from viloapp_sdk._deprecated import warn
from viloapp_sdk.widget import Widget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from viloapp_sdk.context import PluginContext

__all__ = ["LegacyWidgetAdapter", "said"]

_NAME = "viloapp_sdk.compat.LegacyWidgetAdapter"
OLD_CONTEXT = ("workspace", "theme", "commands")
"""What the old context holds, exactly. Source: the specification, ``_convert_context``."""


class LegacyWidgetAdapter(Widget):
    """A widget of today around one of the old interface.

    What the tab shows is what ``initialize`` or ``setup_widget`` of the old one returns: a dict of the data
    to draw, or text. Its ``handle_command``, ``get_state``, ``restore_state`` and ``destroy`` (or
    ``cleanup``) are called where it has them.

    Args:
        legacy_widget: the old one; made by calling ``legacy``, the class attribute, when there is none.
    """

    legacy: "ClassVar[Any]" = None
    """The class of the old widget, or another callable without arguments that makes one."""

    def __init__(self, legacy_widget: "Any" = None) -> None:
        if legacy_widget is None:
            make = type(self).legacy  # of the class: a function would be bound to this object otherwise
            if make is None:
                name = type(self).__name__
                raise TypeError(f"{name} wraps nothing: give it a widget, or set {name}.legacy to its class")
            legacy_widget = make()
        self.legacy_widget = legacy_widget
        self._shown: Any = None

    # -- the old interface ---------------------------------------------------------------------------

    @property
    def widget_id(self) -> str:
        """The widget's id, by its old name."""
        warn(f"{_NAME}.widget_id")
        return self.get_widget_id()

    def setup_widget(self, *args: "Any", **kwargs: "Any") -> "Any":
        """Initialise the widget, by its old name."""
        warn(f"{_NAME}.setup_widget")
        return self.initialize(*args, **kwargs)

    # -- today's interface ---------------------------------------------------------------------------

    def get_widget_id(self) -> str:
        """Return the old widget's id, or this class's where it has none."""
        for name in ("get_widget_id", "widget_id"):
            value = said(self.legacy_widget, name)
            if value is not None:
                return str(value)
        return self.id

    def get_title(self) -> str:
        """Return the old widget's title, or the name of its class where it has none."""
        for name in ("get_title", "title"):
            value = said(self.legacy_widget, name)
            if value is not None:
                return str(value)
        return type(self.legacy_widget).__name__

    def initialize(self, context: "PluginContext", instance_id: str = "") -> "Any":
        """Hand the context over: today's to an ``initialize``, the old one to a ``setup_widget``."""
        super().initialize(context, instance_id)
        if hasattr(self.legacy_widget, "initialize"):
            self._shown = self.legacy_widget.initialize(context)
        elif hasattr(self.legacy_widget, "setup_widget"):
            self._shown = self.legacy_widget.setup_widget(self._convert_context(context))
        return self._shown

    def create(self, params: "dict[str, Any]") -> "Any":
        """Return what the old widget made when it was set up, as data to draw."""
        if hasattr(self._shown, "__await__"):
            return self._awaited(self._shown)
        return self._data(self._shown)

    def handle_command(self, command: str, args: "dict[str, Any]") -> "Any":
        """Hand a message of the page to the old widget."""
        if hasattr(self.legacy_widget, "handle_command"):
            return self.legacy_widget.handle_command(command, args)
        return super().handle_command(command, args)

    def get_state(self) -> "dict[str, Any]":
        """Return the old widget's state."""
        state = said(self.legacy_widget, "get_state")
        return state if isinstance(state, dict) else {}

    def restore_state(self, state: "dict[str, Any]") -> None:
        """Give the old widget its state back."""
        if hasattr(self.legacy_widget, "restore_state"):
            self.legacy_widget.restore_state(state)

    def destroy(self) -> None:
        """Tell the old widget that its tab is closed."""
        for name in ("destroy", "cleanup"):
            if hasattr(self.legacy_widget, name):
                getattr(self.legacy_widget, name)()
                return

    def _convert_context(self, new_context: "PluginContext") -> "dict[str, Any]":
        return {name: new_context.get_service(name) for name in OLD_CONTEXT}

    def _data(self, shown: "Any") -> "dict[str, Any]":
        if isinstance(shown, dict):
            return shown
        return {"text": self.get_title() if shown is None else str(shown)}

    async def _awaited(self, shown: "Any") -> "dict[str, Any]":
        return self._data(await shown)


def said(widget: object, name: str) -> "Any":
    """Return what a widget says under a name, a method's or an attribute's; None where it is not there."""
    value = getattr(widget, name, None)
    return value() if callable(value) else value
