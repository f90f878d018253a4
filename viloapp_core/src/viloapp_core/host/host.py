"""The host: one store, one worker per plugin, the services between them."""

import asyncio
import contextlib
import dataclasses
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from viloapp_core.broker.files import Files
from viloapp_core.broker.network import Network
from viloapp_core.broker.programs import Programs
from viloapp_core.broker.terminals import Terminals
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.errors import FoundationError, LockHeldError
from viloapp_core.foundation.files import FileLock
from viloapp_core.foundation.paths import store_root
from viloapp_core.host import partings
from viloapp_core.host.catalogue import Catalogue
from viloapp_core.host.configurations import Configurations
from viloapp_core.host.control import ControlServer
from viloapp_core.host.crash_reports import write_report
from viloapp_core.host.dispatch import Dispatch
from viloapp_core.host.enforcement import Enforcement
from viloapp_core.host.errors import (
    BlockedPluginError,
    HostRunningError,
    HostStoppingError,
    PausedPluginError,
    incompatible,
)
from viloapp_core.host.holding import Holding, only_in
from viloapp_core.host.measuring import Measuring
from viloapp_core.host.offers import usable
from viloapp_core.host.paces import Notices, Paces
from viloapp_core.host.permissions import PermissionManager
from viloapp_core.host.probation import Probation
from viloapp_core.host.reloading import Reloading
from viloapp_core.host.start_marker import StartMarker
from viloapp_core.host.streams import Stream
from viloapp_core.host.widgets import Widgets
from viloapp_core.host.wording import Wording
from viloapp_core.host.workers import Workers
from viloapp_core.ledger import LedgerError
from viloapp_core.limits import Breach, effective
from viloapp_core.permissions import Permission
from viloapp_core.process import ForkServer, Spawner
from viloapp_core.process.cgroup import Groups
from viloapp_core.rpc import event
from viloapp_core.sandbox import Launch, probe
from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.services import Commands, EventBus, Settings, Theme, Workspace
from viloapp_core.services.settings import LIMITS
from viloapp_core.store import InstalledPlugin, Revocation, Store
from viloapp_core.store.crash_reports import CrashReports
from viloapp_core.store.index import Plugins
from viloapp_core.store.wording import configuration_in, summary_in
from viloapp_core.supervise import FailureLog, Surroundings, Worker, rehearse, run_steps
from viloapp_core.supervise.life import Life
from viloapp_sdk.errors import DeadlineExceededError, UnknownCommandError, ViloError, WorkerLostError
from viloapp_sdk.manifest.api_version import speaks
from viloapp_sdk.manifest.needs import hearing

if TYPE_CHECKING:
    from viloapp_core.host.profiling import Sampler
    from viloapp_core.operations import Consent, InstallOptions, UpdateOutcome
    from viloapp_sdk.manifest.chain import Step

__all__ = ["Host"]

_POLL_S = 1.0
"""How often the store is looked at for changes that nobody told us of (one `stat`)."""

T = TypeVar("T")
Subscriber = Callable[[str, dict[str, Any]], None]


