"""What a plugin may ask of its host: each service call, its permission, its parameters.

Every request of every worker comes through `Dispatch`. What is not in the table does not exist; what
needs a permission is checked before it is run; parameters are a stranger's.

Free for every plugin is what is its own: settings, widgets, commands, events whose names begin with its id,
and what tells nothing of others: the theme, the path of the workspace's folder, a message to the person.
``docs/reference/permissions.md`` has the table.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.foundation.version import __version__
from viloapp_core.host.brokered import brokered
from viloapp_core.host.machine import Environment, information
from viloapp_core.host.paces import PACED
from viloapp_core.permissions import Permission
from viloapp_core.services.settings import LIMITS
from viloapp_sdk._deprecated import Deprecation
from viloapp_sdk.errors import (
    InvalidArgumentsError,
    PermissionDeniedError,
    UnknownServiceError,
    UnknownWidgetError,
)
from viloapp_sdk.manifest.needs import (
    ACTIVE,
    COMMANDS,
    INFORMATION,
    PLUGINS,
    TERMINAL,
    calling,
    emitting,
    hearing,
    named,
)
from viloapp_sdk.manifest.printable import make_safe

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["Dispatch"]

CORE_SETTINGS = "core"
LEVELS = ("info", "warning", "error")
_MAX_TERMINAL_CELLS = 1000


@dataclass(frozen=True, slots=True)
class _Service:
    """One method that plugins may call."""

    run: Callable[..., Any]
    """``(plugin id, *parameters)``"""
    types: tuple[type | tuple[type, ...], ...]
    """Of the parameters; a tuple that contains ``NoneType`` makes one optional."""
    needs: Permission | Callable[..., Permission | None] | None = None
    """A function gets ``(plugin id, *parameters)`` after they were checked; None for what is free."""
    deprecated: Deprecation | None = None
    """What an author uses instead, and the version of the API that does not have it any more."""


_NONE = type(None)


class Dispatch:
    """Answers the service calls of all workers.

    Args:
        host: whose services are offered.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._warned: set[tuple[str, str]] = set()
        dict_or_none = (dict, _NONE)
        environment = Environment()
        self._services: Mapping[str, _Service] = {
            "theme.get_current_theme": _Service(lambda plugin: host.theme.get_current_theme(), ()),
            "theme.get_color": _Service(lambda plugin, key: host.theme.get_color(key), (str,)),
            "workspace.add_widget": _Service(self._add_widget, (str, dict_or_none), self._opening),
            "workspace.get_active_widget": _Service(self._active_widget, ()),
            "workspace.remove_widget": _Service(self._remove_widget, (str,)),
            "workspace.update_widget": _Service(self._update_widget, (str, dict_or_none, (str, _NONE))),
            "workspace.get_folder": _Service(lambda plugin: str(host.workspace_folder), ()),
            "commands.execute": _Service(
                lambda plugin, id, args: host.call(id, args),
                (str, dict_or_none),
                lambda plugin, id, args: calling(plugin, host.owner_of(id)),
            ),
            "commands.list": _Service(lambda plugin: host.commands(), (), COMMANDS),
            "events.emit": _Service(
                self._emit, (str, dict_or_none), lambda plugin, type, data: emitting(plugin, type)
            ),
            "events.subscribe": _Service(host.events.subscribe, (str,), hearing),
            "settings.get": _Service(lambda plugin, name: host.settings.get(f"{plugin}.{name}"), (str,)),
            "settings.set": _Service(self._set_setting, (str, object)),
            "notifications.show": _Service(self._notify, (str, str)),
            "plugins.call": _Service(
                lambda plugin, id, command, args: host.call(f"{id}:{command}", args),
                (str, str, dict_or_none),
                lambda plugin, id, command, args: calling(plugin, id),
            ),
            "plugins.list": _Service(self._plugins, (), PLUGINS),
            "permissions.request": _Service(self._request_permission, (str, str)),
            "permissions.check": _Service(
                lambda plugin, wanted: host.permissions.check_permission(plugin, Permission.parse(wanted)),
                (str,),
            ),
            "system.get_environment": _Service(
                lambda plugin, name: environment.get(name),
                (str,),
                lambda plugin, name: named("system", "environment", name),
            ),
            "system.get_information": _Service(lambda plugin: information(), (), INFORMATION),
            "terminals.open": _Service(self._open_terminal, ((list, _NONE), dict), TERMINAL),
            "terminals.write": _Service(self._write_terminal, (str, str), TERMINAL),
            "terminals.resize": _Service(self._resize_terminal, (str, int, int), TERMINAL),
            "terminals.close": _Service(self._close_terminal, (str,), TERMINAL),
            "terminals.list": _Service(self._terminals, (), TERMINAL),
            **{method: _Service(run, types) for method, (run, types) in brokered(host).items()},
        }

    def __call__(self, plugin_id: str, method: str, params: Any) -> Any:
        """Return the result of a service call, or an awaitable of it.

        Raises:
            UnknownServiceError: there is no such method.
            PermissionDeniedError: the plugin was not granted what the method needs.
            InvalidArgumentsError: the parameters do not fit.
        """
        service = self._services.get(method)
        if service is None:
            raise UnknownServiceError(
                f"viloapp-core {__version__} has no service method {method[:80]!r}",
                "where the plugin's viloapp-sdk is newer, update viloapp-core",
            )
        if service.deprecated is not None:
            self._warn(plugin_id, method, service.deprecated)
        needs = service.needs
        if isinstance(needs, Permission):  # before the parameters are even looked at
            self._host.permissions.require(plugin_id, needs, method)
        given = _checked(method, params, service.types)
        needed = None if needs is None or isinstance(needs, Permission) else needs(plugin_id, *given)
        if needed is not None:
            self._host.permissions.require(plugin_id, needed, method)
        if method in PACED:
            return self._paced(service, plugin_id, method, given)
        return service.run(plugin_id, *given)

    def _warn(self, plugin_id: str, method: str, deprecated: Deprecation) -> None:
        """Tell the plugin's author in its log, once in this process; the SDK that asks is an older one."""
        worker = self._host.worker(plugin_id)
        if (plugin_id, method) in self._warned or worker is None or worker.life is None:
            return
        self._warned.add((plugin_id, method))
        worker.life.log.write(f"DeprecationWarning: {deprecated.say(method, 'API')}\n".encode())

    async def _paced(self, service: _Service, plugin_id: str, method: str, given: list[Any]) -> Any:
        await self._host.paces.turn(plugin_id, method)
        result = service.run(plugin_id, *given)
        return await result if isinstance(result, Awaitable) else result

    async def _request_permission(self, plugin_id: str, wanted: str, reason: str) -> bool:
        permission = Permission.parse(wanted)
        return await self._host.permissions.request_permission(plugin_id, permission, make_safe(reason, 500))

    # -- workspace -----------------------------------------------------------------------------------

    async def _add_widget(self, plugin_id: str, widget_id: str, params: dict[str, Any] | None) -> str:
        view = await self._host.open_widget(
            widget_id, params, owner=self._widget_owner(widget_id) or plugin_id
        )
        return str(view["instance"])

    def _widget_owner(self, widget_id: str) -> str | None:
        return next((row["plugin"] for row in self._host.widgets() if row["id"] == widget_id), None)

    def _opening(self, plugin_id: str, widget_id: str, params: Any) -> Permission | None:
        return None if self._widget_owner(widget_id) in (plugin_id, None) else named("ui", "open", widget_id)

    def _active_widget(self, plugin_id: str) -> dict[str, str] | None:
        active = self._host.workspace.active()
        if active is None:
            return None
        if active.plugin_id != plugin_id and not self._host.permissions.check_permission(plugin_id, ACTIVE):
            return None  # no denial: plugins ask this to learn whether it is one of theirs
        return {"instance": active.id, "widget": active.widget_id, "plugin": active.plugin_id}

    def _own(self, plugin_id: str, instance_id: str) -> None:
        if self._host.workspace.get(instance_id).plugin_id != plugin_id:
            raise UnknownWidgetError(f"no widget {instance_id[:40]!r} of {plugin_id} is open")

    async def _remove_widget(self, plugin_id: str, instance_id: str) -> None:
        self._own(plugin_id, instance_id)
        await self._host.close_widget(instance_id)

    def _update_widget(
        self, plugin_id: str, instance_id: str, data: dict[str, Any] | None, title: str | None
    ) -> None:
        self._own(plugin_id, instance_id)
        self._host.update_widget(instance_id, data, title)

    # -- events, messages, settings, plugins ---------------------------------------------------------

    def _emit(self, plugin_id: str, type: str, data: dict[str, Any] | None) -> None:
        self._host.emit(type, plugin_id, data or {})

    def _set_setting(self, plugin_id: str, name: str, value: object) -> None:
        if name.startswith(LIMITS):
            raise PermissionDeniedError(
                f"{plugin_id} tried to set {name[:80]}: what a plugin may use is for the person to say",
                f"viloapp config set {plugin_id}.{name[:80]} VALUE",
            )
        if plugin_id == CORE_SETTINGS:  # its name is refused at installation; an older version has let it in
            raise PermissionDeniedError(f"{plugin_id} has no settings: those are the host's")
        self._host.settings.set(f"{plugin_id}.{name}", value)

    def _notify(self, plugin_id: str, message: str, level: str) -> None:
        if level not in LEVELS:
            raise InvalidArgumentsError(
                f"a notification has no level {level!r}", f"there are: {', '.join(LEVELS)}"
            )
        self._host.notices.show(plugin_id, level, message[:2000])

    def _plugins(self, plugin_id: str) -> list[dict[str, str]]:
        enabled = [plugin for plugin in self._host.store.plugins().values() if plugin.enabled]
        return [{"id": plugin.plugin_id, "version": plugin.version} for plugin in enabled]

    # -- terminals -----------------------------------------------------------------------------------

    async def _open_terminal(
        self, plugin_id: str, argv: list[Any] | None, options: dict[str, Any]
    ) -> dict[str, Any]:
        known = {"cwd", "env", "rows", "cols", "title"}
        if unknown := sorted(options.keys() - known):
            raise InvalidArgumentsError(f"terminals.open: unknown {', '.join(map(repr, unknown))}")
        env = options.get("env") or {}
        texts = [*(argv or ()), *env, *env.values(), options.get("title") or "", options.get("cwd") or ""]
        if not all(isinstance(text, str) and "\0" not in text for text in texts):
            raise InvalidArgumentsError("terminals.open takes argv, cwd, env and title as text")
        rows, cols = _size("terminals.open", options.get("rows", 24), options.get("cols", 80))
        terminal = await self._host.terminals.open(
            owner=plugin_id,
            argv=argv,
            cwd=Path(options.get("cwd") or self._host.workspace_folder),
            env=env,
            rows=rows,
            cols=cols,
            title=options.get("title") or "",
        )
        return _terminal(terminal)

    def _terminal_of(self, plugin_id: str, terminal_id: str) -> None:
        if all(terminal.id != terminal_id for terminal in self._host.terminals.list(owner=plugin_id)):
            raise InvalidArgumentsError(f"{plugin_id} has no living terminal {terminal_id[:40]!r}")

    def _write_terminal(self, plugin_id: str, terminal_id: str, text: str) -> None:
        self._terminal_of(plugin_id, terminal_id)
        self._host.terminals.write(terminal_id, text.encode())

    def _resize_terminal(self, plugin_id: str, terminal_id: str, rows: int, cols: int) -> None:
        self._terminal_of(plugin_id, terminal_id)
        self._host.terminals.resize(terminal_id, *_size("terminals.resize", rows, cols))

    async def _close_terminal(self, plugin_id: str, terminal_id: str) -> None:
        self._terminal_of(plugin_id, terminal_id)
        await self._host.terminals.close(terminal_id)

    def _terminals(self, plugin_id: str) -> list[dict[str, Any]]:
        return [_terminal(terminal) for terminal in self._host.terminals.list(owner=plugin_id)]


def _terminal(terminal: Any) -> dict[str, Any]:
    return {"id": terminal.id, "title": terminal.title, "pid": terminal.pid, "cwd": str(terminal.cwd)}


def _size(method: str, rows: Any, cols: Any) -> tuple[int, int]:
    for value in (rows, cols):
        if not isinstance(value, int) or not 1 <= value <= _MAX_TERMINAL_CELLS:
            raise InvalidArgumentsError(f"{method}: rows and cols have to be from 1 to {_MAX_TERMINAL_CELLS}")
    return rows, cols


def _checked(method: str, params: Any, types: tuple[type | tuple[type, ...], ...]) -> list[Any]:
    """Return ``params`` when they are what the method takes.

    Raises:
        InvalidArgumentsError: they are not.
    """
    if not isinstance(params, list) or len(params) != len(types):
        raise InvalidArgumentsError(f"{method} takes {len(types)} parameters")
    for number, (value, kind) in enumerate(zip(params, types, strict=True), 1):
        if not isinstance(value, kind):
            raise InvalidArgumentsError(f"{method}: parameter {number} is a {type(value).__name__}")
    return params
