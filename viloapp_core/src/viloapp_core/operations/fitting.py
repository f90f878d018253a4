"""Before another generation becomes current: a plugin's settings and data made what it needs, as a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from viloapp_core.operations.errors import OperationError
from viloapp_core.store import InstalledPlugin, Store, belongings, copying
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest.chain import major

if TYPE_CHECKING:
    from viloapp_core.store import journal
    from viloapp_sdk.manifest.chain import Step

__all__ = ["NobodyRuns", "Steps", "as_json", "fit", "judged", "told"]


class Steps(Protocol):
    """Runs the steps of a plugin's settings; code of a plugin runs in its sandbox alone, so a host has to."""

    def quiet(self, plugin_id: str, /) -> AbstractContextManager[object]:
        """Keep the plugin's process from running until the context ends: it would write what is copied."""

    def run(
        self, plugin: InstalledPlugin, steps: Sequence[Step], settings: Mapping[str, Any], /
    ) -> Mapping[str, Any]:
        """Return what the steps make of the settings, which fits what the plugin declares.

        Args:
            plugin: whose code it is; its data folder is the copy that they may change.
            steps: in order.
            settings: what was set.

        Raises:
            ViloError: one of them failed, or the plugin may not run.
        """


class NobodyRuns:
    """For callers without a host: what needs a step is refused."""

    def quiet(self, plugin_id: str, /) -> AbstractContextManager[object]:
        """Do nothing."""
        return nullcontext()

    def run(
        self, plugin: InstalledPlugin, steps: Sequence[Step], settings: Mapping[str, Any], /
    ) -> Mapping[str, Any]:
        """Refuse.

        Raises:
            OperationError: always.
        """
        raise OperationError(
            "no_steps",
            f"the settings of {plugin.plugin_id} need steps, which only a host runs",
            "viloapp update",
        )


def told(move: belongings.Move) -> str:
    """Return, for people, what a move does to settings and data; empty when nothing."""
    if move.kind == "steps":
        steps = ", ".join(map(str, move.steps))
        return f"settings and data: version {move.before} to {move.after}, by the steps {steps}"
    if move.kind == "restore":
        return (
            f"settings and data: it cannot read version {move.before}; those that were kept of version "
            f"{move.after} come back"
        )
    if move.before and major(move.before) == major(move.after) and move.after != move.before:
        return f"settings and data: version {move.before} to {move.after}, which needs no step"
    return ""


def as_json(move: belongings.Move) -> dict[str, Any]:
    """Return what becomes of settings and data, for ``--json``."""
    return {
        "before": move.before,
        "after": move.after,
        "steps": [str(step) for step in move.steps],
        "restored": move.kind == "restore",
    }


def judged(store: Store, plugin_id: str, manifest: Mapping[str, Any]) -> belongings.Move | None:
    """Return what becomes of a plugin's settings and data with another generation.

    None where they cannot be read and need not be: then they are left alone.

    Raises:
        ViloError: there is no way to what the generation needs, or it cannot be known.
    """
    try:
        return belongings.judge(store.layout, plugin_id, manifest)
    except belongings.BelongingsError:
        raise
    except ViloError:
        if manifest.get("settings"):
            raise
        return None


def fit(
    store: Store, entry: journal.Entry, plugin: InstalledPlugin, manifest: Mapping[str, Any], runner: Steps
) -> belongings.Move:
    """Lay ready in a change of the journal what settings and data have to be for a generation.

    The store's own are only read. The caller keeps the plugin from running meanwhile.

    Args:
        store: where.
        entry: of the installation.
        plugin: as it is going to be.
        manifest: of the generation.
        runner: runs the steps.

    Raises:
        ViloError: a step failed, or there is no way to what the generation needs.
    """
    move = belongings.judge(store.layout, plugin.plugin_id, manifest)
    if move.kind not in ("steps", "restore"):
        return move
    coming = belongings.coming_folder(entry)
    coming.mkdir(mode=0o700, parents=True)
    base = belongings.base_of(store.layout, plugin.plugin_id)
    source = move.source / "data" if move.source is not None else store.layout.data(plugin.plugin_id)
    copying.copy_folder(source, coming / "data")
    section = belongings.section_in(base)
    if move.source is not None:
        section = belongings.section_kept(move.source)
    elif move.steps:
        made = runner.run(_with_data(plugin, coming / "data"), move.steps, section.own)
        section = section.with_own(made)
    belongings.write_coming(coming, section.with_version(move.after), base)
    return move


def _with_data(plugin: InstalledPlugin, data: Path) -> InstalledPlugin:
    from dataclasses import replace

    return replace(plugin, data_dir=data)
