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
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def quiet(self, plugin_id: str, /) -> AbstractContextManager[object]:
        """Keep the plugin's process from running."""
        from viloapp_core.host.steps import SeparateSteps

        return SeparateSteps(self._store).quiet(plugin_id)

    def run(
        self, plugin: InstalledPlugin, steps: Sequence[Step], settings: Mapping[str, Any], /
    ) -> Mapping[str, Any]:
        """Run the steps in the plugin's sandbox."""
        from viloapp_core.host.steps import SeparateSteps

        return SeparateSteps(self._store).run(plugin, steps, settings)