class Host:
    """Runs the plugins of one store inside the caller's event loop.

    It installs no signal handler, and starts processes from a thread of its own, so it may itself be
    started from a thread that ends. One host at a time uses a store.

    Args:
        store: folder of the store; ``$VILOAPP_HOME`` or the user's data folder by default.
        workspace: the folder that the person works in; the current one by default.
        allow_unsandboxed: run plugins with the user's full authority where no sandbox works.
        control: listen on the control socket, so that ``viloapp call`` and the like reach this host.
        learning: let workers note what they reach for; see `learned`.
        safe: run no plugin but those that ViloApp itself brings along.
        only: run of the enabled plugins no others; what ``$VILOAPP_ONLY`` names by default, else all.
        mark_start: leave a trace in the store until `started` was waited for; see `StartMarker`.

    Attributes:
        store: what is installed.
        holding: which enabled plugins are left out this time.
        settings: settings of the workspace and of every plugin.
        theme: the current theme.
        files: opens files for plugins.
        network: the connections that plugins have.
        programs: the programs that run for plugins.
        paces: how often each plugin may have the host do what costs others.
        notices: what plugins tell the person.
        terminals: every terminal that a plugin opened.
        permissions: what every plugin may.
        address: where the workspace is served, None without one.
        measuring: what is counted of every plugin; see `get_report`.
        wording: what every plugin says of itself, in the language of the workspace.
        reloading: an author's saves, and which of them cannot run.
        loop: in which it runs, once it is started.
    """

    def __init__(
        self,
        store: Path | None = None,
        *,
        workspace: Path | None = None,
        allow_unsandboxed: bool = False,
        control: bool = True,
        learning: bool = False,
        safe: bool = False,
        only: Collection[str] | None = None,
        mark_start: bool = False,
    ) -> None:
        self.store = Store(store or store_root())
        self.holding = Holding(safe=safe, only=only_in(os.environ) if only is None else only)
        self._marker = StartMarker(self.store.root) if mark_start else None
        self._startup: set[asyncio.Task[Any]] = set()
        self.workspace_folder = (workspace or Path.cwd()).resolve()
        self.address: str | None = None
        self._allow_unsandboxed = allow_unsandboxed
        self._with_control = control
        self._learning = learning
        self._observations: dict[str, Observation] = {}
        self._subscribers: list[Subscriber] = []
        self._workers = Workers(lambda id: Worker(self._known_plugins()[id], self._surroundings))
        self._installed: Plugins | None = None  # as `refresh` found it
        self._background: set[asyncio.Task[Any]] = set()
        self._stack = contextlib.AsyncExitStack()
        self._running = False
        self._stamp: object = None
        self._revocation = Revocation(self.store.root, SystemClock())
        self._lists: object = None
        self._calls = 0
        self._breaches: dict[str, Counter[str]] = {}
        self.measuring = Measuring(lambda: self._workers, lambda: self._workers.ids)
        self._given_up: dict[str, asyncio.Task[None]] = {}  # what disables each in the store
        self.workspace = Workspace()
        self._widgets = Widgets(
            self.workspace,
            self.worker,
            self.publish,
            self.in_background,
            lambda widget_id: self._catalogue.look_for(widget_id),
        )
        self._commands = Commands()
        self._catalogue = Catalogue(
            self._commands, self._widgets, self._known_plugins, lambda: self._workers.ids
        )
        self.events = EventBus(self._deliver)
        self._enforcement = Enforcement(self)
        self._denials_told: set[tuple[str, str]] = set()
        self.paces = Paces()
        self.notices = Notices(self.publish)
        self._problem = ""
        self.probation = Probation(self)
        self.wording = Wording(self.store.plugins, lambda: str(self.settings.core("locale")))
        self.reloading = Reloading(self)
        self._paused: Counter[str] = Counter()

    # -- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the store and get ready; no plugin starts unless it asks for it.

        Raises:
            HostRunningError: another host has the store.
            ViloError: the store or the control socket cannot be used.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(self._take_store())
            if self._marker is not None:
                self._marker.begin(safe=self.holding.safe)
                stack.push(self._marker.ended)
            self.store.recover()
            self.loop = asyncio.get_running_loop()
            self.settings = Settings(
                self.store.root / "settings.json",
                lambda: Configurations(self.store.plugins()),
                self._setting_changed,
                self._former,
                lambda plugin_id, declared: configuration_in(self.wording.of(plugin_id), declared),
            )
            self.permissions = PermissionManager(self.store, self.workspace_folder, self._permissions_changed)
            stack.callback(self.permissions.close)
            self.permissions.on_denied(self._permission_denied)
            self._failure_log = FailureLog(self.store.root)
            self.theme = Theme(self.settings.get("core.theme"), self._theme_changed)
            spawner = Spawner()
            stack.callback(spawner.close)
            fork_server = ForkServer(spawner)
            stack.callback(fork_server.close)
            groups = Groups.of_this_process()
            self._surroundings = Surroundings(
                spawner=spawner,
                workspace=self.workspace_folder,
                allow_unsandboxed=self._allow_unsandboxed,
                on_request=Dispatch(self),
                on_state=self._worker_state,
                on_life=self._worker_life,
                on_disable=self._worker_disabled,
                wanted=self._needed,
                supervision=lambda name: self.settings.core(f"supervise.{name}"),
                on_ready=self._worker_ready,
                settings=self.settings.of_plugin,
                locale=lambda: str(self.settings.core("locale")),
                on_limit=self.limit_reached,
                limits=self.settings.limits_of,
                groups=groups if isinstance(groups, Groups) else None,
                nice=lambda: int(self.settings.get("core.worker_nice")),
                admit=self._admit,
                hold=self.store.hold,
                permissions=self._enforcement.at_start,
                observation=self.observation if self._learning else None,
                on_end=self._worker_ended,
                user_of=self.store.user_of,
                programs=lambda plugin_id: self.programs.pids(plugin_id),
                metrics=self.measuring.of,
                minimum=lambda what: self.settings.get(f"core.minimum.{what}"),
                dev_copy=self.reloading.copy_of,
                fork_server=fork_server,
            )
            self.network = Network(self.permissions)
            stack.push_async_callback(self.network.aclose)
            self.files = Files(self.permissions, home=Path.home(), store=self.store.root)
            stack.callback(self.files.close)
            self.programs = Programs(spawner, self.permissions, self._program_plan)
            stack.push_async_callback(self.programs.aclose)
            waits = self._surroundings.waits
            self.terminals = Terminals(spawner, on_event=self.publish, waited_s=waits.waited_s)
            stack.push_async_callback(self.terminals.aclose)
            stack.push_async_callback(self._stop_workers)
            stack.push_async_callback(self.probation.aclose)
            self._running = True
            await self.refresh()
            if self._with_control:
                server = ControlServer(self)
                stack.push_async_callback(server.close)
                server.start()
            polling = asyncio.get_running_loop().create_task(self._poll())
            stack.push_async_callback(_cancel, polling)
            sampling = asyncio.get_running_loop().create_task(self.measuring.run())
            stack.push_async_callback(_cancel, sampling)
            self._stack = stack.pop_all()

    async def started(self) -> None:
        """Wait until the plugins that start with the host have started, or failed to: it is ready then."""
        while self._startup:
            await asyncio.wait(tuple(self._startup))
        if self._marker is not None:
            self._marker.done()

    async def stop(self) -> None:
        """Stop every plugin and give the store back."""
        self._running = False
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def idle(self) -> bool:
        """Whether no call is under way."""
        return self._calls == 0

    # -- commands ------------------------------------------------------------------------------------

    async def call(
        self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> Any:
        """Run a command, starting its plugin's process when none runs.

        Args:
            command: the command's id, or ``plugin-id:command``.
            arguments: its arguments, JSON-like values by name.
            timeout_s: seconds; the plugin's ``limits.execution_time`` by default.

        Raises:
            UnknownCommandError: no enabled plugin has it.
            StreamingCommandError: it has no one result; see `stream`.
            DeadlineExceededError: it did not answer in time.
            WorkerLostError: the plugin's process ended before it answered.
            ViloError: what the plugin itself answered.
        """
        if not self._running:
            raise HostStoppingError
        plugin_id, id, repeat = self._commands.known(command) or self._find(command)
        worker = self._workers[plugin_id]
        allowed = worker.execution_time(self.settings.document)
        limit = timeout_s or allowed
        params = [id, dict(arguments or ())]
        self._calls += 1
        try:
            if (asked := worker.ask("command", params, limit)) is None:
                return await worker.call("command", params, timeout_s=limit, repeat=repeat)
            # As `Worker.call` goes on, with one coroutine less: of a plain call each takes its share.
            try:
                return await asked[0]
            except BaseException as error:
                return await worker.failed(asked, "command", params, error, limit, repeat)
        except DeadlineExceededError:
            if timeout_s is None:
                self.limit_reached(plugin_id, Breach("execution_time", "refused", allowed, allowed))
            hint = f"if it does not stop, its process is ended; allow more: {worker.allow_more()}"
            raise DeadlineExceededError(f"{command} did not answer within {limit:g} s", hint) from None
        finally:
            self._calls -= 1

    def stream(
        self, command: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> Stream:
        """Return the bytes that a streaming command yields, to be iterated; it begins with the first piece.

        Args:
            command: the command's id, or ``plugin-id:command``; its handler is a generator.
            arguments: its arguments, JSON-like values by name.
            timeout_s: seconds that the next piece may take, infinite ones too; the plugin's
                ``limits.execution_time`` by default.
        """
        return Stream(self, command, arguments, timeout_s)

    def runs(self, command: str) -> tuple[str, str, Worker]:
        """Return the plugin that has a command, the command's id there, and what runs it.

        Raises:
            HostStoppingError: nothing runs any more.
            UnknownCommandError: no enabled plugin has it.
        """
        if not self._running:
            raise HostStoppingError
        plugin_id, id, _ = self._find(command)
        return plugin_id, id, self._workers[plugin_id]

    def begin_stream(self) -> None:
        """Count a stream that is open: the host is not idle."""
        self._calls += 1

    def end_stream(self) -> None:
        """Count a stream that is over."""
        self._calls -= 1

    def plugin_of(self, command: str) -> str:
        """Return the plugin that has a command; empty when none has."""
        try:
            return self._find(command)[0]
        except UnknownCommandError:
            return ""

    def _find(self, command: str) -> tuple[str, str, bool]:
        """Return the plugin that has a command, the command's id, and whether it may be run twice."""
        if (known := self._commands.known(command)) is not None:
            return known
        self._catalogue.look_for(command)
        if (known := self._commands.known(command)) is not None:
            return known
        plugins = self.store.plugins()
        for plugin_id in plugins.naming(command):
            plugin = plugins[plugin_id]
            if plugin_id in self._workers.ids or all(known["id"] != command for known in plugin.commands):
                continue
            why = "is held back" if plugin.enabled else "is disabled"
            if plugin.reason and not plugin.enabled:
                why += f": {plugin.reason}"
            raise UnknownCommandError(
                f"{command} is a command of {plugin_id}, which {why}", f"viloapp enable {plugin_id}"
            )
        self._catalogue.take_all()  # for what is close to it
        return self._commands.find(command)

    def owner_of(self, command: str) -> str:
        """Return the id of the plugin that has a command.

        Raises:
            UnknownCommandError: no enabled plugin has it.
        """
        return self._find(command)[0]

    def commands(self) -> list[dict[str, Any]]:
        """Return ``id, plugin, title, description, parameters, keybinding`` of every command."""
        self._catalogue.take_all()
        return self.wording.rows("commands", [command.to_json() for command in self._commands.all()])

    # -- widgets -------------------------------------------------------------------------------------

    def widgets(self) -> list[dict[str, Any]]:
        """Return ``{"id", "title", "icon", "kind", "position", "plugin"}`` of every widget on offer."""
        self._catalogue.take_all()
        return self.wording.rows("widgets", self._widgets.offered())

    def instances(self) -> list[dict[str, Any]]:
        """Return every open widget, as `open_widget` does."""
        return [instance.to_json() for instance in self.workspace.all()]

    async def open_widget(
        self,
        widget_id: str,
        params: Mapping[str, Any] | None = None,
        state: Any = None,
        *,
        owner: str | None = None,
    ) -> dict[str, Any]:
        """Open an instance of a widget; see `Widgets.open`."""
        return await self._widgets.open(widget_id, params, state, owner=owner)

    async def widget_command(
        self, instance_id: str, command: str, arguments: Mapping[str, Any] | None = None
    ) -> Any:
        """Hand a message of the page to an open widget and return its answer; see `Widgets.command`."""
        return await self._widgets.command(instance_id, command, arguments)

    async def widget_state(self, instance_id: str) -> Any:
        """Return what is needed to open an instance again later; see `Widgets.state`."""
        return await self._widgets.state(instance_id)

    async def close_widget(self, instance_id: str) -> None:
        """Close an instance; nothing happens when it is not open."""
        await self._widgets.close(instance_id)

    def activate_widget(self, instance_id: str) -> None:
        """Say that an instance has the focus.

        Raises:
            UnknownWidgetError: no such instance is open.
        """
        self.workspace.activate(instance_id)

    def update_widget(self, instance_id: str, data: Mapping[str, Any] | None, title: str | None) -> None:
        """Change what an instance shows, wherever it is open; see `Widgets.update`."""
        self._widgets.update(instance_id, data, title)

    def worker(self, plugin_id: str) -> Worker | None:
        """Return what drives a plugin's process, None when the plugin is not enabled or the host stops."""
        return self._workers.of(plugin_id) if self._running else None

    # -- plugins -------------------------------------------------------------------------------------

    def plugins(self) -> list[dict[str, Any]]:
        """Return what is installed and how it fares, sorted by id.

        Each row has ``id``, ``version``, ``summary``, ``enabled``, ``held``, ``on_probation``,
        ``rolled_back``, ``reason``, ``source``, ``signature``, ``publisher``, ``dependencies``,
        ``permissions``, ``sandbox``, ``state``, ``health``, ``failures``, ``detail``, ``pid``, ``limits``,
        ``usage``, ``throttled``, ``limits_reached``, ``over_limits``, ``connections`` and ``programs`` (what
        the host has open for it), and all of `get_report`.
        """
        return [self._row(plugin) for _, plugin in sorted(self.store.plugins().items())]

    def held(self) -> list[str]:
        """Return the ids of the enabled plugins that are left out this time."""
        plugins = self.store.plugins()
        return [id for id in plugins if id not in plugins.disabled and self.holding.why(id)]

    def _row(self, plugin: InstalledPlugin) -> dict[str, Any]:
        worker = self._workers.get(plugin.plugin_id)
        held = self.holding.why(plugin.plugin_id) if plugin.enabled else ""
        return {
            "id": plugin.plugin_id,
            "version": plugin.version,
            "summary": summary_in(self.wording.of(plugin.plugin_id), plugin.summary),
            "enabled": plugin.enabled and not held,
            "held": bool(held),
            "on_probation": self.probation.active(plugin.plugin_id),
            "rolled_back": self.store.plugins().rows[plugin.plugin_id]["rolled_back"],
            "reason": plugin.reason or held or self._revocation.why(plugin),
            "source": plugin.source,
            "signature": plugin.signature,
            "publisher": plugin.publisher,
            "dependencies": plugin.dependencies,
            "permissions": self._granted_ids(plugin),
            "sandbox": (worker.sandbox if worker is not None else "") or probe().backend,
            "start_method": worker.start_method if worker is not None else "",
            "state": worker.state if worker is not None else "stopped",
            "health": worker.health if worker is not None else "",
            "failures": worker.failures if worker is not None else 0,
            "detail": worker.detail if worker is not None else "",
            "pid": worker.pid if worker is not None else None,
            **self._resources(plugin, worker),
        }

    def _resources(self, plugin: InstalledPlugin, worker: Worker | None) -> dict[str, Any]:
        """Return what a plugin may use, uses now, and how often it met each limit since the host started."""
        usage = worker.usage if worker is not None else None
        id = plugin.plugin_id
        return {
            "limits": asdict(effective(plugin.limits, self.settings.limits_of(id))),
            "usage": {name: round(value, 1) for name, value in asdict(usage).items()} if usage else None,
            "throttled": worker is not None and worker.throttled,
            "limits_reached": dict(self._breaches.get(id, {})),
            "over_limits": self.check_violations(id),
            "connections": self.network.open_connections(id),
            "programs": len(self.programs.pids(id)),
            **self.measuring.of(id).report(),
        }

    def get_report(self, plugin_id: str | None = None) -> dict[str, Any]:
        """Return what was measured of one plugin, or of all by id; ``{}`` for an unknown one.

        See docs/reference/metrics.md for every key.
        """
        return self.measuring.report(plugin_id)

    def check_violations(self, plugin_id: str, limits: Mapping[str, float] | None = None) -> list[str]:
        """Return a message for each limit that a plugin is above; see `Measuring.check_violations`."""
        return self.measuring.check_violations(plugin_id, limits)

    def _granted_ids(self, plugin: InstalledPlugin) -> list[str]:
        try:
            return [str(each) for each in self.permissions.granted(plugin.plugin_id)]
        except LedgerError:
            return []  # and so it is: nothing is allowed by a ledger that cannot be read

    def granted(self, plugin_id: str) -> list[Permission]:
        """Return what a plugin may now; see `PermissionManager.granted`."""
        return self.permissions.granted(plugin_id)

    async def learned(self, plugin_id: str) -> list[Any]:
        """Return what a plugin's running process was seen to reach for; of a host that is learning.

        The rows are the worker's word; see `viloapp_core.host.learning`.
        """
        worker = self._workers.get(plugin_id)
        if worker is None or worker.state != "running":
            return []
        rows = await worker.call("learned", None, timeout_s=10.0)
        return rows if isinstance(rows, list) else []

    def observation(self, plugin_id: str) -> Observation:
        """Return what a plugin's system calls reached for; of a host that is learning, else nothing."""
        return self._observations.setdefault(plugin_id, Observation())

    async def permissions_applied(self, plugin_id: str) -> dict[str, bool]:
        """Wait until a change of permissions has its effect; see `Enforcement.applied`."""
        return await self._enforcement.applied(plugin_id)

    def life_of(self, plugin_id: str) -> Life | None:
        """Return a plugin's process, None when none is ready."""
        worker = self._workers.get(plugin_id)
        return worker.life if worker is not None else None

    async def profile(
        self, plugin_id: str, seconds: float, *, rate: float = 100.0, sampler: "Sampler" = "auto"
    ) -> dict[str, Any]:
        """Return where a running plugin spends its time meanwhile; see `viloapp_core.host.profiling`.

        Raises:
            ViloError: it is not known, does not run, ended, or could not be looked at.
        """
        from viloapp_core.host.profiling import profile  # few are ever asked for one

        return await profile(
            self, {"plugin": plugin_id, "seconds": seconds, "rate": rate, "sampler": sampler}
        )

    def is_running(self, plugin_id: str) -> bool:
        """Return whether a plugin has a process."""
        worker = self._workers.get(plugin_id)
        return worker is not None and worker.pid is not None

    async def restart_plugin(self, plugin_id: str) -> None:
        """End a plugin's process and go on in a new one; its open widgets keep their state.

        Nothing happens when it is not enabled.
        """
        worker = self._workers.of(plugin_id)
        if worker is None or not self._running:
            return
        self._workers[plugin_id] = worker.successor()
        self.events.forget(plugin_id)
        await self._retire(worker, partings.RESTARTED)
        if "onStartup" in worker.plugin.activation_events or self.workspace.of_plugin(plugin_id):
            await self._activate(plugin_id)

    async def start_plugin(self, plugin_id: str) -> None:
        """Start a plugin's process if none runs; why it does not start, its state says."""
        await self._activate(plugin_id)

    async def reload_plugin(
        self,
        plugin_id: str,
        commands: Iterable[Mapping[str, Any]] | None = None,
        widgets: Iterable[Mapping[str, Any]] | None = None,
        *,
        last_good: Path | None = None,
    ) -> None:
        """Run a plugin's code as it is on the disk now; where it does not run, what ran before does.

        See `viloapp_core.host.reloading`.
        """
        await self.reloading.reload(plugin_id, commands, widgets, last_good=last_good)

    async def take_place(
        self,
        plugin: InstalledPlugin,
        commands: Iterable[Mapping[str, Any]],
        widgets: Iterable[Mapping[str, Any]],
    ) -> Worker:
        """Have a new worker in the place of a plugin's, which shuts down first; return it, not yet started.

        Args:
            plugin: as it is from now on.
            commands: what it offers, as in a manifest.
            widgets: likewise.
        """
        plugin_id = plugin.plugin_id
        before, after = self._workers.get(plugin_id), Worker(plugin, self._surroundings)
        self._workers[plugin_id] = after
        self.wording.forget()
        self._catalogue.forget([plugin_id])
        self._catalogue.offer(plugin, commands, widgets)
        self.publish("commands.changed", {})
        self.events.forget(plugin_id)
        if before is not None:
            await self._retire(before, partings.RELOADED)
        return after

    def offered(self, plugin_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the commands and the widgets that a plugin offers now, as `take_place` takes them."""
        self._catalogue.take(plugin_id)
        commands = [
            {**command.to_json(), "idempotent": command.idempotent}
            for command in self._commands.all()
            if command.plugin_id == plugin_id
        ]
        return commands, [row for row in self._widgets.offered() if row["plugin"] == plugin_id]

    async def forgive(self, plugin_id: str) -> bool:
        """Enable a plugin that this host disabled for its failures; return whether it did so."""
        if (disabling := self._given_up.pop(plugin_id, None)) is None:
            return False
        await asyncio.wait([disabling])
        await asyncio.to_thread(self.store.set_enabled, [plugin_id], True)
        await self.refresh()
        return True

    def given_up(self, plugin_id: str) -> bool:
        """Return whether this host has disabled a plugin for its failures."""
        return plugin_id in self._given_up

    async def rehearse(self, plugin: InstalledPlugin) -> None:
        """See that a plugin can be imported, in a process of its own; see `viloapp_core.supervise`."""
        limits = effective(plugin.limits, self.settings.limits_of(plugin.plugin_id))
        await rehearse(plugin, self._surroundings, limits)

    async def pause_plugin(self, plugin_id: str) -> None:
        """End a plugin's process and start none until `resume_plugin`: its settings and data are changed.

        Who does not get so far has paused nothing.
        """
        self._paused[plugin_id] += 1
        try:
            worker = self._workers.get(plugin_id)
            if worker is not None and self._running:
                self._workers[plugin_id] = worker.successor()
                self.events.forget(plugin_id)
                await self._retire(worker, partings.PAUSED)
        except BaseException:
            self._paused[plugin_id] -= 1
            if not self._paused[plugin_id]:
                del self._paused[plugin_id]
            raise

    async def resume_plugin(self, plugin_id: str) -> None:
        """Let a plugin run again, as it is in the store now; what is open of it is."""
        self._paused[plugin_id] -= 1
        if self._paused[plugin_id] > 0 or not self._running:
            return
        del self._paused[plugin_id]
        if self.reloading.under_way:  # which tries what was installed before it is taken over
            self.settings.reload()
            return
        told = await self.refresh()
        worker = self._workers.of(plugin_id)
        if worker is None or plugin_id in told["changed"]:
            return
        on_its_own = "onStartup" in worker.plugin.activation_events or self.probation.active(plugin_id)
        if on_its_own or self.workspace.of_plugin(plugin_id):
            self.in_background(self._activate(plugin_id))

    async def run_steps(
        self, plugin: InstalledPlugin, steps: "Sequence[Step]", settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Run the steps of a plugin's settings in its sandbox; see `viloapp_core.supervise.run_steps`.

        They are those of its author's folder as it is, also while an older copy of that runs.
        """
        limits = effective(plugin.limits, self.settings.limits_of(plugin.plugin_id))
        admitting = dataclasses.replace(
            self._surroundings, admit=self._not_blocked, dev_copy=lambda plugin_id: None
        )
        return await run_steps(plugin, admitting, limits, steps, settings)

    async def update(
        self,
        plugin_ids: Sequence[str] = (),
        *,
        check: bool = False,
        options: "InstallOptions | None" = None,
        consent: "Consent | None" = None,
    ) -> "list[UpdateOutcome]":
        """Update plugins and run them; see `viloapp_core.operations.update`.

        Args:
            plugin_ids: which; all when empty.
            check: say what would change, and change nothing.
            options: the choices of an installation.
            consent: asked where a new version wants more; nobody when None. Called in another thread.

        Raises:
            ViloError: why it is refused; then nothing was changed.
        """
        from viloapp_core.host.steps import HostSteps  # few hosts update
        from viloapp_core.operations import update

        steps = HostSteps(self)
        done = await asyncio.to_thread(
            update, self.store, plugin_ids, check=check, options=options, consent=consent, steps=steps
        )
        await self.refresh()
        return done

    async def rollback(self, plugin_id: str, *, to: str | None = None) -> "UpdateOutcome":
        """Switch a plugin back to a generation that is in the store; see `viloapp_core.operations.rollback`.

        Raises:
            ViloError: there is nothing to go back to, or it does not fit to the other plugins.
        """
        from viloapp_core.operations import rollback

        await self.pause_plugin(plugin_id)
        try:
            return await asyncio.to_thread(rollback, self.store, plugin_id, to=to)
        finally:
            await self.resume_plugin(plugin_id)

    async def release(self, plugin_ids: Collection[str]) -> dict[str, list[str]]:
        """Run plugins that were held back, with those that they require; returns what `refresh` does."""
        self.holding.release(plugin_ids, self.store.plugins())
        return await self.refresh()

    async def refresh(self) -> dict[str, list[str]]:
        """Take over what has been installed, updated, disabled or removed.

        Returns:
            Plugin ids by what happened: ``{"added", "changed", "removed"}``.
        """
        self._stamp = self.store.index_stamp()
        self.wording.forget()
        with contextlib.suppress(ViloError):  # an update or a rollback may have brought others
            self.settings.reload()
        plugins = self.store.plugins()
        wanted = {*plugins} - plugins.disabled
        if self.holding:
            wanted = {id for id in wanted if not self.holding.why(id)}
        removed, changed, added = self._differences(plugins, wanted)
        gone = [worker for id in (*removed, *changed) if (worker := self._workers.pop(id, None))]
        self._installed, self._workers.ids = plugins, wanted
        self._catalogue.forget((*removed, *changed, *added))
        for id in (*removed, *changed):
            self.events.forget(id)
        left = (self._retire(worker, partings.left(worker.plugin, plugins, wanted)) for worker in gone)
        await asyncio.gather(*left)
        self.measuring.keep(plugins)
        # What was disabled for its failures is missed: its shells live on, and its widgets wait for it.
        self._given_up = {
            id: task for id, task in self._given_up.items() if id in plugins.disabled or not task.done()
        }
        for id in removed:
            if id not in self._given_up:
                self._widgets.drop(id)
                await self.close_terminals(id)
        self.permissions.look(self._workers)
        if added or changed or removed:
            self.publish("commands.changed", {})
            self.publish("plugins.changed", {"added": added, "changed": changed, "removed": removed})
        on_their_own = {*plugins.activated("onStartup"), *(each.plugin_id for each in self.workspace.all())}
        replacing = {id: plugins[id] for id in plugins.replacing if id in wanted}
        starting = on_their_own.intersection((*changed, *added)) | self.probation.look(replacing)
        ordered = wanted if plugins.related else starting  # nobody says a word of order
        self._start_in_order(starting, (plugins[id] for id in plugins if id in ordered))
        return {"added": added, "changed": changed, "removed": removed}

    def _known_plugins(self) -> Plugins:
        """Return what was installed at the last `refresh`: what may run is among these."""
        return self._installed if self._installed is not None else self.store.plugins()

    def _differences(self, plugins: Plugins, wanted: Set[str]) -> tuple[list[str], list[str], list[str]]:
        """Return the plugins that may run no more, that are others now, and that may run from now on."""
        before, known = self._known_plugins(), set(self._workers.ids)
        elsewhere = set(plugins.changed_since(before)) if before is not plugins else set[str]()
        other = {id for id, worker in self._workers.items() if id in wanted and worker.plugin != plugins[id]}
        unused = known.difference(self._workers).intersection(elsewhere)
        return sorted(known - wanted), sorted((other | unused) & known & wanted), sorted(wanted - known)

    def _start_in_order(self, starting: Set[str], enabled: Iterable[InstalledPlugin]) -> None:
        """Start plugins, each once those before it in the load order have started, or failed to.

        Those that do not wait for each other start at the same time.
        """
        if not starting:
            return
        from viloapp_core.resolve import ResolveError, waits_for  # a call's host mostly starts nothing

        try:
            awaited = waits_for(starting, enabled)
        except ResolveError as error:  # installing and enabling refuse it; who wrote the store did not
            message = f"plugins start in no certain order: {error.detail}"
            self.publish("notification", {"level": "warning", "message": message, "plugin": ""})
            awaited = {id: [] for id in sorted(starting)}
        tasks: dict[str, asyncio.Task[Any]] = {}
        for id, before in awaited.items():
            task = self.in_background(self._activate(id, [tasks[each] for each in before]))
            tasks[id] = task
            self._startup.add(task)
            task.add_done_callback(self._startup.discard)

    async def close_terminals(self, plugin_id: str) -> None:
        """End the shells of a plugin that is gone; those of one that is only updated live on."""
        await asyncio.gather(
            *(self.terminals.close(terminal.id) for terminal in self.terminals.list(plugin_id))
        )

    async def _retire(self, worker: Worker, parting: partings.Parting) -> None:
        """Keep the state of a worker's widgets for the one that follows, and end it."""
        try:
            await self._widgets.keep_states(worker)
        finally:  # nobody else knows it any more
            await worker.stop(*parting)

    async def _activate(self, plugin_id: str, after: Collection["asyncio.Task[Any]"] = ()) -> None:
        if after:
            await asyncio.wait(after)
        worker = self._workers.of(plugin_id)
        if worker is not None:
            with contextlib.suppress(ViloError):  # the worker's state has said why
                await worker.start()

    # -- events --------------------------------------------------------------------------------------

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call ``callback(name, data)`` for every event of the host; return what ends that.

        Events: ``commands.changed``, ``plugins.changed``, ``plugin.state``, ``widget.opened``,
        ``widget.updated``, ``widget.removed``, ``notification``, ``theme.changed``, ``locale.changed``,
        ``settings.changed``, ``terminal.exited``, ``plugin.life``, ``plugin.limit``, ``plugin.rolled_back``,
        ``permissions.changed``, ``permission.denied``, ``plugin.reload``.
        """
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def publish(self, name: str, data: Mapping[str, Any]) -> None:
        """Tell the host's subscribers (pages, the embedding application)."""
        for callback in tuple(self._subscribers):
            try:
                callback(name, dict(data))
            except Exception as error:  # whoever listens badly must not keep a plugin from being looked after
                asyncio.get_running_loop().call_exception_handler(
                    {"message": f"a subscriber of the host failed at {name}", "exception": error}
                )

    def emit(self, type: str, source: str, data: Mapping[str, Any]) -> None:
        """Tell every plugin that subscribed to ``type``, and start those that it activates.

        Those that run hear of it first: they are at it while the others are looked for.
        """
        self.events.emit(type, source, data)
        for id in self._activated(f"onEvent:{type}"):
            worker = self._workers.get(id)
            sleeps = worker is None or worker.state in ("stopped", "crashed")
            if sleeps and self.may_hear(id, type):
                self.in_background(self._activate_for(id, type, source, data))

    def _activated(self, event: str) -> set[str]:
        """Return the plugins that an event starts; one that its author changes has the word itself."""
        found = {id for id in self._known_plugins().activated(event) if id in self._workers.ids}
        for id, worker in self._workers.items():
            (found.add if event in worker.plugin.activation_events else found.discard)(id)
        return found

    def may_hear(self, plugin_id: str, type: str) -> bool:
        """Return whether events of a type may reach a plugin."""
        needed = hearing(plugin_id, type)
        return needed is None or self.permissions.check_permission(plugin_id, needed)

    async def _activate_for(self, plugin_id: str, type: str, source: str, data: Mapping[str, Any]) -> None:
        await self._activate(plugin_id)
        self._deliver([plugin_id], type, {"source": source, "data": dict(data)})

    def _deliver(self, plugin_ids: Iterable[str], type: str, body: dict[str, Any]) -> None:
        """Send an event to those of the plugins that run; it is encoded once for all.

        Each is woken before the next is looked for.
        """
        frame = b""
        for id in plugin_ids:
            if (worker := self._workers.get(id)) is not None and (peer := worker.peer) is not None:
                frame = frame or event(type, body)
                peer.tell(frame)

    def _setting_changed(self, key: str, value: Any) -> None:
        owner, _, name = key.partition(".")
        self.publish("settings.changed", {"key": key, "value": value})
        if key == "core.theme":
            self.theme.set(value)
        elif key == "core.locale":
            told = {"source": "host", "data": {"locale": value}}
            # To all: each shows texts, whether it listens or not.
            self._deliver(tuple(self._workers), "locale.changed", told)
            self.publish("locale.changed", {"locale": value})
        elif owner != "core" and not name.startswith(LIMITS):
            self._deliver(
                [owner], "settings.changed", {"source": "host", "data": {"name": name, "value": value}}
            )

    def _theme_changed(self, theme: str) -> None:
        if self.settings.get("core.theme") != theme:
            self.settings.set("core.theme", theme)
        self.publish("theme.changed", {"theme": theme})
        self.emit("theme.changed", "host", {"theme": theme})

    # -- workers -------------------------------------------------------------------------------------

    def _worker_state(self, plugin_id: str, state: str, detail: str) -> None:
        if state in ("crashed", "stopped"):
            self.events.forget(plugin_id)
        self.publish("plugin.state", {"plugin": plugin_id, "state": state, "detail": detail})
        if state == "crashed" and not self.reloading.takes_over(plugin_id):
            message = f"{plugin_id} stopped working: {detail}" if self._lived(plugin_id) else detail
            self.publish("notification", {"level": "error", "message": message, "plugin": plugin_id})

    def _worker_life(self, plugin_id: str, what: str, more: Mapping[str, Any]) -> None:
        """Tell everybody who follows what happens to processes, and keep each failure."""
        if what == "failed" and (worker := self._workers.get(plugin_id)) is not None and worker.last_failure:
            self._failure_log.write(worker.last_failure)
            self._crash_report(worker)
            if worker.last_failure.kind == "start_timeout":
                limit = worker.limits.startup_time
                self.measuring.too_slow(plugin_id, worker.last_failure.lived_s, limit)
        if what == "healthy" and self.workspace.of_plugin(plugin_id):
            self.in_background(self._widgets.keep_states(self._workers[plugin_id]))
        self.publish("plugin.life", {"plugin": plugin_id, "what": what, "at": time.time(), **more})

    def _crash_report(self, worker: Worker) -> None:
        """Keep a report of a worker's failure, in a thread: the disk may take its time."""
        failure, reports = worker.last_failure, CrashReports(worker.plugin.log_dir)
        assert failure is not None
        writing = asyncio.get_running_loop().run_in_executor(
            None, write_report, failure, worker.failures, reports
        )
        writing.add_done_callback(_ignore_full_disk)

    def crash_reports(self, plugin_id: str) -> list[dict[str, Any]]:
        """Return what is kept of a plugin's failures, the newest first; see docs/reference/crash-reports.md.

        Raises:
            NotInstalledError: there is no such plugin.
        """
        return CrashReports(self.store.plugin(plugin_id).log_dir).all()

    def _needed(self, plugin_id: str) -> bool:
        """Whether something needs a plugin that never asks again: what is open, what it listens to."""
        worker = self._workers.get(plugin_id)
        return (
            self._running
            and worker is not None
            and (
                bool(self.workspace.of_plugin(plugin_id))
                or self.events.listens(plugin_id)
                or "onStartup" in worker.plugin.activation_events
            )
        )

    def _worker_disabled(self, plugin: InstalledPlugin, reason: str) -> None:
        """Keep a plugin that failed too often from running, in this host and in the next."""
        plugin_id = plugin.plugin_id
        if self.probation.takes_over(plugin_id) or self.reloading.takes_over(plugin_id):
            return
        message = f"{reason}. To try again: viloapp enable {plugin_id}"
        self.publish("notification", {"level": "error", "message": message, "plugin": plugin_id})
        if self._running:
            self._given_up[plugin_id] = self.in_background(self.disable_plugin(plugin, reason))

    async def disable_plugin(self, plugin: InstalledPlugin, reason: str) -> None:
        """Disable a plugin in the store, with the reason that listings show, and take that over."""
        plugin_id = plugin.plugin_id

        def write() -> None:
            self.store.recover()
            if self.store.plugin(plugin_id).generation == plugin.generation:  # else another is there by now
                self.store.set_enabled([plugin_id], False, reason)

        try:
            await asyncio.to_thread(write)
        except ViloError as error:  # it stays as it is in this host
            message = f"{plugin_id} could not be disabled for good: {error.detail}"
            self.publish("notification", {"level": "error", "message": message, "plugin": plugin_id})
        await self.refresh()

    def _permissions_changed(self, plugin_id: str, by: str) -> None:
        self._denials_told = {key for key in self._denials_told if key[0] != plugin_id}
        if self._running:
            self._enforcement.changed(plugin_id, by)

    def _permission_denied(self, told: Mapping[str, str]) -> None:
        """Tell the person, once for each permission until it is granted: a plugin may try for ever."""
        key = (told["plugin"], told["permission"])
        if key not in self._denials_told and self.notices.affords(told["plugin"]):
            self._denials_told.add(key)
            self.publish("permission.denied", told)
            text = f"{told['message']}. Allow it: {told['command']}"
            self.publish("notification", {"level": "warning", "message": text, "plugin": told["plugin"]})

    def limit_reached(self, plugin_id: str, breach: Breach) -> None:
        """Count it, and tell the plugin, everybody who listens, and the person, who reads one line."""
        message, hint = breach.message(plugin_id), breach.hint(plugin_id)
        told = {**asdict(breach), "plugin": plugin_id, "message": message, "hint": hint}
        self.measuring.reached(plugin_id, breach)
        if breach.action != "resumed":
            self._breaches.setdefault(plugin_id, Counter())[breach.limit] += 1
        self.permissions.audit("limit", plugin_id, call=breach.limit, outcome=breach.action, detail=message)
        self._deliver([plugin_id], "plugin.limit", {"source": "host", "data": told})
        self.publish("plugin.limit", told)
        if breach.action in ("throttled", "refused"):  # an end is told with its state, a recovery is no news
            text = f"{message}; {hint}"
            self.publish("notification", {"level": "warning", "message": text, "plugin": plugin_id})

    def _worker_ended(self, plugin_id: str) -> None:
        """Its process is gone: what the host did for that process ends with it."""
        worker = self._workers.get(plugin_id)
        if worker is not None and worker.pid is not None:
            return  # the process before an update: its successor's are not to be cut, its own ends are closed
        self.network.drop(plugin_id)
        self.programs.drop(plugin_id)

    async def _program_plan(
        self, plugin_id: str, script: Path, arguments: tuple[str, ...], fds: tuple[int, ...]
    ) -> Launch:
        """Say how a program of a plugin is started."""
        worker = self.worker(plugin_id)
        if worker is None:
            raise WorkerLostError("the process is gone")
        return await worker.program_plan(script, arguments, fds)

    def _lived(self, plugin_id: str) -> bool:
        """Whether the process that was lost had once been ready: one that never was is not tried again."""
        worker = self._workers.get(plugin_id)
        return worker is not None and worker.was_ready

    async def _worker_ready(self, plugin_id: str, offers: Mapping[str, Any]) -> None:
        """Register what a plugin offers only at run time, and give it back the widgets it had open."""
        worker = self._workers.get(plugin_id)
        if worker is None:
            return
        offered, bad_commands = usable("commands", offers.get("commands"))
        static = {command["id"] for command in worker.plugin.commands}
        commands = [each for each in offered if each["id"] not in static]
        offered, bad_widgets = usable("widgets", offers.get("widgets"))
        known = {widget["id"] for widget in worker.plugin.widgets}
        widgets = [each for each in offered if each["id"] not in known]
        if bad := [*bad_commands, *bad_widgets]:
            message = f"{plugin_id}: {len(bad)} of what it offers cannot be used: {bad[0]}"
            self.publish("notification", {"level": "warning", "message": message, "plugin": plugin_id})
        if commands or widgets:
            self._catalogue.take(plugin_id)
            self._catalogue.offer(worker.plugin, commands, widgets)
            self.publish("commands.changed", {})
        self._widgets.reopen(plugin_id)

    def _admit(self, plugin: InstalledPlugin) -> None:
        """Refuse to start what a block list names, what is being updated, or what another ViloApp is for.

        Raises:
            BlockedPluginError: it is named, or what is blocked cannot be known.
            IncompatibleVersionsError: another viloapp-core installed it, and this one cannot do what it asks.
            PausedPluginError: it is being updated.
        """
        if plugin.plugin_id in self._paused:
            raise PausedPluginError(plugin.plugin_id)
        self._not_blocked(plugin)

    def _not_blocked(self, plugin: InstalledPlugin) -> None:
        """Refuse it as `_admit` does, also while it is being updated: its steps have to run then."""
        if not speaks(plugin.api_version):
            raise incompatible(plugin)
        if why := self._revocation.why(plugin):
            raise BlockedPluginError(plugin.plugin_id, why)

    async def _stop_blocked(self) -> None:
        """Stop what was blocked while it ran, and tell of lists that have expired."""
        if (lists := self._revocation.stamp()) == self._lists:
            return
        self._lists = lists
        for warning in self._revocation.warnings:
            self.publish("notification", {"level": "warning", "message": warning, "plugin": ""})
        for id, worker in tuple(self._workers.items()):
            if worker.pid is not None and (why := self._revocation.why(worker.plugin)):
                message = f"{id} was stopped: {why}"
                self.publish("notification", {"level": "error", "message": message, "plugin": id})
                await worker.stop(*partings.blocked(why))
                self.publish("plugins.changed", {"added": [], "changed": [id], "removed": []})

    async def _stop_workers(self) -> None:
        self._running = False
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(worker.stop(*partings.HOST_ENDED) for worker in self._workers.values()))
        self._workers.clear()
        self._workers.ids = frozenset()

    # -- the rest ------------------------------------------------------------------------------------

    def _take_store(self) -> FileLock:
        self.store.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return FileLock(self.store.root / "host.lock").acquire(blocking=False)
        except LockHeldError as error:
            raise HostRunningError(self.store.root) from error

    def _former(self) -> Mapping[str, str]:
        return self.store.plugins().former

    def in_background(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something until it ends or the host does."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            with contextlib.suppress(ViloError):
                if self.store.index_stamp() != self._stamp and not self.reloading.under_way:
                    await self.refresh()
                await self._stop_blocked()
            self.permissions.look(self._workers)
            self._tell_problem()

    def _tell_problem(self) -> None:
        """Tell once when the audit log cannot be written, and again when it was between two times."""
        problem = self.permissions.problem
        if problem and problem != self._problem:
            self.publish("notification", {"level": "error", "message": problem, "plugin": ""})
        self._problem = problem


def _ignore_full_disk(writing: "asyncio.Future[None]") -> None:
    """A disk that is full loses a report, never the host."""
    with contextlib.suppress(FoundationError, OSError, asyncio.CancelledError):
        writing.result()


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
