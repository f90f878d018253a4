"""Who runs the steps of plugins' settings for a command; loaded when there is one to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viloapp_core.store import InstalledPlugin, Store
    from viloapp_sdk.manifest.chain import Step

__all__ = ["Runner"]


class Runner:
    """Fits `viloapp_core.operations.fitting.Steps`.

    Args:
        store: what is changed.
        allow_unsandboxed: the person accepts that they run with full authority where no sandbox works.
    """

    def __init__(self, store: Store, *, allow_unsandboxed: bool = False) -> None:
        self._store = store
        self._allow_unsandboxed = allow_unsandboxed

    def quiet(self, plugin_id: str, /) -> AbstractContextManager[object]:
        """Keep the plugin's process from running."""
        from viloapp_core.host.steps import SeparateSteps

        return SeparateSteps(self._store).quiet(plugin_id)

    def run(
        self, plugin: InstalledPlugin, steps: Sequence[Step], settings: Mapping[str, Any], /
    ) -> Mapping[str, Any]:
        """Run the steps in the plugin's sandbox."""
        from viloapp_core.host.steps import SeparateSteps

        runner = SeparateSteps(self._store, allow_unsandboxed=self._allow_unsandboxed)
        return runner.run(plugin, steps, settings)
