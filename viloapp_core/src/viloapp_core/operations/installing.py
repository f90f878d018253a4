"""Install plugins: resolve, lock, fetch, audit, verify, consent, lay down, activate; each step may refuse."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.foundation.clock import Clock, SystemClock, timestamp
from viloapp_core.ledger import Ledger
from viloapp_core.limits import asks, effective
from viloapp_core.operations import dependencies, specs
from viloapp_core.operations.consenting import note_consent
from viloapp_core.operations.errors import ConsentRefusedError, raise_all
from viloapp_core.operations.fetching import fetch_wheels
from viloapp_core.operations.fitting import NobodyRuns, Steps, as_json, fit, judged, told
from viloapp_core.operations.origins import RESOLVED
from viloapp_core.operations.outcomes import (
    Consent,
    InstallOptions,
    InstallOutcome,
    Progress,
    RefuseAll,
    silent,
)
from viloapp_core.operations.trusting import Judge, Verdict, note_trust
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import Relations, load_order, to_pylock, wheelhouse
from viloapp_core.store import (
    CollisionError,
    InstalledPlugin,
    Store,
    StoreFolderError,
    UnsafeWheelError,
    belongings,
    environment,
    journal,
)
from viloapp_core.store import archives as archive
from viloapp_core.store.audit import Verdicts, audit_all, entry_point_issues
from viloapp_core.store.unpacked import Shelf, Wheel
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription
    from viloapp_core.trust import VerifiedArtifact


@dataclass(frozen=True)
class _Checked:
    """A plan whose wheels are here, audited, and whose signature was looked at."""

    plan: Plan
    wheels: tuple[Path, ...]
    description: PluginDescription
    permissions: tuple[str, ...]
    notes: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True)
class _Built:
    """A generation that is complete but for its receipt."""

    item: _Checked
    artifact: VerifiedArtifact
    entry: journal.Entry
    venv: environment.Environment
    move: belongings.Move | None = None
    """What becomes of its settings and data."""


def install(
    store: Store,
    texts: Sequence[str],
    *,
    options: InstallOptions | None = None,
    progress: Progress = silent,
    consent: Consent | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    cancel: threading.Event | None = None,
    wheels: Mapping[str, Path] | None = None,
    steps: Steps | None = None,
) -> list[InstallOutcome]:
    """Install what the texts name, and the plugins that it requires, and return what became of each.

    All are resolved, fetched, checked and consented to before any is laid down, and all are laid down before
    any is switched to; all problems are reported at once. Each switch is then one transaction, what is
    required before what requires it. The network is used outside the store's lock.

    Args:
        store: where to.
        texts: requirements, paths of wheels, or folders with ``options.dev``.
        options: the user's choices.
        progress: told each step.
        consent: asked where permissions are declared that were not accepted before; nobody when None.
        environ: the user's environment; little of it reaches pip.
        clock: for the receipt.
        cancel: ends the operation when set, with nothing half done.
        wheels: the wheelhouse; the core's own when None.
        steps: runs the steps of settings; where one is needed, nobody when None, and it is refused.

    Raises:
        ViloError: nothing was installed and why; several problems are a `SeveralProblemsError`, whose
            `outcomes` name what was installed before a later one failed.
    """
    options = options or InstallOptions()
    store.recover()
    parsed, problems = specs.parse(texts, dev=options.dev)
    raise_all(problems)
    with workshop_of(
        store, options, progress=progress, environ=environ, cancel=cancel, wheels=wheels, steps=steps
    ) as workshop:
        settled = dependencies.settle(parsed, workshop)
        outcomes = [_unchanged(store.plugin(plugin_id)) for plugin_id in settled.kept]
        if options.dry_run:
            return [*outcomes, *(_would_install(plan, store) for plan in settled.plans)]
        return carry_out(settled.plans, workshop, consent or RefuseAll(), clock or SystemClock(), outcomes)


@contextmanager
def workshop_of(
    store: Store,
    options: InstallOptions,
    *,
    progress: Progress = silent,
    environ: Mapping[str, str] = os.environ,
    cancel: threading.Event | None = None,
    wheels: Mapping[str, Path] | None = None,
    steps: Steps | None = None,
) -> Iterator[Workshop]:
    """Yield what a use case works with, under a journal entry whose scratch folder goes at the end.

    Raises:
        StoreFolderError: the store cannot be written.
    """
    session = store.begin("session")
    try:
        carried = wheelhouse() if wheels is None else wheels
        runner = steps or NobodyRuns()
        yield Workshop(store, options, progress, environ, session.scratch, cancel, carried, runner)
    except BrokenPipeError:
        raise  # it is not the store: whoever is told of the progress has closed its end
    except OSError as error:
        raise StoreFolderError(
            f"the store cannot be written: {error.strerror or error}", "is the disk full, or another's?"
        ) from error
    finally:
        session.close()


def carry_out(
    plans: Sequence[Plan],
    workshop: Workshop,
    consent: Consent,
    clock: Clock,
    outcomes: Sequence[InstallOutcome] = (),
    leaving: frozenset[str] = frozenset(),
    disabling: frozenset[str] = frozenset(),
    ready: Callable[[], None] = lambda: None,
) -> list[InstallOutcome]:
    """Fetch, check, ask and lay down; nothing is laid down before all are checked and consented to.

    Args:
        plans: what to install, in this order but for what one requires of another.
        workshop: what to work with.
        consent: asked for each.
        clock: for the receipts.
        outcomes: of what needs nothing done; those of the plans come after them.
        leaving: plugins whose ids are free, since they go or are replaced in the same operation.
        disabling: plugins that the caller disables afterwards.
        ready: called when all is laid down, before anything is switched to.

    Raises:
        ViloError: as `install` does.
    """
    outcomes = list(outcomes)
    judge = Judge(workshop, clock)
    checked: list[_Checked] = []
    problems: list[ViloError] = []
    for plan in plans:
        try:
            checked.append(_check(plan, workshop, leaving, judge))
        except ViloError as error:
            problems.append(error)
    problems += _mutual_clashes(checked)
    raise_all(problems)
    # Plans that come from a bundle or a lock have not been looked at together yet.
    incoming = [_relations(item) for item in checked]

    def check() -> None:
        raise_all(dependencies.speaks_against(workshop.store, incoming, leaving, disabling))

    check()
    order = load_order(incoming, [plan.plugin_id for plan in plans])
    checked.sort(key=lambda item: order.index(item.plan.plugin_id))
    verified = []
    for item in checked:
        verified.append((item, judge.decide(item.verdict, consent)))
        _ask(item, workshop, consent)
    for warning in judge.warnings():
        workshop.say("", "verify", warning)
    built = _lay_down_all(verified, workshop)
    with ExitStack() as quiet:
        try:
            built = [_fit(made, workshop, clock, quiet) for made in built]
            ready()
        except BaseException:
            _abandon(built, workshop)
            raise
        return _switch_to_all(built, workshop, clock, outcomes, check)


def _fit(made: _Built, workshop: Workshop, clock: Clock, quiet: ExitStack) -> _Built:
    """Have a plugin's settings and data ready for a generation; its process runs no more from then on."""
    store, plugin_id = workshop.store, made.item.plan.plugin_id
    receipt = _receipt(made.item, made.venv, workshop, clock)
    plugin = store.prospective(made.entry, made.artifact, receipt)
    move = judged(store, plugin_id, receipt["manifest"])
    if move is None:
        return made
    if note := told(move):
        workshop.say(plugin_id, "settings", note)
    if move.kind in ("steps", "restore"):
        quiet.enter_context(workshop.steps.quiet(plugin_id))
        move = fit(store, made.entry, plugin, receipt["manifest"], workshop.steps)
    return replace(made, move=move)


