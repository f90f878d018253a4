"""What a page may ask for: one row per method with the keys that it takes.

Answers are plain JSON; errors are `ViloError`, whose three fields the page shows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from viloapp_core.host.measuring import metrics
from viloapp_core.permissions import Permission
from viloapp_core.web import explorer, views
from viloapp_core.web.absence import absent
from viloapp_core.web.errors import InvalidRequestError, UnknownMethodError
from viloapp_core.web.installs import Installs
from viloapp_core.web.layouts import Layouts
from viloapp_core.web.pages import Page
from viloapp_core.web.plugins import Plugins
from viloapp_core.web.requests import Field, Fields
from viloapp_core.web.webviews import WebViews
from viloapp_sdk.errors import UnknownWidgetError

if TYPE_CHECKING:
    from viloapp_core.host import Host

__all__ = ["Methods"]

Params = Mapping[str, Any]
Handler = Callable[[Page, Params], Awaitable[Any]]


class Methods:
    """Runs the methods of the wire against one host.

    Args:
        host: does the work.
        layouts: keeps the arrangement.
        plugins: changes what is installed.
        installs: the installations under way.
        webviews: where the pages of plugins are.
    """

    def __init__(
        self, host: "Host", layouts: Layouts, plugins: Plugins, installs: Installs, webviews: WebViews
    ) -> None:
        self._host = host
        self._webviews = webviews
        self._layouts = layouts
        self._plugins = plugins
        self._installs = installs
        instance = Field("instance", "string")
        ids = Field("ids", "strings")
        plugin, permissions = Field("plugin", "string"), Field("permissions", "strings")
        self._table: dict[str, tuple[Fields, Handler]] = {
            "hello": (Fields(), self._hello),
            "catalog": (Fields(), self._catalog),
            "command.run": (
                Fields(Field("id", "string"), Field("arguments", "object", {})),
                self._command_run,
            ),
            "widget.open": (
                Fields(
                    Field("widget", "string"),
                    Field("params", "object", {}),
                    Field("state", "any", None),
                    Field("plugin", "string", ""),
                ),
                self._widget_open,
            ),
            "widget.command": (
                Fields(instance, Field("command", "string"), Field("arguments", "object", {})),
                self._widget_command,
            ),
            "widget.state": (Fields(instance), self._widget_state),
            "widget.page": (Fields(instance), self._widget_page),
            "widget.close": (Fields(instance), self._widget_close),
            "widget.activate": (Fields(instance), self._widget_activate),
            "layout.save": (Fields(Field("layout", "object")), self._layout_save),
            "files.list": (Fields(Field("path", "string", "")), self._files_list),
            "plugins.install": (
                Fields(
                    Field("specs", "strings", []),
                    Field("operation", "optional string", None),
                    Field("accepted", "boolean", False),
                ),
                self._plugins_install,
            ),
            "plugins.enable": (Fields(ids), self._plugins_enable),
            "plugins.disable": (Fields(ids), self._plugins_disable),
            "plugins.uninstall": (Fields(ids), self._plugins_uninstall),
            "permissions.grant": (Fields(plugin, permissions), self._permissions_grant),
            "permissions.revoke": (Fields(plugin, permissions), self._permissions_revoke),
            "permissions.reset": (Fields(plugin), self._permissions_reset),
            "permissions.answer": (
                Fields(Field("id", "integer"), Field("answer", "string")),
                self._permissions_answer,
            ),
            "metrics.list": (Fields(), self._metrics_list),
            "crashes.list": (Fields(plugin), self._crashes_list),
            "settings.list": (Fields(), self._settings_list),
            "settings.get": (Fields(Field("key", "string")), self._settings_get),
            "settings.set": (Fields(Field("key", "string"), Field("value", "any")), self._settings_set),
            "theme.set": (Fields(Field("theme", "string")), self._theme_set),
        }

    async def run(self, page: Page, method: str, params: dict[str, Any]) -> Any:
        """Check the parameters and run one method for one page.

        Raises:
            UnknownMethodError: there is no such method.
            InvalidRequestError: the parameters do not fit.
            ViloError: whatever the method refuses.
        """
        row = self._table.get(method)
        if row is None:
            raise UnknownMethodError(method[:80])
        fields, handler = row
        return await handler(page, fields.check(method, params))

    async def _hello(self, page: Page, params: Params) -> Any:
        return {
            "version": views.version(),
            "folder": str(self._host.workspace_folder),
            "instances": self._host.instances(),
            "layout": self._layouts.load(),
            "questions": self._host.permissions.prompts.open,
            "broken_saves": list(self._host.reloading.problems.values()),
            "locale": str(self._host.settings.core("locale")),
            **views.theme(self._host),
            **await self._plugins.catalog(),
        }

    async def _catalog(self, page: Page, params: Params) -> Any:
        return await self._plugins.catalog()

    async def _command_run(self, page: Page, params: Params) -> Any:
        return await self._host.call(params["id"], params["arguments"])

    async def _widget_open(self, page: Page, params: Params) -> Any:
        try:
            return await self._host.open_widget(params["widget"], params["params"], params["state"])
        except UnknownWidgetError as error:
            if why := absent(self._host.store, params["widget"], params["plugin"]):
                raise why from error
            raise

    async def _widget_command(self, page: Page, params: Params) -> Any:
        return await self._host.widget_command(params["instance"], params["command"], params["arguments"])

    async def _widget_state(self, page: Page, params: Params) -> Any:
        return await self._host.widget_state(params["instance"])

    async def _widget_page(self, page: Page, params: Params) -> Any:
        return self._webviews.open(params["instance"])

    async def _widget_close(self, page: Page, params: Params) -> Any:
        await self._host.close_widget(params["instance"])

    async def _widget_activate(self, page: Page, params: Params) -> Any:
        self._host.activate_widget(params["instance"])

    async def _layout_save(self, page: Page, params: Params) -> Any:
        await self._layouts.save(params["layout"], views.open_instances(self._host))

    async def _files_list(self, page: Page, params: Params) -> Any:
        return await asyncio.to_thread(explorer.listing, self._host.workspace_folder, params["path"])

    async def _plugins_install(self, page: Page, params: Params) -> Any:
        if params["operation"] is not None:
            return await self._installs.resume(params["operation"], params["accepted"])
        if not params["specs"]:
            raise InvalidRequestError("plugins.install", ["specs: is empty"])
        return await self._installs.start(page, params["specs"])

    async def _plugins_enable(self, page: Page, params: Params) -> Any:
        return await self._plugins.enable(params["ids"])

    async def _plugins_disable(self, page: Page, params: Params) -> Any:
        return await self._plugins.disable(params["ids"])

    async def _plugins_uninstall(self, page: Page, params: Params) -> Any:
        return await self._plugins.uninstall(params["ids"])

    async def _permissions_grant(self, page: Page, params: Params) -> Any:
        plugin_id = self._host.store.plugin(params["plugin"]).plugin_id
        for permission in [Permission.parse(text) for text in params["permissions"]]:
            self._host.permissions.grant_permission(plugin_id, permission)
        return await self._host.permissions_applied(plugin_id)

    async def _permissions_revoke(self, page: Page, params: Params) -> Any:
        plugin_id = self._host.store.plugin(params["plugin"]).plugin_id
        for permission in [Permission.parse(text) for text in params["permissions"]]:
            self._host.permissions.revoke_permission(plugin_id, permission)
        return await self._host.permissions_applied(plugin_id)

    async def _permissions_reset(self, page: Page, params: Params) -> Any:
        plugin_id = self._host.store.plugin(params["plugin"]).plugin_id
        self._host.permissions.reset(plugin_id)
        return await self._host.permissions_applied(plugin_id)

    async def _permissions_answer(self, page: Page, params: Params) -> Any:
        self._host.permissions.prompts.answer(params["id"], params["answer"])

    async def _metrics_list(self, page: Page, params: Params) -> Any:
        return metrics(self._host)

    async def _crashes_list(self, page: Page, params: Params) -> Any:
        return await asyncio.to_thread(self._host.crash_reports, params["plugin"])

    async def _settings_list(self, page: Page, params: Params) -> Any:
        return self._host.settings.list()

    async def _settings_get(self, page: Page, params: Params) -> Any:
        return self._host.settings.get(params["key"])

    async def _settings_set(self, page: Page, params: Params) -> Any:
        self._host.settings.set(params["key"], params["value"])

    async def _theme_set(self, page: Page, params: Params) -> Any:
        self._host.theme.set(params["theme"])
        return views.theme(self._host)
