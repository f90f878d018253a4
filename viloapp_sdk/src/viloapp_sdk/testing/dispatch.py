"""Every service call there is, answered by the fakes: the counterpart of the host's own table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from viloapp_sdk.errors import InvalidArgumentsError, UnknownServiceError, UnknownWidgetError
from viloapp_sdk.manifest import needs
from viloapp_sdk.manifest.permission import Permission

if TYPE_CHECKING:
    from viloapp_sdk.testing.host import FakeHost

__all__ = ["Dispatch"]

_NONE = type(None)
_OR_NONE: Any = (dict, _NONE)
_LEVELS = ("info", "warning", "error")


class _Call(NamedTuple):
    run: Callable[..., Any]
    types: tuple[Any, ...] = ()
    needs: Permission | Callable[..., Permission | None] | None = None


class Dispatch:
    """Answers what the plugin under test asks of its host.

    Args:
        host: whose fakes answer.
    """

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        id = host.plugin_id
        self._calls: Mapping[str, _Call] = {
            "theme.get_current_theme": _Call(host.theme.get_current_theme),
            "theme.get_color": _Call(host.theme.get_color, (str,)),
            "workspace.add_widget": _Call(self._add_widget, (str, _OR_NONE), self._opening),
            "workspace.get_active_widget": _Call(self._active_widget),
            "workspace.remove_widget": _Call(self._remove_widget, (str,)),
            "workspace.update_widget": _Call(self._update_widget, (str, _OR_NONE, (str, _NONE))),
            "workspace.get_folder": _Call(lambda: host.workspace.folder),
            "commands.execute": _Call(
                host.run_command, (str, _OR_NONE), lambda name, args: needs.calling(id, host.owner_of(name))
            ),
            "commands.list": _Call(host.commands, (), needs.COMMANDS),
            "events.emit": _Call(self._emit, (str, _OR_NONE), lambda type, data: needs.emitting(id, type)),
            "events.subscribe": _Call(host.subscribe, (str,), lambda type: needs.hearing(id, type)),
            "settings.get": _Call(host.settings.get, (str,)),
            "settings.set": _Call(host.settings.set, (str, object)),
            "notifications.show": _Call(self._notify, (str, str)),
            "plugins.call": _Call(
                lambda other, name, args: host.run_command(f"{other}:{name}", args),
                (str, str, _OR_NONE),
                lambda other, name, args: needs.calling(id, other),
            ),
            "plugins.list": _Call(host.plugins, (), needs.PLUGINS),
            "permissions.request": _Call(host.permissions.request, (str, str)),
            "permissions.check": _Call(host.permissions.check, (str,)),
            "system.get_environment": _Call(
                host.environment.get, (str,), lambda name: needs.named("system", "environment", name)
            ),
            "system.get_information": _Call(lambda: dict(host.information), (), needs.INFORMATION),
            "terminals.open": _Call(host.terminals.open, ((list, _NONE), dict), needs.TERMINAL),
            "terminals.write": _Call(host.terminals.write, (str, str), needs.TERMINAL),
            "terminals.resize": _Call(host.terminals.resize, (str, int, int), needs.TERMINAL),
            "terminals.close": _Call(host.terminals.close, (str,), needs.TERMINAL),
            "terminals.list": _Call(host.terminals.list, (), needs.TERMINAL),
            "files.open": _Call(host.files.open, (str, str)),
            "files.write": _Call(host.files.write, (str, bytes)),
            "files.list": _Call(host.files.list, (str,)),
            "files.stat": _Call(host.files.stat, (str,)),
        }

    def methods(self) -> list[str]:
        """Return the names of all calls."""
        return list(self._calls)

    def __call__(self, method: str, params: list[Any]) -> Any:
        """Return the result of a call, or an awaitable of it.

        Raises:
            UnknownServiceError: there is no such method.
            PermissionDeniedError: the plugin was not granted what it needs.
            InvalidArgumentsError: the parameters do not fit.
        """
        call = self._calls.get(method)
        if call is None:
            raise UnknownServiceError(f"the host has no service method {method[:80]!r}")
        if isinstance(call.needs, Permission):  # before the parameters are even looked at
            self._host.permissions.require(call.needs, method)
        _check(method, params, call.types)
        if call.needs is not None and not isinstance(call.needs, Permission):
            needed = call.needs(*params)
            if needed is not None:
                self._host.permissions.require(needed, method)
        return call.run(*params)

    def _opening(self, widget_id: str, params: Any) -> Permission | None:
        owner = self._host.owner_of_widget(widget_id)
        return None if owner in (self._host.plugin_id, None) else needs.named("ui", "open", widget_id)

    def _add_widget(self, widget_id: str, params: dict[str, Any] | None) -> str:
        if self._host.owner_of_widget(widget_id) is None:
            raise UnknownWidgetError(
                f"there is no widget {widget_id[:80]!r} that {self._host.plugin_id} may open"
            )
        return self._host.open_widget(widget_id, params).id

    def _active_widget(self) -> dict[str, str] | None:
        host, active = self._host, self._host.workspace.active
        if active is None:
            return None
        if active.plugin_id != host.plugin_id and not host.permissions.allowed(needs.ACTIVE):
            return None  # no denial: plugins ask this to learn whether it is one of theirs
        return {"instance": active.id, "widget": active.widget_id, "plugin": active.plugin_id}

    def _remove_widget(self, instance_id: str) -> None:
        self._host.close_widget(self._host.workspace.get(instance_id, self._host.plugin_id).id)

    def _update_widget(self, instance_id: str, data: dict[str, Any] | None, title: str | None) -> None:
        workspace = self._host.workspace
        widget = workspace.get(instance_id, self._host.plugin_id)
        if data is not None and "page" in data:
            self._host.check_page(widget.widget_id, data)
        workspace.update(widget, data, title)

    def _emit(self, type: str, data: dict[str, Any] | None) -> None:
        self._host.emit(type, data or {}, source=self._host.plugin_id)

    def _notify(self, message: str, level: str) -> None:
        if level not in _LEVELS:
            raise InvalidArgumentsError(
                f"a notification has no level {level!r}", f"there are: {', '.join(_LEVELS)}"
            )
        self._host.notifications.append((level, message))


def _check(method: str, params: list[Any], types: tuple[Any, ...]) -> None:
    if len(params) != len(types):
        raise InvalidArgumentsError(f"{method} takes {len(types)} parameters")
    for number, (value, kind) in enumerate(zip(params, types, strict=True), 1):
        if not isinstance(value, kind):
            raise InvalidArgumentsError(f"{method}: parameter {number} is a {type(value).__name__}")