def _check(plan: Plan, workshop: Workshop, leaving: frozenset[str], judge: Judge) -> _Checked:
    """Fetch and audit a plan's wheels, verify who signed, then see whether the store has room for its ids."""
    wheels, description, notes = inspect(plan, workshop)
    Ledger(workshop.store.root).entries(plan.plugin_id)  # a damaged one is told before anything is done
    verdict = judge.look(plan, description)
    if clashes := workshop.store.clashes(plan.plugin_id, description.manifest.to_json(), leaving):
        raise CollisionError(plan.plugin_id, clashes)
    permissions = tuple(permission.id for permission in description.manifest.permissions)
    return _Checked(plan, tuple(wheels), description, permissions, tuple(notes), verdict)


def inspect(plan: Plan, workshop: Workshop) -> tuple[list[Path], PluginDescription, list[str]]:
    """Fetch a plan's wheels into the archives, then judge each before anything is unpacked.

    Returns:
        The wheels under their names, the plugin's first; what that describes; what a person should know.

    Raises:
        UnsafeWheelError: one of them may not be installed.
        OverlappingWheelsError: they claim one file, or hide one another's modules.
        ViloError: one cannot be had, or is no plugin.
    """
    from viloapp_core import manifest

    fetch_wheels(plan, plan.resolution.packages, workshop)
    workshop.say(plan.plugin_id, "verify", f"checking {len(plan.resolution.packages)} wheels")
    folder = workshop.scratch / f"wheels-{plan.plugin_id}"
    folder.mkdir()
    pairs = [(package.sha256, package.filename) for package in plan.resolution.packages]
    wheels = archive.link_farm(workshop.store.layout, pairs, folder)
    description = plan.description or manifest.read_wheel(wheels[0])
    dev = plan.source == "dev"
    # Each archive's hash was just read; what has it is what was judged.
    verdicts, others = Verdicts(workshop.store.layout), list(zip(wheels, pairs, strict=True))[1:]
    recalled = {wheel: verdicts.recall(*pair) for wheel, pair in others}
    known = {wheel: finding for wheel, finding in recalled.items() if finding is not None}
    findings, problems = audit_all(wheels, dev=dev, known=known)
    raise_all(problems)
    for (wheel, (sha256, _)), finding in zip(others, findings[1:], strict=True):
        if wheel not in known:
            verdicts.keep(sha256, finding)
    entry_point = description.entry_point.value
    if not dev and (issues := entry_point_issues(entry_point, findings[0].names)):
        raise UnsafeWheelError(wheels[0].name, issues)
    notes = [*plan.resolution.notes, *(note for finding in findings for note in finding.notes)]
    return wheels, description, notes


