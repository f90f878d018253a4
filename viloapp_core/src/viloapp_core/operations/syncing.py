"""Write what is installed into a lock, and make a store equal to one."""

from __future__ import annotations

import os
import threading
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from viloapp_core.foundation.clock import Clock, SystemClock
from viloapp_core.foundation.paths import first_free
from viloapp_core.operations import workspace_lock
from viloapp_core.operations.errors import LockFileError, NotLockableError, raise_all
from viloapp_core.operations.fitting import Steps
from viloapp_core.operations.installing import carry_out, workshop_of
from viloapp_core.operations.outcomes import (
    Consent,
    InstallOptions,
    InstallOutcome,
    Progress,
    RefuseAll,
    silent,
)
from viloapp_core.operations.pinned import check_own_names, choose_python
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.operations.workspace_lock import Difference, LockedPlugin, LockedWheel, WorkspaceLock
from viloapp_core.resolve import OWN_NAMES, Package, Resolution, UnsatisfiableError, compatibility
from viloapp_core.resolve.interpreters import Interpreter
from viloapp_core.resolve.pinned import fetch_pinned
from viloapp_core.store import InstalledPlugin, Store, StoreError
from viloapp_core.store import archives as archive
from viloapp_sdk.errors import ViloError


@dataclass(frozen=True)
class SyncOutcome:
    """What was done to make a store equal to a lock."""

    differences: tuple[Difference, ...]
    """What was different before."""
    plugins: tuple[InstallOutcome, ...] = ()
    """What was installed."""


def lock_workspace(store: Store) -> bytes:
    """Return the lock of everything installed; the same bytes for the same plugins.

    Raises:
        NotLockableError: a plugin runs from its folder, or is damaged.
        SeveralProblemsError: several are.
    """
    store.recover()
    problems: list[ViloError] = [
        NotLockableError(f"{plugin_id} is damaged: {damage}", "repair it first, or uninstall it")
        for plugin_id, damage in store.damage().items()
    ]
    problems += [
        NotLockableError(
            f"{plugin.plugin_id} is installed from {plugin.dev_source} with --dev, and a folder has no hash",
            f"install its wheel instead: viloapp package {plugin.dev_source}; or uninstall it first",
        )
        for plugin in store.plugins().values()
        if plugin.source == "dev"
    ]
    raise_all(problems)
    plugins = tuple(installed(store).values())
    return workspace_lock.encode(WorkspaceLock(plugins, (compatibility.environment(),)))


def installed(store: Store) -> dict[str, LockedPlugin]:
    """Return what is installed as a lock has it, by plugin id; without what is damaged."""
    found = {}
    for plugin_id, plugin in store.plugins().items():
        try:
            receipt = store.receipt(plugin_id)
        except StoreError:
            continue
        found[plugin_id] = workspace_lock.locked(receipt, plugin.enabled, plugin.reason)
    return found


def compare(store: Store, path: Path) -> tuple[Difference, ...]:
    """Return what `sync` would do, by plugin id; nothing is changed.

    Raises:
        LockFileError: the file is no lock.
    """
    return workspace_lock.differences(installed(store), _read(path), store.damage())


