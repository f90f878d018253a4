"""Newer versions of what is installed, and the way back."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from viloapp_core.foundation.clock import Clock, SystemClock
from viloapp_core.ledger import AuditLog
from viloapp_core.operations import dependencies
from viloapp_core.operations.changing import find
from viloapp_core.operations.errors import OperationError, raise_all
from viloapp_core.operations.fitting import NobodyRuns, Steps, as_json, told
from viloapp_core.operations.installing import carry_out, workshop_of, would_move
from viloapp_core.operations.origins import Origin
from viloapp_core.operations.outcomes import (
    Consent,
    InstallOptions,
    InstallOutcome,
    Progress,
    RefuseAll,
    UpdateOutcome,
    silent,
)
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import Related, Relations, refusals
from viloapp_core.store import InstalledPlugin, Store, belongings, truth
from viloapp_core.store.generations import Generation, before, generations
from viloapp_sdk.manifest.chain import declared

_FROM_FILES = {
    "wheel": "it was installed from a wheel: viloapp install the newer one",
    "bundle": "it was installed from a bundle: viloapp install the newer one",
    "dev": "it runs from its source",
}


class NoGenerationError(OperationError):
    """There is no generation to go back to; names what there is."""

    def __init__(self, plugin_id: str, wanted: str | None, found: Sequence[Generation]) -> None:
        what = f"no generation of version {wanted}" if wanted else "nothing that it replaced"
        there = [f"{each.version}{' (in use)' if each.current else ''}" for each in found]
        others = [each.version for each in found if not each.current]
        hint = f"viloapp rollback {plugin_id} --to {others[0]}" if others else "viloapp install the version"
        super().__init__(
            "no_generation", f"{plugin_id} has {what} in the store; there is {', '.join(there)}", hint
        )


def update(
    store: Store,
    plugin_ids: Sequence[str] = (),
    *,
    check: bool = False,
    options: InstallOptions | None = None,
    progress: Progress = silent,
    consent: Consent | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    cancel: threading.Event | None = None,
    wheels: Mapping[str, Path] | None = None,
    steps: Steps | None = None,
) -> list[UpdateOutcome]:
    """Install what is newer, within what was asked for at installation and what dependents accept.

    What was updated to before, and taken back since it did not keep well, is left out.
    A plugin whose version stays gets newer libraries. Nothing ever gets older. The generation that is
    replaced stays for `rollback`. Permissions beyond those accepted before are asked for.

    Args:
        store: where.
        plugin_ids: which; all when empty.
        check: say what would change, and change nothing.
        options: the user's choices.
        progress: told each step.
        consent: asked where a new version wants more; nobody when None.
        environ: the user's environment; little of it reaches pip.
        clock: for the receipts.
        cancel: ends the operation when set, with nothing half done.
        wheels: the wheelhouse; the core's own when None.
        steps: as `install` has it.

    Raises:
        ViloError: as `install` does; then nothing was changed.
    """
    options = options or InstallOptions()
    store.recover()
    plugins = find(store, plugin_ids or list(store.plugins()))
    fixed = [_unchanged(plugin, why) for plugin in plugins if (why := _FROM_FILES.get(plugin.source))]
    moving = [plugin for plugin in plugins if plugin.source not in _FROM_FILES]
    if not moving:
        return fixed
    with workshop_of(
        store, options, progress=progress, environ=environ, cancel=cancel, wheels=wheels, steps=steps
    ) as workshop:
        settled = dependencies.settle([_spec(store, plugin) for plugin in moving], workshop, upgrade=True)
        plans = [plan for plan in settled.plans if _is_newer(store, plan) and not _was_withdrawn(store, plan)]
        outcomes = [_described(store, plan, _where(workshop, plan.plugin_id)) for plan in plans]
        changing = {plan.plugin_id for plan in plans}
        rest = [
            _unchanged(plugin, _left_out(store, plugin), _where(workshop, plugin.plugin_id))
            for plugin in moving
            if plugin.plugin_id not in changing
        ]
        if plans and not check and not options.dry_run:
            before_them = {outcome.plugin_id: outcome for outcome in outcomes}
            where = {plan.plugin_id: _where(workshop, plan.plugin_id) for plan in plans}
            done = carry_out(plans, workshop, consent or RefuseAll(), clock or SystemClock())
            outcomes = [_done(before_them[item.plugin_id], item, where[item.plugin_id]) for item in done]
        return [*outcomes, *rest, *fixed]


def rollback(
    store: Store,
    plugin_id: str,
    *,
    to: str | None = None,
    clock: Clock | None = None,
    steps: Steps | None = None,
) -> UpdateOutcome:
    """Switch a plugin back to a generation that is still in the store; the one in use stays there too.

    Args:
        store: where.
        plugin_id: the plugin.
        to: a version; None for what the current generation replaced.
        clock: for the audit log.
        steps: keeps the plugin from running where its settings and data go back too.

    Raises:
        NotInstalledError: there is no such plugin.
        NoGenerationError: there is nothing to go back to; names what there is.
        ViloError: it does not fit to the other plugins any more.
    """
    store.recover()
    (plugin,) = find(store, [plugin_id])
    found = generations(store.layout, plugin.plugin_id)
    others = [each for each in found if not each.current]
    target = next((each for each in others if each.version == to), None) if to else before(found)
    if target is None:
        raise NoGenerationError(plugin.plugin_id, to, found)
    receipt = truth.read_receipt(target.folder)
    move = belongings.judge(store.layout, plugin.plugin_id, receipt["manifest"], target.name)
    notes = _going_back(store, plugin, move, declared(receipt["manifest"]))
    moves = move.source is not None
    with (steps or NobodyRuns()).quiet(plugin.plugin_id) if moves else nullcontext():
        installed = store.switch(plugin.plugin_id, target.name, lambda: _check_fits(store, plugin, receipt))
    log = AuditLog(store.root, clock)
    log.record(
        "rollback", plugin.plugin_id, outcome="done", detail=f"{plugin.generation.name} → {target.name}"
    )
    log.close()
    return UpdateOutcome(
        plugin.plugin_id,
        installed.version,
        "rolled back",
        plugin.version,
        (),
        installed.permissions,
        notes,
        as_json(move),
    )


def _going_back(store: Store, plugin: InstalledPlugin, move: belongings.Move, reads: str) -> tuple[str, ...]:
    """Say what a rollback does to settings and data, and where what was made of them since is."""
    if move.source is None:
        stay = f"settings and data stay as they are, version {move.after}: it knows {reads} of them"
        return (stay,) if move.after != reads else ()
    since = belongings.set_since(store.layout, plugin.plugin_id, move.source)
    what = f"what was set since ({', '.join(since)})" if since else "nothing was set since; what it stored"
    again = f"viloapp rollback {plugin.plugin_id} --to {plugin.version}"
    return (told(move), f"{what} is kept beside {plugin.version} and comes back with: {again}")


def moves_back(store: Store, plugin_id: str) -> bool:
    """Return whether `take_back` would bring back a plugin's data too: steps had changed it."""
    return belongings.is_kept(store.layout, plugin_id, str(store.receipt(plugin_id).get("replaces")))


