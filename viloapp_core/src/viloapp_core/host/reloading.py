"""An author's saves while the plugin runs: the new code in the place of the old, or the old in its own.

What is saved is imported in a process of its own before anything is given up. Then the process that runs
shuts down and the new one initializes; should that fail, the last code that ran is started again, from a copy
of its source that is mounted in the place of the author's folder. Without mounts (no bubblewrap) it cannot
be, and the plugin runs again after the next save.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.host.errors import HostStoppingError
from viloapp_core.sandbox import probe
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise import Worker
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["Reloading"]

Rows = Iterable[Mapping[str, Any]]


class Reloading:
    """Replaces a plugin's process by one that runs what was saved.

    Args:
        host: whose plugins.

    Attributes:
        under_way: whether the host takes nothing over from the store by itself at present.
        problems: what the page shows of each plugin whose latest save does not run; see `tell`.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._copies: dict[str, Path] = {}
        self._reloads = 0
        self._tried: set[str] = set()
        self.problems: dict[str, dict[str, Any]] = {}

    @property
    def under_way(self) -> bool:
        """See the class."""
        return self._reloads > 0

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Meanwhile an installation takes no effect by itself: it is to be tried first."""
        self._reloads += 1
        try:
            yield
        finally:
            self._reloads -= 1

    def takes_over(self, plugin_id: str) -> bool:
        """Return whether what becomes of a plugin that failed is decided here: it is just being tried."""
        return plugin_id in self._tried

    def copy_of(self, plugin_id: str) -> Path | None:
        """Return what a plugin's processes are shown in the place of its author's folder."""
        return self._copies.get(plugin_id)

    def tell(self, plugin_id: str, problem: Mapping[str, Any] | None) -> None:
        """Have the page show that a save does not run, until one does.

        Args:
            plugin_id: whose.
            problem: ``{"message", "file", "line", "stack", "goes_on"}``; None when it runs.
        """
        self.problems.pop(plugin_id, None)
        if problem is not None:
            self.problems[plugin_id] = {**problem, "plugin": plugin_id}
        self._host.publish("plugin.reload", {"plugin": plugin_id, "problem": self.problems.get(plugin_id)})

    async def reload(
        self,
        plugin_id: str,
        commands: Rows | None,
        widgets: Rows | None,
        *,
        last_good: Path | None = None,
    ) -> None:
        """Run a plugin's code as it is on the disk now, and as it is in the store.

        The process that runs is asked to shut down before the next one initializes. How often the code before
        failed does not count, even where that has disabled the plugin.

        Args:
            plugin_id: an enabled plugin, or one that this host disabled for its failures.
            commands: what it offers now, as in a manifest; None where that is what was installed.
            widgets: likewise.
            last_good: a copy of the source that ran before, for when this one does not.

        Raises:
            PluginStartError: it cannot be imported, or was not ready; what ran before goes on, where it can.
            ViloError: it may not run.
        """
        host, before = self._host, self._host.worker(plugin_id)
        if before is None and not host.given_up(plugin_id):
            raise HostStoppingError
        kept = before.plugin if before is not None else host.store.plugin(plugin_id)
        offered = host.offered(plugin_id)
        with self.undisturbed():
            try:
                await self._try(host.store.plugin(plugin_id), commands, widgets)
            except ViloError:
                await self._go_back(kept, before, offered, last_good)
                raise

    async def keep(self, plugin_id: str, last_good: Path | None, *, ran: bool) -> None:
        """Have what ran before go on, because what was saved cannot even be looked at.

        Args:
            plugin_id: the plugin.
            last_good: a copy of the source that ran before.
            ran: whether it did when that was saved; an installation may have ended it for its settings.
        """
        before = self._host.worker(plugin_id)
        if before is None:
            return
        with self.undisturbed():
            await self._go_back(before.plugin, before, self._host.offered(plugin_id), last_good)
        now = self._host.worker(plugin_id)
        if ran and now is not None and now.state == "stopped" and plugin_id in self._copies:
            with contextlib.suppress(ViloError):  # its state has said why
                await now.start()

    async def _try(self, plugin: InstalledPlugin, commands: Rows | None, widgets: Rows | None) -> None:
        await self._host.rehearse(plugin)
        await self._host.forgive(plugin.plugin_id)
        self._copies.pop(plugin.plugin_id, None)
        after = await self._host.take_place(
            plugin,
            plugin.commands if commands is None else commands,
            plugin.widgets if widgets is None else widgets,
        )
        self._tried.add(plugin.plugin_id)
        try:
            await after.start()
        finally:
            self._tried.discard(plugin.plugin_id)

    async def _go_back(
        self, kept: InstalledPlugin, before: Worker | None, offered: tuple[Rows, Rows], copy: Path | None
    ) -> None:
        """Bring the last good code back, unless it still runs."""
        host, plugin_id = self._host, kept.plugin_id
        if host.store.plugin(plugin_id).generation != kept.generation:
            await asyncio.to_thread(host.store.switch, plugin_id, kept.generation.name)
            host.settings.reload()  # where steps had made others of them, those before are there again
        now = host.worker(plugin_id)
        if copy is None or before is None or probe().backend != "bubblewrap":
            if now is not None and now is not before:
                await now.stop()  # and is not started again by itself: it would fail again
            return
        self._copies[plugin_id] = copy
        if now is before and now.state in ("running", "stopped"):
            return  # it was not touched; should it be lost, it starts from the copy
        back = await host.take_place(kept, *offered)
        with contextlib.suppress(ViloError):  # its state has said why
            await back.start()