def sync(
    store: Store,
    path: Path,
    *,
    options: InstallOptions | None = None,
    progress: Progress = silent,
    consent: Consent | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    cancel: threading.Event | None = None,
    wheels: Mapping[str, Path] | None = None,
    steps: Steps | None = None,
) -> SyncOutcome:
    """Make the store equal to a lock: add, update, downgrade, rebuild, enable, disable and remove.

    Every wheel is here, has the lock's hash, was judged and consented to before anything is changed; all
    problems are reported at once. Then each plugin is one transaction; what was interrupted is finished by
    doing it again. What plugins stored stays.

    Args:
        store: what to change.
        path: the lock.
        options: index, folders with wheels, offline, consent given in advance, dry run.
        progress: told each step.
        consent: asked where permissions are declared that were not accepted before; nobody when None.
        environ: the user's environment; little of it reaches pip.
        clock: for receipts.
        cancel: ends the operation when set.
        wheels: the wheelhouse; the core's own when None.
        steps: as `install` has it.

    Raises:
        LockFileError: the file is no lock, or one whose plugins do not go together.
        ViloError: what else stands in the way.
    """
    options = options or InstallOptions()
    lock = _read(path)
    store.recover()
    found = workspace_lock.differences(installed(store), lock, store.damage())
    if options.dry_run or not found:
        return SyncOutcome(found)
    with workshop_of(
        store, options, progress=progress, environ=environ, cancel=cancel, wheels=wheels, steps=steps
    ) as workshop:
        plans = _plan_all([item for item in found if item.installs], lock, workshop)
        going = [item.plugin_id for item in found if item.change == "remove"]
        moving = frozenset({*going, *(plan.plugin_id for plan in plans)})

        def clear() -> None:
            for plugin_id in going:
                store.remove(plugin_id, purge=False)

        outcomes = carry_out(
            plans,
            workshop,
            consent or RefuseAll(),
            clock or SystemClock(),
            leaving=moving,
            disabling=frozenset(item.plugin_id for item in lock.plugins if not item.enabled),
            ready=clear,
        )
        _switch(store, lock)
    return SyncOutcome(found, tuple(outcomes))


def _read(path: Path) -> WorkspaceLock:
    try:
        with path.open("rb") as stream:
            data = stream.read(workspace_lock.MAX_BYTES + 1)
    except OSError as error:
        raise LockFileError(path.name, [f"{path} cannot be read: {error.strerror}"]) from error
    try:
        return workspace_lock.decode(data)
    except workspace_lock.LockFormatError as error:
        raise LockFileError(path.name, error.issues) from error


def _plan_all(changes: Sequence[Difference], lock: WorkspaceLock, workshop: Workshop) -> list[Plan]:
    """Plan every plugin that is to be laid down; those that take over another's ids come last."""
    wanted = {plugin.plugin_id: plugin for plugin in lock.plugins}
    plans: list[Plan] = []
    requires = _requirements(workshop.store, wanted, {item.plugin_id for item in changes})
    problems: list[ViloError] = []
    waiting: set[str] = set()
    for item in changes:
        try:
            plan, manifest = _plan(wanted[item.plugin_id], lock.environments, workshop)
        except ViloError as error:
            problems.append(error)
            continue
        plans.append(plan)
        requires[item.plugin_id] = manifest.get("requires_plugins", ())
        if workshop.store.clashes(item.plugin_id, manifest):
            waiting.add(item.plugin_id)
    problems += _unmet(wanted, requires)
    raise_all(problems)
    return sorted(plans, key=lambda plan: plan.plugin_id in waiting)


def _requirements(store: Store, wanted: Iterable[str], changing: Container[str]) -> dict[str, Sequence[str]]:
    """Return which plugins those require that stay as they are."""
    return {
        plugin_id: store.receipt(plugin_id)["manifest"].get("requires_plugins", ())
        for plugin_id in wanted
        if plugin_id not in changing
    }