def set_since_update(store: Store, plugin_id: str) -> list[str]:
    """Return the names of the settings that a plugin has otherwise than right after its latest update.

    Args:
        store: where.
        plugin_id: a plugin whose update is on probation.
    """
    if moves_back(store, plugin_id):
        kept = store.layout.left(plugin_id) / str(store.receipt(plugin_id).get("replaces"))
        return belongings.set_since(store.layout, plugin_id, kept)
    probation = store.probation_of(plugin_id)
    if probation is None or not probation.known:
        return []
    return belongings.differing(probation.settings or {}, store.settings_of(plugin_id))


def take_back(store: Store, plugin_id: str, reason: str, clock: Clock) -> InstalledPlugin:
    """Roll an update on probation back, code, lock and settings together, and return what runs now.

    Args:
        store: where.
        plugin_id: the plugin.
        reason: why, for people.
        clock: for the record.

    Raises:
        NotOnProbationError: there is nothing to take back.
        ViloError: what was before does not fit to the other plugins any more, or is damaged.
    """
    store.recover()
    plugin = store.plugin(plugin_id)
    former = truth.read_receipt(
        store.layout.generations(plugin_id) / str(store.receipt(plugin_id).get("replaces"))
    )
    back = store.withdraw(plugin_id, reason, clock, lambda: _check_fits(store, plugin, former))
    log = AuditLog(store.root, clock)
    detail = f"{plugin.generation.name} → {back.generation.name}: {reason}"
    log.record("rollback", plugin_id, outcome="done", detail=detail)
    log.close()
    return back


def _check_fits(store: Store, plugin: InstalledPlugin, receipt: Mapping[str, object]) -> None:
    """Refuse a generation that conflicts, or that others do not accept.

    Raises:
        ResolveError: why.
        SeveralProblemsError: more than one reason.
    """
    manifest = receipt["manifest"]
    assert isinstance(manifest, dict)
    keys = ("requires_plugins", "conflicts", "load_after", "load_before")
    said = [tuple(manifest.get(key, ())) for key in keys]
    coming = Relations(plugin.plugin_id, str(receipt["version"]), str(receipt["python_version"]), *said)
    after: dict[str, Related] = {**store.plugins(), plugin.plugin_id: coming}
    enabled = {key for key, each in store.plugins().items() if each.enabled}
    raise_all(refusals(after, enabled=enabled, touched=[plugin.plugin_id]))


