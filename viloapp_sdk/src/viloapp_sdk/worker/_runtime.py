"""What a host may ask of a worker: each method of the wire, applied to the plugin's object."""

import os
import sys

from viloapp_sdk import __version__
from viloapp_sdk.context import PluginContext
from viloapp_sdk.errors import FrameError, UnknownCommandError, UnknownWidgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from viloapp_sdk.communication import PluginEvent
    from viloapp_sdk.plugin import IPlugin
    from viloapp_sdk.services import Services
    from viloapp_sdk.widget import IWidget
    from viloapp_sdk.worker._channel import Channel


_BEFORE_INITIALIZE = ("import", "initialize", "ping", "settings.step", "shutdown")


class Runtime:
    """The plugin, its widgets' instances and its subscriptions.

    Args:
        channel: where requests come from and go to; its ``handle`` and ``notify`` become ours.
        fetch: returns the descriptor that belongs to a ticket of the host's.
    """

    def __init__(self, channel: "Channel", fetch: "Callable[[int], int] | None" = None) -> None:
        self._channel = channel
        channel.handle = self._handle
        channel.notify = self._notify
        self._fetch = fetch
        self._services: Services | None = None
        self._subscribers: dict[str, list[Callable[[PluginEvent], Any]]] = {}
        self._instances: dict[str, IWidget] = {}
        self._event: type[PluginEvent] | None = None  # imported with the first
        self._seen: Callable[[], list[list[Any]]] = list
        self._plugin: IPlugin | None = None
        self._context: PluginContext | None = None
        self._methods: dict[str, Callable[[Any], Any]] = {
            "health": self._health,
            "import": self._import,
            "initialize": self._initialize,
            "learned": lambda params: self._seen(),
            "ping": lambda params: "pong",
            "settings.step": self._step,
            "shutdown": self._shutdown,
            "stream": self._stream,
            "stream.drop": self._drop_stream,
            "widget.command": self._widget_command,
            "widget.create": self._widget_create,
            "widget.destroy": self._widget_destroy,
            "widget.state": lambda params: self._instance(params).get_state(),
        }

    def _handle(self, method: str, params: "Any") -> "Any":
        if method == "command" and self._plugin is not None:
            command, args = params
            return self._plugin.handle_command(command, args)
        run = self._methods.get(method)
        if run is None and method != "command":
            raise FrameError(
                f"viloapp-sdk {__version__} has no method {method!r} for its host",
                "the host is newer: install the plugin again, which gets the SDK of this viloapp-core",
            )
        if self._plugin is None and method not in _BEFORE_INITIALIZE:
            raise FrameError(f"{method} came before initialize")
        assert run is not None
        return run(params)

    # -- life ----------------------------------------------------------------------------------------

    def _initialize(self, params: "dict[str, Any]") -> "Any":
        """``{plugin_id, version, entry_point, data_dir, settings}`` → ``{commands, widgets}``."""
        if params.get("learn"):  # before any code of the plugin
            from viloapp_sdk.worker._learning import watch

            self._seen = watch()
        module, target = self._imported(params["entry_point"])
        resource_dir = os.path.dirname(os.path.abspath(module.__file__ or "."))
        self._context = PluginContext({**params, "resource_dir": resource_dir}, connect=self.services)
        plugin: IPlugin = target()
        # Set before `initialize`, so that a plugin which overrides it need not call the base class.
        plugin.context = self._context
        result = plugin.initialize(self._context)
        self._plugin = plugin
        if hasattr(result, "__await__"):
            return self._after(result, self._offers)
        return self._offers()

    def services(self) -> "Services":
        """Return the host's services; they are made when they are first asked for."""
        if self._services is None:
            from viloapp_sdk.services import Services

            ask, later = self._channel.request, self._channel.request_async
            self._services = Services(ask, later, self._subscribe, self._fetch)
        return self._services

    def _import(self, params: "dict[str, Any]") -> None:
        """``{entry_point}``: see that it can be imported, and start nothing."""
        self._imported(params["entry_point"])

    def _step(self, params: "dict[str, Any]") -> "Any":
        """``{run, settings, data_dir}``: one step of the plugin's settings → what it returns."""
        from pathlib import Path

        _, function = self._imported(params["run"])
        return function(params["settings"], Path(params["data_dir"]))

    @staticmethod
    def _imported(entry_point: str) -> "tuple[Any, Any]":
        """Return the module of an entry point and what it names there."""
        module_name, _, attribute = entry_point.partition(":")
        __import__(module_name)
        target = module = sys.modules[module_name]
        for part in attribute.split("."):
            target = getattr(target, part)
        return module, target

    async def _after(self, awaitable: "Any", then: "Callable[[], Any]") -> "Any":
        await awaitable
        return then()

    def _offers(self) -> "dict[str, Any]":
        assert self._plugin is not None
        commands = [
            {
                "id": known.id,
                "title": known.title,
                "description": known.description,
                # Only where it is so: a host that does not know the word takes every other command.
                **({"idempotent": True} if getattr(known, "idempotent", False) else {}),
            }
            for known in self._plugin.get_commands()
        ]
        widgets = [
            {
                "id": getattr(cls, "id", "") or cls().get_widget_id(),
                "title": getattr(cls, "title", ""),
                "kind": getattr(cls, "kind", "text"),
                "icon": getattr(cls, "icon", ""),
                "position": getattr(cls, "position", "main"),
            }
            for cls in self._plugin.get_widgets()
        ]
        return {"commands": commands, "widgets": widgets}

    def _shutdown(self, params: "Any") -> "Any":
        for instance in [*self._instances]:
            self._widget_destroy(instance)
        result = self._plugin.shutdown() if self._plugin is not None else None
        if hasattr(result, "__await__"):
            return self._after(result, self._channel.stop)
        self._channel.stop()
        return None

    def _health(self, params: "Any") -> "Any":
        """Return why the plugin is not well; None when it is, or does not say."""
        check = getattr(self._plugin, "health_check", None)
        if check is None:
            return None  # that it answers at all is what a ping shows
        result = check()
        if hasattr(result, "__await__"):
            return self._examined(result)
        return None if result else f"its health_check returned {result!r}"

    async def _examined(self, awaitable: "Any") -> "str | None":
        result = await awaitable
        return None if result else f"its health_check returned {result!r}"

    # -- commands and widgets ------------------------------------------------------------------------

    def _stream(self, params: "list[Any]") -> None:
        """``[command, arguments, ticket]``: have a streaming command write into the ticket's socket."""
        command, args, ticket = params
        assert self._plugin is not None
        assert self._fetch is not None
        fd = self._fetch(ticket)
        try:
            from viloapp_sdk.worker._streams import begin

            begin(self._channel, self._plugin.handle_command(command, args), fd, ticket, command)
        except BaseException:
            os.close(fd)
            raise

    def _drop_stream(self, params: "list[Any]") -> None:
        """``[command, arguments, ticket]``: a stream that the host gave up before it began."""
        if self._fetch is not None:
            os.close(self._fetch(params[2]))

    def _widget_create(self, params: "dict[str, Any]") -> "Any":
        """``{widget, instance, params, state}`` → ``{title, data}``."""
        widget = self._widget_class(params["widget"])()
        instance = params["instance"]
        assert self._context is not None
        widget.initialize(self._context, instance)
        if params.get("state") is not None:
            widget.restore_state(params["state"])
        self._instances[instance] = widget
        try:
            data = widget.create(params.get("params") or {})
        except BaseException:
            del self._instances[instance]
            raise
        if hasattr(data, "__await__"):
            return self._created(instance, data)
        return {"title": widget.get_title(), "data": data}

    async def _created(self, instance: str, data: "Any") -> "dict[str, Any]":
        try:
            value = await data
        except BaseException:
            self._instances.pop(instance, None)
            raise
        return {"title": self._instances[instance].get_title(), "data": value}

    def _widget_class(self, widget_id: str) -> "type[IWidget]":
        assert self._plugin is not None
        for cls in self._plugin.get_widgets():
            if (getattr(cls, "id", "") or cls().get_widget_id()) == widget_id:
                return cls
        raise UnknownWidgetError(f"{self._plugin.get_plugin_id()} has no widget {widget_id!r}")

    def _widget_command(self, params: "list[Any]") -> "Any":
        instance, command, args = params
        widget = self._instance(instance)
        if command.startswith("_"):
            raise UnknownCommandError(f"a widget's command cannot be named {command!r}")
        return widget.handle_command(command, args)

    def _widget_destroy(self, instance: str) -> None:
        widget = self._instances.pop(instance, None)
        if widget is not None:
            widget.destroy()

    def _instance(self, instance: str) -> "IWidget":
        widget = self._instances.get(instance)
        if widget is None:
            raise UnknownWidgetError(f"no widget {instance!r} is open in this plugin")
        return widget

    # -- events --------------------------------------------------------------------------------------

    def _subscribe(self, type: str, callback: "Callable[[PluginEvent], Any]") -> "Callable[[], None]":
        callbacks = self._subscribers.setdefault(type, [])
        callbacks.append(callback)
        if len(callbacks) == 1:
            try:
                self._channel.request("events.subscribe", [type])
            except BaseException:
                callbacks.remove(callback)
                raise

        def unsubscribe() -> None:
            if callback in callbacks:
                callbacks.remove(callback)

        return unsubscribe

    def _notify(self, type: str, body: "dict[str, Any]") -> "Any":
        """Deliver an event ``{source, data}`` to its subscribers."""
        new = self._event
        if new is None:
            from viloapp_sdk.communication import PluginEvent

            new = self._event = PluginEvent
        event = new(type, body["source"], body["data"])
        if type == "settings.changed" and self._context is not None:
            self._context._values[event.data["name"]] = event.data["value"]
        if type == "locale.changed" and self._context is not None:
            self._context._follow_locale(event.data["locale"])
        waiting = None
        for callback in tuple(self._subscribers.get(type, ())):
            try:
                result = callback(event)
            except Exception as error:  # one subscriber's fault must not keep the event from the others
                self._channel.fail(None, error)
                continue
            if result is not None and hasattr(result, "__await__"):
                waiting = waiting or []
                waiting.append(result)
        return self._gather(waiting) if waiting else None

    async def _gather(self, waiting: "list[Any]") -> None:
        for awaitable in waiting:
            try:
                await awaitable
            except Exception as error:
                self._channel.fail(None, error)


__all__ = ["Runtime"]
