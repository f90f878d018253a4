"""The widgets on offer and those that are open, and what their plugins say of them."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from viloapp_core.services import Instance, Workspace
from viloapp_core.supervise import Worker
from viloapp_sdk.errors import (
    DeadlineExceededError,
    HandlerError,
    InvalidArgumentsError,
    UnknownWidgetError,
    ViloError,
)
from viloapp_sdk.manifest import webpage

__all__ = ["EXECUTION_TIME_S", "Widgets"]

EXECUTION_TIME_S = 30.0
"""Default of ``limits.execution_time``."""
KEEP_S = 5.0
"""How long after a change the state of an instance is asked for: many changes are asked about once."""
_MAX_TITLE = 200


class Widgets:
    """Opens, asks, changes and closes instances, and gives them back to a new worker.

    Args:
        workspace: which instances are open.
        worker_of: returns the worker of an enabled plugin, None for any other.
        publish: tells the pages.
        in_background: runs something until it ends or the host does.
        look_for: called with the id of a widget that nobody has offered yet; who has it may offer it then.
    """

    def __init__(
        self,
        workspace: Workspace,
        worker_of: Callable[[str], Worker | None],
        publish: Callable[[str, Mapping[str, Any]], None],
        in_background: Callable[[Coroutine[Any, Any, None]], object],
        look_for: Callable[[str], None] = lambda widget_id: None,
    ) -> None:
        self._workspace = workspace
        self._worker_of = worker_of
        self._publish = publish
        self._in_background = in_background
        self._look_for = look_for
        self._changed: set[str] = set()
        self._coming_back: dict[str, asyncio.Future[None]] = {}
        self._offers: dict[str, dict[str, str]] = {}

    def offer(self, plugin_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Register a plugin's widgets; an id that another plugin holds stays with that one."""
        for widget in rows:
            known = self._offers.get(widget["id"])
            if known is None or known["plugin"] == plugin_id:
                row = {key: str(widget.get(key) or "") for key in ("id", "title", "icon", "kind", "position")}
                self._offers[widget["id"]] = {**row, "plugin": plugin_id}

    def forget(self, plugin_id: str) -> None:
        """Take a plugin's widgets off the offer."""
        self._offers = {id: row for id, row in self._offers.items() if row["plugin"] != plugin_id}

    def offered(self) -> list[dict[str, Any]]:
        """Return every widget on offer, by id."""
        return [dict(self._offers[id]) for id in sorted(self._offers)]

    async def open(
        self,
        widget_id: str,
        params: Mapping[str, Any] | None = None,
        state: Any = None,
        *,
        owner: str | None = None,
    ) -> dict[str, Any]:
        """Open an instance of a widget.

        Args:
            widget_id: such as ``viloxterm.terminal``.
            params: what the widget's ``create`` gets.
            state: what `state` gave for an earlier instance.
            owner: the plugin that asks; it may open its own widgets only, and every page is told.

        Returns:
            ``{"instance", "widget", "plugin", "kind", "title", "data"}``.

        Raises:
            UnknownWidgetError: no enabled plugin has it.
            ViloError: what the plugin itself answered.
        """
        if widget_id not in self._offers:
            self._look_for(widget_id)
        widget = self._offers.get(widget_id)
        if widget is None or (owner is not None and widget["plugin"] != owner):
            raise UnknownWidgetError(
                f"there is no widget {widget_id[:80]!r} that {owner or 'the page'} may open"
            )
        instance = Instance(
            id=self._workspace.new_id(),
            widget_id=widget_id,
            plugin_id=widget["plugin"],
            kind=widget["kind"],
            title=widget["title"],
            params=dict(params or {}),
            state=state,
        )
        await self._create(instance)
        self._workspace.add(instance)
        # A crash may come before anybody asks for the state: then what is open now comes back.
        with contextlib.suppress(ViloError):
            await self.state(instance.id)
        if owner is not None:
            self._publish("widget.opened", instance.to_json())
        return instance.to_json()

    async def command(self, instance_id: str, command: str, arguments: Mapping[str, Any] | None) -> Any:
        """Hand a message of the page to an instance and return its answer.

        Raises:
            UnknownWidgetError: no such instance is open.
            ViloError: what the plugin itself answered.
        """
        instance = self._workspace.get(instance_id)
        answer = await self._ask(instance, "widget.command", [instance_id, command, dict(arguments or {})])
        self._keep_soon(instance)
        return answer

    async def state(self, instance_id: str) -> Any:
        """Return what is needed to open an instance again later; kept for a restart of its plugin too.

        Raises:
            UnknownWidgetError: no such instance is open.
            ViloError: what the plugin itself answered.
        """
        instance = self._workspace.get(instance_id)
        instance.state = await self._ask(instance, "widget.state", instance_id)
        return instance.state

    async def close(self, instance_id: str) -> None:
        """Close an instance; nothing happens when it is not open."""
        instance = self._workspace.remove(instance_id)
        if instance is None:
            return
        self._publish("widget.removed", {"instance": instance_id})
        worker = self._worker_of(instance.plugin_id)
        if worker is not None and worker.state == "running":
            await worker.call("widget.destroy", instance_id, timeout_s=EXECUTION_TIME_S)

    def update(self, instance_id: str, data: Mapping[str, Any] | None, title: str | None) -> None:
        """Change what an instance shows, wherever it is open.

        Raises:
            UnknownWidgetError: no such instance is open.
            InvalidArgumentsError: the data are none that a page can be told.
        """
        instance = self._workspace.get(instance_id)
        body: dict[str, Any] = {"instance": instance_id}
        if data is not None:
            _check_data(instance.widget_id, data)
            if instance.kind == webpage.KIND and "page" in data:
                webpage.page_of(instance.widget_id, data)
            instance.data = {**instance.data, **data}
            body["data"] = dict(data)  # the change alone: the rest may be older than what a page has typed
        if title is not None:
            instance.title = title[:_MAX_TITLE]
            body["title"] = instance.title
        self._publish("widget.updated", body)
        self._keep_soon(instance)

    def drop(self, plugin_id: str) -> None:
        """Take the instances of a plugin that is gone out of the workspace."""
        for instance in self._workspace.of_plugin(plugin_id):
            self._workspace.remove(instance.id)
            self._publish("widget.removed", {"instance": instance.id})

    async def keep_states(self, worker: Worker) -> None:
        """Ask a worker that is about to end what its instances need to go on in the next one."""
        if worker.state != "running":
            return
        for instance in self._workspace.of_plugin(worker.plugin.plugin_id):
            with contextlib.suppress(ViloError):
                instance.state = await worker.call("widget.state", instance.id, timeout_s=EXECUTION_TIME_S)

    def _keep_soon(self, instance: Instance) -> None:
        """Ask for the state of an instance that has changed, in a while: a crash asks nobody."""
        if instance.id not in self._changed:
            self._changed.add(instance.id)
            self._in_background(self._keep(instance))

    async def _keep(self, instance: Instance) -> None:
        try:
            await asyncio.sleep(KEEP_S)
        finally:
            self._changed.discard(instance.id)
        worker = self._worker_of(instance.plugin_id)
        if worker is not None and worker.state == "running" and instance in self._workspace.all():
            with contextlib.suppress(ViloError):
                await self.state(instance.id)

    def reopen(self, plugin_id: str) -> None:
        """Give a new worker the instances that are open, before it is asked anything else of them.

        Called when it has initialized. What it could not take is said of each.
        """
        if not self._workspace.of_plugin(plugin_id):
            return
        done = asyncio.get_running_loop().create_future()
        self._coming_back[plugin_id] = done
        self._in_background(self._reopen(plugin_id, done))

    async def _reopen(self, plugin_id: str, done: asyncio.Future[None]) -> None:
        try:
            await self._reopen_each(plugin_id)
        finally:
            done.set_result(None)
            if self._coming_back.get(plugin_id) is done:
                del self._coming_back[plugin_id]

    async def _reopen_each(self, plugin_id: str) -> None:
        for instance in self._workspace.of_plugin(plugin_id):
            try:
                await self._create(instance)
            except ViloError as error:
                message = f"{instance.title} could not be shown again: {error.detail}"
                self._publish("notification", {"level": "error", "message": message, "plugin": plugin_id})
            else:
                shown = {"instance": instance.id, "data": instance.data, "title": instance.title}
                self._publish("widget.updated", shown)

    async def _create(self, instance: Instance) -> None:
        request = {
            "widget": instance.widget_id,
            "instance": instance.id,
            "params": instance.params,
            "state": instance.state,
        }
        answer = await self._ask(instance, "widget.create", request)
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
            raise HandlerError(f"{instance.widget_id}: its `create` has to return a dict of the data to draw")
        _check_data(instance.widget_id, answer["data"])
        if instance.kind == webpage.KIND:
            webpage.page_of(instance.widget_id, answer["data"])
        instance.title = str(answer.get("title") or instance.title)[:_MAX_TITLE]
        instance.data = answer["data"]

    async def _ask(self, instance: Instance, method: str, params: Any) -> Any:
        worker = self._worker_of(instance.plugin_id)
        if worker is None:
            raise UnknownWidgetError(f"{instance.plugin_id} is not enabled")
        limit = worker.limits.execution_time
        if method != "widget.create":
            if worker.state != "running":
                await worker.start()
            await self._brought_back(instance.plugin_id, limit)
        return await worker.call(method, params, timeout_s=limit)

    async def _brought_back(self, plugin_id: str, timeout_s: float) -> None:
        """Wait until a plugin knows the instances that were open before it was started again.

        Raises:
            DeadlineExceededError: each of them may take its time, and who asks one does not wait for all.
        """
        if (coming_back := self._coming_back.get(plugin_id)) is None:
            return
        done, _ = await asyncio.wait([coming_back], timeout=timeout_s)
        if not done:
            why = f"{plugin_id} has not brought back what is open within {timeout_s:g} s"
            hint = f"allow more: viloapp config set {plugin_id}.limits.execution_time SECONDS"
            raise DeadlineExceededError(why, hint)


def _check_data(widget_id: str, data: Mapping[str, Any]) -> None:
    """Refuse what the wire of the workers can say and that of the pages cannot (NaN, a timestamp).

    Every page is told of all instances at once, so one of them would keep every page from opening.
    """
    try:
        json.dumps(data, allow_nan=False, default=_bytes_are_text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentsError(
            f"{widget_id}: its data cannot be shown: {error}", "send what JSON can say"
        ) from None


def _bytes_are_text(value: object) -> str:
    if isinstance(value, bytes):
        return ""  # the page gets them as text
    raise TypeError(f"a {type(value).__name__} is not JSON")
