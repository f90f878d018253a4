"""What an author derives from: `IPlugin`, the interface, and `Plugin`, which implements all of it.

>>> class Hello(Plugin):
...     @command("hello.greet", title="Say hello")
...     def greet(self, name: str = "world") -> str:
...         return f"Hello, {name}!"
>>> Hello().handle_command("hello.greet", {"name": "you"})
'Hello, you!'
"""

from abc import ABC, abstractmethod

from viloapp_sdk._signature import Signature
from viloapp_sdk.errors import UnknownCommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, ClassVar, TypeVar

    from viloapp_sdk.context import PluginContext
    from viloapp_sdk.widget import IWidget

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["ICommand", "IPlugin", "Plugin", "command"]

_MARK = "__viloapp_command__"


class ICommand:
    """A command that a plugin offers: what palettes show and what is called.

    Args:
        id: dotted, unique in a store, such as ``hello.greet``.
        title: what people read.
        handler: called with the arguments as keywords; plain or ``async``.
        description: one paragraph.
        idempotent: see `command`.
    """

    __slots__ = ("description", "handler", "id", "idempotent", "title")

    def __init__(
        self,
        id: str,
        title: str,
        handler: "Callable[..., Any]",
        description: str = "",
        *,
        idempotent: bool = False,
    ) -> None:
        self.id = id
        self.title = title
        self.handler = handler
        self.description = description
        self.idempotent = idempotent


def command(id: str, *, title: str = "", idempotent: bool = False) -> "Callable[[F], F]":
    """Mark a method as the command ``id``.

    The build reads the decorator from the source, without running it, so its arguments have to be literals.
    The parameters of the method become the parameters of the command.

    Args:
        id: dotted, unique in a store, such as ``hello.greet``.
        title: what people read; the id when empty.
        idempotent: run twice it does the same as run once. When the plugin's process is lost in the middle of
            it, the host runs it once more instead of failing the call.
    """

    def mark(function: "F") -> "F":
        setattr(function, _MARK, (id, title or id, idempotent))
        return function

    return mark


class IPlugin(ABC):
    """The interface of a plugin. Derive from `Plugin`, which implements it.

    Attributes:
        context: set by the worker before it calls `initialize`.
    """

    context: "PluginContext"

    @abstractmethod
    def get_plugin_id(self) -> str:
        """Return the plugin's id: its normalized distribution name."""

    @abstractmethod
    def get_version(self) -> str:
        """Return the plugin's version."""

    @abstractmethod
    def initialize(self, context: "PluginContext") -> None:
        """Called once by the worker, before anything else, with the way to the host."""

    @abstractmethod
    def shutdown(self) -> None:
        """Called once by the worker before it ends; a few seconds are left."""

    @abstractmethod
    def get_widgets(self) -> "Sequence[type[IWidget]]":
        """Return the widget classes that the plugin offers."""

    @abstractmethod
    def get_commands(self) -> "Sequence[ICommand]":
        """Return the commands that the plugin offers."""

    @abstractmethod
    def handle_command(self, command: str, args: "Mapping[str, Any]") -> "Any":
        """Run a command; the result, or an awaitable of it, has to be JSON-like."""


class Plugin(IPlugin):
    """A plugin whose commands are its methods marked with `command`.

    An author overrides only what differs. ``widgets`` lists the widget classes.
    """

    widgets: "ClassVar[Sequence[type[IWidget]]]" = ()

    def get_plugin_id(self) -> str:  # noqa: D102 - the interface says it
        return self.context.plugin_id

    def get_version(self) -> str:  # noqa: D102
        return self.context.version

    def initialize(self, context: "PluginContext") -> None:  # noqa: D102
        self.context = context

    def shutdown(self) -> None:  # noqa: D102
        pass

    def health_check(self) -> "Any":
        """Return whether the plugin is well; a bool, or an awaitable of it.

        Called about every half minute while nothing else is asked of the plugin. What is false, and what is
        raised, is a failure: the host starts the plugin again. Without it, that the plugin answers is enough.
        """
        return True

    def get_widgets(self) -> "Sequence[type[IWidget]]":  # noqa: D102
        return self.widgets

    def get_commands(self) -> "Sequence[ICommand]":  # noqa: D102
        commands = []
        for name, function in _marked(type(self)):
            id, title, idempotent = getattr(function, _MARK)
            about = (function.__doc__ or "").strip()
            commands.append(ICommand(id, title, getattr(self, name), about, idempotent=idempotent))
        return commands

    def handle_command(self, command: str, args: "Mapping[str, Any]") -> "Any":  # noqa: D102
        if command == "ping":
            return "pong"
        # Looked up once: walking the classes for every call would cost more than the call.
        handlers = self.__dict__.get("_handlers")
        if handlers is None or command not in handlers:
            handlers = self.__dict__.setdefault("_handlers", {})
            handlers.update(
                {known.id: (known.handler, Signature(known.handler)) for known in self.get_commands()}
            )
            if command not in handlers:
                raise UnknownCommandError(f"{type(self).__name__} has no command {command!r}")
        handler, signature = handlers[command]
        if (*args,) in signature.fits:  # as nearly always: callers give the same ones
            return handler(**args)
        return handler(**signature.bind(args, command))


def _marked(cls: type) -> "list[tuple[str, Any]]":
    """Return (attribute name, function) of the methods marked with `command`, overrides applied."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if hasattr(value, _MARK):
                found[name] = value
            elif name in found:  # overridden by something that is no command
                del found[name]
    return list(found.items())