def _relations(item: _Checked) -> Relations:
    """Return what a plugin says of others."""
    return dependencies.relations_of(
        item.plan.plugin_id, item.plan.resolution.python.version, item.description
    )


def _mutual_clashes(checked: Sequence[_Checked]) -> list[ViloError]:
    """Return collisions among plugins that are installed together."""
    owners: dict[tuple[str, str], str] = {}
    problems: list[ViloError] = []
    for item in checked:
        manifest = item.description.manifest.to_json()
        for kind, key in (("command", "commands"), ("widget", "widgets")):
            for entry in manifest.get(key, ()):
                owner = owners.setdefault((kind, entry["id"]), item.plan.plugin_id)
                if owner != item.plan.plugin_id:
                    clash = f"{kind} {entry['id']} belongs to {owner}"
                    problems.append(CollisionError(item.plan.plugin_id, [clash]))
    return problems


def _ask(item: _Checked, workshop: Workshop, consent: Consent) -> None:
    """Ask for what was not accepted before.

    Raises:
        ConsentRefusedError: the person did not accept.
    """
    plugin = workshop.store.plugins().get(item.plan.plugin_id)
    accepted = set(plugin.permissions) if plugin is not None else set()
    allowed = effective(plugin.limits if plugin is not None else {}, {})
    more = asks(item.description.manifest.limits, allowed)
    if workshop.options.yes or (set(item.permissions) <= accepted and not more):
        return
    workshop.say(item.plan.plugin_id, "consent", f"asks for {', '.join((*item.permissions, *more))}")
    if not consent.ask(item.description, item.permissions):
        raise ConsentRefusedError(item.plan.plugin_id)


def _lay_down_all(verified: Sequence[tuple[_Checked, VerifiedArtifact]], workshop: Workshop) -> list[_Built]:
    """Make every generation, in its final place; none stays when one fails."""
    built: list[_Built] = []
    try:
        for item, artifact in verified:
            built.append(_lay_down(item, artifact, workshop))
    except BaseException:
        _abandon(built, workshop)
        raise
    return built


def _lay_down(item: _Checked, artifact: VerifiedArtifact, workshop: Workshop) -> _Built:
    """Make a generation, in its final place."""
    store, plan, plugin_id = workshop.store, item.plan, item.plan.plugin_id
    entry, generation = store.begin_install(artifact)
    try:
        packages = plan.resolution.packages
        pairs = zip(packages, item.wheels, strict=True)
        wheels = [Wheel(package.sha256, package.filename, path) for package, path in pairs]
        workshop.say(
            plugin_id, "lay down", f"making a virtualenv with Python {plan.resolution.python.version}"
        )
        cache = store.layout.cache / "virtualenv"
        venv = environment.create(generation / "venv", plan.resolution.python.executable, cache=cache)
        environment.fill(
            venv,
            artifact,
            to_pylock(plan.resolution),
            wheels,
            plan.spec.text,
            Shelf(store.layout, entry.scratch),
            lambda wheel, done: workshop.say(plugin_id, "lay down", wheel, done, len(wheels)),
        )
    except BaseException:
        store.abandon_install(entry)
        raise
    return _Built(item, artifact, entry, venv)


