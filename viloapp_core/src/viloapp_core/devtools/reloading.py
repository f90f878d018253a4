"""From saved files to a plugin that runs them: judged first, then one process for the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

from viloapp_core.host import Host
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest import ManifestError, from_project

__all__ = ["Reloader"]

Tell = Callable[[Literal["info", "error"], str], None]


class Reloader:
    """Brings what an author saved into the running workspace.

    A save that cannot run changes nothing: the process of the last good one goes on.

    Args:
        host: runs the plugin.
        project: the folder of its source.
        plugin_id: its id.
        install: installs it anew; blocks, so that it runs in a thread.
        tell: told, for people, what became of each save.
    """

    def __init__(
        self, host: Host, project: Path, plugin_id: str, install: Callable[[], None], tell: Tell
    ) -> None:
        self._host = host
        self._project = project
        self._id = plugin_id
        self._install = install
        self._tell = tell

    async def saved(self, paths: Collection[Path]) -> bool:
        """Take over what was saved; return whether it runs now."""
        began = time.monotonic()
        try:
            if any(path.parent == self._project and path.suffix != ".py" for path in paths):
                await asyncio.to_thread(self._install)
                await self._host.refresh()
                await self._host.reload_plugin(self._id)
            else:
                manifest = from_project(self._project)
                await self._host.reload_plugin(
                    self._id, manifest.get("commands", ()), manifest.get("widgets", ())
                )
        except ManifestError as error:
            return self._failed("; ".join(map(str, error.issues)))
        except ViloError as error:
            return self._failed(error.detail)
        self._tell("info", f"{self._id} reloaded in {time.monotonic() - began:.2f} s")
        return True

    def _failed(self, why: str) -> bool:
        worker = self._host.worker(self._id)
        goes_on = worker is not None and worker.state == "running"
        rest = "what ran before goes on" if goes_on else "it runs again after the next save"
        self._tell("error", f"{self._id} was not reloaded: {why}; {rest}")
        return False
