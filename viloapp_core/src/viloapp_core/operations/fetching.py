"""Wheels of a lock into the archives of the store."""

from __future__ import annotations

from collections.abc import Sequence

from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import Package, fetch
from viloapp_core.store import archives as archive


def fetch_wheels(plan: Plan, packages: Sequence[Package], workshop: Workshop) -> None:
    """Fetch those of a plan's wheels that are not in the archives, intact, and check their hashes.

    Args:
        plan: whose they are.
        packages: the wheels.
        workshop: what to work with.

    Raises:
        ViloError: one cannot be had, or is not what the lock says.
    """
    layout, plugin_id = workshop.store.layout, plan.plugin_id
    # A damaged archive is fetched again.
    missing = [p for p in packages if not archive.is_intact(layout, p.sha256, p.filename)]
    fetched = fetch(
        plan.resolution,
        missing,
        sources=workshop.sources_of(plugin_id),
        pip=workshop.pip(plugin_id, "fetch"),
        progress=lambda name, done, total: workshop.say(plugin_id, "fetch", name, done, total),
    )
    for number, package in enumerate(missing, start=1):
        path = fetched[package.sha256]
        archive.add(layout, path, package.sha256, package.filename, workshop.scratch)
        workshop.say(plugin_id, "verify", f"{package.filename} is what the lock says", number, len(missing))