def _switch_to_all(
    built: Sequence[_Built],
    workshop: Workshop,
    clock: Clock,
    outcomes: Sequence[InstallOutcome],
    check: Callable[[], None],
) -> list[InstallOutcome]:
    """Switch to the new generations, one after the other; after one that fails, to no further.

    Other processes may have changed the store while these were resolved and built: it is looked at again.
    """
    outcomes = list(outcomes)
    for number, made in enumerate(built):
        plugin_id = made.item.plan.plugin_id
        previous = workshop.store.plugins().get(plugin_id)
        try:
            workshop.say(plugin_id, "activate", f"{plugin_id} {made.item.plan.resolution.plugin.version}")
            receipt = _receipt(made.item, made.venv, workshop, clock)
            installed = workshop.store.commit_install(made.entry, made.artifact, receipt, clock, check)
            note_consent(workshop.store, made.item.description, clock, fresh=previous is None)
            note_trust(workshop.store, made.artifact, workshop.options.allow_downgrade, clock)
        except BaseException as error:
            _abandon(built[number:], workshop)
            if isinstance(error, ViloError):
                raise_all([error], outcomes)
            raise
        outcomes.append(_outcome(installed, made, previous))
    for made in built:
        version = made.item.plan.resolution.plugin.version
        workshop.say(made.item.plan.plugin_id, "done", f"{made.item.plan.plugin_id} {version} is installed")
    return outcomes


def _abandon(built: Sequence[_Built], workshop: Workshop) -> None:
    with ExitStack() as each:  # one that cannot be ended does not keep the others
        for made in built:
            each.callback(workshop.store.abandon_install, made.entry)


def _receipt(
    item: _Checked, venv: environment.Environment, workshop: Workshop, clock: Clock
) -> dict[str, Any]:
    """Return what is kept of an installation; what concerns trust the store adds itself."""
    plan, description = item.plan, item.description
    dev = plan.source == "dev"
    return {
        "name": description.name,
        "summary": description.summary,
        "author": description.author,
        "license": description.license,
        "entry_point": workshop.options.runs_instead or description.entry_point.value,
        "manifest": description.manifest.to_json(),
        "source": plan.source,
        "requested": plan.spec.text,
        "dev_source": str(plan.spec.path) if dev else None,
        **(workshop.origin_of(plan.plugin_id).to_json() if plan.source in RESOLVED else {"index_url": None}),
        "permissions": list(item.permissions),
        "python_version": venv.python_version,
        "base_prefix": str(venv.base_prefix),
        "base_executable": str(venv.base_executable),
        "packages": [
            {"name": p.name, "version": p.version, "filename": p.filename, "sha256": p.sha256}
            for p in plan.resolution.packages
        ],
        "notes": list(item.notes),
        "installed_at": timestamp(clock),
        "installed_by": f"viloapp-core {_core_version()}",
    }


def _core_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("viloapp-core")
    except PackageNotFoundError:
        return "unknown"


def _outcome(installed: InstalledPlugin, made: _Built, previous: InstalledPlugin | None) -> InstallOutcome:
    item = made.item
    notes = [
        *item.notes,
        *(filter(None, [told(made.move)]) if made.move else ()),
        *([installed.dependencies] if installed.dependencies else []),
    ]
    if not installed.enabled:
        notes.append(
            f"it stays disabled ({installed.reason or 'no reason given'}): viloapp enable it to use it"
        )
    return InstallOutcome(
        plugin_id=installed.plugin_id,
        version=installed.version,
        status="installed",
        previous_version=previous.version if previous is not None else None,
        source=installed.source,
        signature=installed.signature,
        python_version=installed.python_version,
        packages=tuple(f"{p.name}=={p.version}" for p in item.plan.resolution.packages),
        permissions=installed.permissions,
        notes=tuple(notes),
        generation=installed.generation,
        publisher=installed.publisher,
        settings=as_json(made.move) if made.move else None,
    )


def _unchanged(plugin: InstalledPlugin) -> InstallOutcome:
    return InstallOutcome(
        plugin_id=plugin.plugin_id,
        version=plugin.version,
        status="unchanged",
        previous_version=plugin.version,
        source=plugin.source,
        signature=plugin.signature,
        python_version=plugin.python_version,
        packages=(),
        permissions=plugin.permissions,
        notes=("it is installed already; --force-reinstall makes it anew",),
        generation=plugin.generation,
        publisher=plugin.publisher,
    )


def would_move(store: Store, plan: Plan) -> belongings.Move | None:
    """Return what would become of settings and data with a plan; None where that is not known.

    Raises:
        ViloError: as `judged` does.
    """
    if plan.description is None:
        return None
    return judged(store, plan.plugin_id, plan.description.manifest.to_json())


def _would_install(plan: Plan, store: Store) -> InstallOutcome:
    previous = store.plugins().get(plan.plugin_id)
    move = would_move(store, plan)
    return InstallOutcome(
        plugin_id=plan.plugin_id,
        version=plan.resolution.plugin.version,
        status="would install",
        previous_version=previous.version if previous is not None else None,
        source=plan.source,
        signature="dev" if plan.source == "dev" else "verified at installation",
        python_version=plan.resolution.python.version,
        packages=tuple(f"{p.name}=={p.version}" for p in plan.resolution.packages),
        permissions=(),
        notes=(*plan.resolution.notes, *(filter(None, [told(move)]) if move else ())),
        generation=None,
        settings=as_json(move) if move else None,
    )