def _unmet(wanted: Mapping[str, LockedPlugin], requires: Mapping[str, Sequence[str]]) -> list[ViloError]:
    """Return an error for each plugin of the lock that requires what the lock does not have."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: list[ViloError] = []
    for plugin_id, texts in sorted(requires.items()):
        for item in map(Requirement, texts):
            other = wanted.get(canonicalize_name(item.name))
            if other is None or not item.specifier.contains(other.version, prereleases=True):
                has = f"{other.plugin_id} {other.version}" if other else f"no {item.name}"
                found.append(
                    NotLockableError(
                        f"{plugin_id} requires the plugin {item}, and the lock has {has}",
                        "install it where the lock is written, and write the lock anew",
                    )
                )
    return found


def plan_installed(plugin: InstalledPlugin, workshop: Workshop) -> Plan:
    """Plan exactly what is installed of a plugin, for another place.

    Raises:
        ViloError: its wheels cannot be had any more.
    """
    receipt = workshop.store.receipt(plugin.plugin_id)
    return _plan(workspace_lock.locked(receipt, True, ""), (), workshop)[0]


def _plan(
    plugin: LockedPlugin, environments: Sequence[str], workshop: Workshop
) -> tuple[Plan, Mapping[str, Any]]:
    """Plan one plugin of a lock, its wheels fetched; return its manifest too.

    Raises:
        LockFileError: the lock contradicts the plugin's own wheel.
        OwnNameError: it has other wheels than the core's under one of our names.
        ResolveError: a wheel cannot be had, or does not fit this machine.
    """
    from packaging.specifiers import SpecifierSet

    from viloapp_core import manifest

    own = plugin.own_wheel
    packages = [_package(own), *(_package(wheel) for wheel in plugin.wheels if wheel is not own)]
    check_own_names(plugin.plugin_id, packages, workshop, named=plugin.source in ("wheel", "bundle"))
    series = SpecifierSet(f"=={plugin.python}.*")
    python = choose_python(plugin.plugin_id, series, environments, packages, workshop)
    here = _obtain(plugin, packages, python, workshop)
    folder = first_free(workshop.scratch, f"locked-{plugin.plugin_id}")
    folder.mkdir()
    for package in packages:
        (folder / package.filename).symlink_to(here[package.sha256])
    description = manifest.read_wheel(folder / own.filename)
    declared = sorted(permission.id for permission in description.manifest.permissions)
    if declared != sorted(plugin.permissions):
        raise NotLockableError(
            f"{plugin.plugin_id} {plugin.version} asks for {', '.join(declared) or 'nothing'}, "
            f"and the lock has {', '.join(plugin.permissions) or 'nothing'}",
            "write the lock anew: viloapp lock",
        )
    local = tuple(replace(package, url=(folder / package.filename).as_uri()) for package in packages)
    kind: Literal["index", "wheel", "bundle"] = "index"
    if plugin.source in ("wheel", "bundle"):
        kind = "wheel" if plugin.source == "wheel" else "bundle"
    spec = Spec(plugin.requested, kind, plugin_id=plugin.plugin_id)
    plan = Plan(
        spec,
        plugin.plugin_id,
        plugin.source,
        Resolution(python, local),
        description,
        publisher=plugin.publisher,
    )
    return plan, description.manifest.to_json()


def _package(wheel: LockedWheel) -> Package:
    return Package(wheel.name, wheel.version, wheel.filename, "", wheel.sha256)


def _obtain(
    plugin: LockedPlugin, packages: Sequence[Package], python: Interpreter, workshop: Workshop
) -> dict[str, Path]:
    """Return a file for each wheel, by hash: from the archives, the wheelhouse, else by pip."""
    layout = workshop.store.layout
    found, missing = {}, []
    for package in packages:
        if archive.is_intact(layout, package.sha256, package.filename):
            found[package.sha256] = archive.path_of(layout, package.sha256)
        elif _is_carried(package, workshop):
            found[package.sha256] = workshop.wheels[package.name]
        else:
            missing.append(package)
    try:
        found |= fetch_pinned(
            python,
            missing,
            sources=workshop.sources_of(plugin.plugin_id),
            pip=workshop.pip(plugin.plugin_id, "fetch"),
            progress=lambda name, done, total: workshop.say(plugin.plugin_id, "fetch", name, done, total),
        )
    except UnsatisfiableError as error:
        hint = error.hint
        if plugin.source in ("wheel", "bundle"):
            hint = f"it was installed from the file {plugin.requested}: name a folder with it: --find-links"
        raise UnsatisfiableError(f"{plugin.plugin_id}: {error.detail}", hint) from error
    return found


def _is_carried(package: Package, workshop: Workshop) -> bool:
    """Whether the core carries this very wheel."""
    wheel = workshop.wheels.get(package.name) if package.name in OWN_NAMES else None
    return wheel is not None and archive.sha256_of(wheel) == package.sha256


def _switch(store: Store, lock: WorkspaceLock) -> None:
    """Enable and disable what the lock says."""
    here = store.plugins()
    groups: dict[tuple[bool, str], list[str]] = {}
    for plugin in lock.plugins:
        now = here[plugin.plugin_id]
        if (now.enabled, now.reason) != (plugin.enabled, plugin.reason):
            groups.setdefault((plugin.enabled, plugin.reason), []).append(plugin.plugin_id)
    for (enabled, reason), plugin_ids in groups.items():
        store.set_enabled(plugin_ids, enabled, reason)
