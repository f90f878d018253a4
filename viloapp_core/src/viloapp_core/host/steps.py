"""Who runs the steps of plugins' settings for an installation: the host itself, or a process beside it."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.errors import CommandError
from viloapp_core.host.control import ControlClient
from viloapp_core.host.errors import BlockedPluginError
from viloapp_core.limits import effective
from viloapp_core.metrics import PluginMetrics
from viloapp_core.process import Spawner
from viloapp_core.process.cgroup import Groups
from viloapp_core.services import Settings
from viloapp_core.store import InstalledPlugin, Revocation, Store
from viloapp_core.supervise import Surroundings, run_steps
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host
    from viloapp_sdk.manifest.chain import Step

__all__ = ["HostSteps", "SeparateSteps"]

T = TypeVar("T")
_LOOK_S = 0.1
"""How often steps that run look whether they are cancelled."""


class HostSteps:
    """Runs steps in a running host of this process; called from a thread that is not the host's.

    Args:
        host: runs on the store.
        cancel: ends the steps when set from another thread.
    """

    def __init__(self, host: "Host", cancel: threading.Event | None = None) -> None:
        self._host = host
        self._cancel = cancel or threading.Event()

    @contextlib.contextmanager
    def quiet(self, plugin_id: str, /) -> Iterator[None]:
        """See `viloapp_core.operations.fitting.Steps`."""
        self._wait(self._host.pause_plugin(plugin_id))
        try:
            yield
        finally:
            self._wait(self._host.resume_plugin(plugin_id))

    def run(
        self, plugin: InstalledPlugin, steps: "Sequence[Step]", settings: Mapping[str, Any], /
    ) -> Mapping[str, Any]:
        """See `viloapp_core.operations.fitting.Steps`."""
        return self._wait(self._unless_cancelled(self._host.run_steps(plugin, steps, settings)))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._host.loop).result()

    async def _unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what comes of work, whose process is ended before this raises, also when it is cancelled.

        Raises:
            CommandError: it was cancelled.
        """
        running = asyncio.ensure_future(work)
        try:
            while not self._cancel.is_set():
                done, _ = await asyncio.wait([running], timeout=_LOOK_S)
                if done:
                    return running.result()
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait([running])
        raise CommandError("command_cancelled", "the steps of the settings were cancelled")


class SeparateSteps:
    """Runs steps in a process that is not the host's; one that runs on the store is asked to stand back.

    Args:
        store: what is changed.
        allow_unsandboxed: run them with the user's full authority where no sandbox works.
    """

    def __init__(self, store: Store, *, allow_unsandboxed: bool = False) -> None:
        self._store = store
        self._allow_unsandboxed = allow_unsandboxed

    @contextlib.contextmanager
    def quiet(self, plugin_id: str, /) -> Iterator[None]:
        """See `viloapp_core.operations.fitting.Steps`; the host goes on by itself when this process dies."""
        client = ControlClient.connect(self._store.root)
        if client is None:
            yield
            return
        with client:
            client.request("pause", {"plugin": plugin_id})
            yield
            with contextlib.suppress(ViloError):  # what was done is done, whatever became of the host
                client.request("resume", {"plugin": plugin_id})

    def run(
        self, plugin: InstalledPlugin, steps: "Sequence[Step]", settings: Mapping[str, Any], /
    ) -> Mapping[str, Any]:
        """See `viloapp_core.operations.fitting.Steps`."""
        return asyncio.run(self._run(plugin, steps, settings))

    async def _run(
        self, plugin: InstalledPlugin, steps: "Sequence[Step]", settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        spawner = Spawner()
        try:
            stored = Settings(self._store.layout.settings, dict)
            limits = effective(plugin.limits, stored.limits_of(plugin.plugin_id))
            return await run_steps(plugin, self._surroundings(spawner, stored), limits, steps, settings)
        finally:
            spawner.close()

    def _surroundings(self, spawner: Spawner, settings: Settings) -> Surroundings:
        groups = Groups.of_this_process()
        revocation = Revocation(self._store.root, SystemClock())

        def admit(plugin: InstalledPlugin) -> None:
            if why := revocation.why(plugin):
                raise BlockedPluginError(plugin.plugin_id, why)

        async def never_ready(plugin_id: str, offers: dict[str, Any]) -> None:
            del plugin_id, offers

        return Surroundings(
            spawner=spawner,
            workspace=Path(os.getcwd()),
            allow_unsandboxed=self._allow_unsandboxed,
            on_request=lambda plugin_id, method, params: None,
            on_state=lambda plugin_id, state, detail: None,
            on_life=lambda plugin_id, what, more: None,
            on_ready=never_ready,
            on_disable=lambda plugin, reason: None,
            wanted=lambda plugin_id: False,
            settings=lambda plugin_id: {},
            locale=lambda: "en",
            supervision=lambda name: settings.core(f"supervise.{name}"),
            on_limit=lambda plugin_id, breach: None,
            limits=settings.limits_of,
            groups=groups if isinstance(groups, Groups) else None,
            nice=lambda: int(settings.core("worker_nice")),
            admit=admit,
            hold=self._store.hold,
            permissions=lambda plugin_id: (),
            user_of=self._store.user_of,
            programs=lambda plugin_id: (),
            minimum=lambda what: settings.core(f"minimum.{what}"),
            on_end=lambda plugin_id: None,
            metrics=PluginMetrics,
        )