def _spec(store: Store, plugin: InstalledPlugin) -> Spec:
    """Return what was asked for when the plugin was installed; its name alone when that is not known."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import SpecifierSet

    text = str(store.receipt(plugin.plugin_id).get("requested") or plugin.plugin_id)
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        requirement = Requirement(plugin.plugin_id)
    for row in store.withdrawn(plugin.plugin_id):
        if row.get("version") != plugin.version:  # else it was its libraries that did not keep well
            requirement.specifier &= SpecifierSet(f"!={row.get('version')}")
    return Spec(text, "index", requirement=str(requirement), plugin_id=plugin.plugin_id)


def _was_withdrawn(store: Store, plan: Plan) -> bool:
    """Whether these wheels were updated to before, and taken back, or are older than what was.

    Those would be a downgrade: the version that was taken back is the highest that was ever seen.
    """
    from packaging.version import Version

    version = Version(plan.resolution.plugin.version)
    return any(
        row.get("lock_digest") == plan.resolution.digest or version < Version(str(row.get("version")))
        for row in store.withdrawn(plan.plugin_id)
    )


def _left_out(store: Store, plugin: InstalledPlugin) -> str:
    """Say what an update leaves out, and how to have it all the same; empty when nothing."""
    rows = store.withdrawn(plugin.plugin_id)
    if not rows:
        return ""
    version, reason = rows[-1].get("version"), rows[-1].get("reason")
    again = f"viloapp install '{plugin.plugin_id}=={version}'"
    if version == plugin.version:
        again = f"viloapp rollback {plugin.plugin_id} --to {version}"
    return f"{version} is left out, it was rolled back: {reason}; to have it all the same: {again}"


def _is_newer(store: Store, plan: Plan) -> bool:
    """Whether a plan is newer than what is installed, or new; never where anything of it would be older."""
    from packaging.version import Version

    if plan.plugin_id not in store.plugins():
        return True  # a new version requires it
    have = _versions(store, plan.plugin_id)
    want = {package.name: package.version for package in plan.resolution.packages}
    own, other = Version(want[plan.plugin_id]), Version(have.get(plan.plugin_id, "0"))
    if own != other:
        return own > other
    steps = [(Version(want[name]), Version(have[name])) for name in want.keys() & have.keys()]
    return any(new > old for new, old in steps) and not any(new < old for new, old in steps)


def _versions(store: Store, plugin_id: str) -> dict[str, str]:
    return {each["name"]: each["version"] for each in store.receipt(plugin_id).get("packages", ())}


def _where(workshop: Workshop, plugin_id: str) -> str:
    """Say where a plugin was looked for; empty where that goes without saying."""
    origin = workshop.origin_of(plugin_id)
    return "" if origin == Origin(None) else f"looked at {origin}"


def _described(store: Store, plan: Plan, where: str) -> UpdateOutcome:
    installed = store.plugins().get(plan.plugin_id)
    have = _versions(store, plan.plugin_id) if installed else {}
    changes = [
        f"{package.name} {have.get(package.name, 'none')} -> {package.version}"
        for package in plan.resolution.packages
        if have.get(package.name) != package.version
    ]
    want = {package.name for package in plan.resolution.packages}
    changes += [f"{name} {version} -> none" for name, version in have.items() if name not in want]
    previous = installed.version if installed else None
    version = plan.resolution.plugin.version
    move = would_move(store, plan)
    notes = (*plan.resolution.notes, *filter(None, [told(move) if move else "", where]))
    settings = as_json(move) if move else None
    return UpdateOutcome(
        plan.plugin_id, version, "would update", previous, tuple(changes), (), notes, settings
    )


def _done(planned: UpdateOutcome, outcome: InstallOutcome, where: str) -> UpdateOutcome:
    return UpdateOutcome(
        planned.plugin_id,
        outcome.version,
        "updated",
        planned.previous_version,
        planned.changes,
        outcome.permissions,
        (*outcome.notes, *filter(None, [where])),
        outcome.settings,
    )


def _unchanged(plugin: InstalledPlugin, *notes: str) -> UpdateOutcome:
    notes = tuple(filter(None, notes))
    return UpdateOutcome(
        plugin.plugin_id, plugin.version, "unchanged", plugin.version, (), plugin.permissions, notes
    )
