"""The plugin under test between its start and its end, driven by the worker's own code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from viloapp_sdk.errors import HandlerError, InvalidArgumentsError, ViloError
from viloapp_sdk.manifest import webpage
from viloapp_sdk.plugin import IPlugin
from viloapp_sdk.services import Services
from viloapp_sdk.testing.channel import InProcessChannel
from viloapp_sdk.testing.workspace import OpenWidget
from viloapp_sdk.worker._runtime import Runtime

if TYPE_CHECKING:
    from viloapp_sdk.testing.host import FakeHost

__all__ = ["Running"]

_NOTHING: dict[str, list[dict[str, Any]]] = {"commands": [], "widgets": []}


class Running:
    """Starts, stops and asks the plugin.

    Args:
        host: whose plugin it is.
    """

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self._entry = ""
        self._plugin: IPlugin | None = None
        self.offers = _NOTHING
        self._renew()

    def _renew(self) -> None:
        self.channel = InProcessChannel(self._host.dispatch)
        # A runtime asks nothing of its channel but what ours has.
        self._runtime = Runtime(self.channel, self._ticket)  # type: ignore[arg-type]
        self.services: Services = self._runtime.services()
        self.services.network = self._host.network

    @staticmethod
    def _ticket(descriptor: int) -> int:
        return descriptor

    @property
    def plugin(self) -> IPlugin:
        """The plugin's object.

        Raises:
            AssertionError: none was loaded.
        """
        assert self._plugin is not None, "no plugin was loaded: host.load(YourPlugin)"
        return self._plugin

    def start(self, plugin: str | type[IPlugin]) -> IPlugin:
        """Import, construct and initialize the plugin.

        Raises:
            AssertionError: one runs already.
            ViloError: what it answered; `HandlerError` from what its code raised.
        """
        assert self._plugin is None, "a plugin is loaded already: host.unload()"
        self._entry = plugin if isinstance(plugin, str) else f"{plugin.__module__}:{plugin.__qualname__}"
        if not isinstance(plugin, str) and "<locals>" in self._entry:
            self._entry = _published(plugin)
        host = self._host
        self.offers = self.channel.serve(
            "initialize",
            {
                "plugin_id": host.plugin_id,
                "version": host.version,
                "entry_point": self._entry,
                "data_dir": str(host.storage),
                "settings": host.settings.as_dict(),
                "locale": host.locale,
            },
        )
        self._plugin = self._runtime._plugin
        return self.plugin

    def restart(self) -> IPlugin:
        """Stop and start, with what the open widgets need to go on."""
        own = [each for each in self._host.workspace.widgets if each.plugin_id == self._host.plugin_id]
        for widget in own:
            with contextlib.suppress(ViloError):
                widget.state = self.channel.serve("widget.state", widget.id)
        self.stop()
        plugin = self.start(self._entry)
        for widget in own:
            self.create(widget)
        return plugin

    def create(self, widget: OpenWidget) -> None:
        """Have the plugin make a widget's data.

        Raises:
            ViloError: what it answered.
        """
        answer = self.channel.serve(
            "widget.create",
            {
                "widget": widget.widget_id,
                "instance": widget.id,
                "params": widget.params,
                "state": widget.state,
            },
        )
        if not isinstance(answer.get("data"), dict):
            raise HandlerError(f"{widget.widget_id}: its `create` has to return a dict of the data to draw")
        self.check_page(widget.widget_id, answer["data"])
        widget.title, widget.data = answer["title"], answer["data"]

    def check_page(self, widget_id: str, data: Mapping[str, Any]) -> None:
        """Refuse data of a webview that name no page which the host would serve.

        Raises:
            InvalidArgumentsError: they name none, or none that is in the package.
        """
        kinds = [each.get("kind") for each in self.offers["widgets"] if each["id"] == widget_id]
        if kinds != [webpage.KIND]:
            return
        page = webpage.page_of(widget_id, data)
        context = self._runtime._context
        if context is not None and not (context.resource_path / webpage.FOLDER / page).is_file():
            raise InvalidArgumentsError(
                f"{widget_id}: {webpage.FOLDER}/{page} is not in its package",
                f"is it in package-data of pyproject.toml, and is it in {context.resource_path}?",
            )

    def stop(self) -> None:
        """Shut the plugin down; nothing happens when none is loaded.

        Raises:
            BaseException: what a subscriber raised meanwhile.
        """
        channel, loaded = self.channel, self._plugin is not None
        try:
            if loaded:
                channel.serve("shutdown", None)
        finally:
            channel.stop()
            self._plugin, self.offers = None, _NOTHING
            self._host.forget_subscriptions()
            self._renew()
        if channel.failures:
            raise channel.failures[0]


def _published(plugin: type[IPlugin]) -> str:
    """Give a class that a test made inside a function a name that an entry point can have."""
    module = sys.modules[plugin.__module__]
    name = f"_viloapp_under_test_{plugin.__name__}"
    setattr(module, name, plugin)
    return f"{plugin.__module__}:{name}"
