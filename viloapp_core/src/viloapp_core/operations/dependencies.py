"""From what the user named to plans of all plugins that it takes, in versions that all dependents accept.

Each plugin is resolved by itself, into a virtualenv of its own. What its dependents say of its version goes
to pip as constraints, so that pip picks the newest that all accept. A plugin is resolved again when one that
was resolved after it says more; what is installed already and fits stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from viloapp_core.operations import planning
from viloapp_core.operations.choice import choose, none_of
from viloapp_core.operations.errors import SpecError, raise_all
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import (
    OWN_NAMES,
    Demand,
    Related,
    Relations,
    ResolveError,
    accept,
    demands_on,
    load_order,
    refusals,
    requirements,
)
from viloapp_core.store import InstalledPlugin, Store
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription

# How often one plugin is resolved in one operation. Two that say of each other, version by version, what no
# pair of versions meets would go on for ever.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Settled:
    """What an installation comes to."""

    plans: tuple[Plan, ...]
    """What is to be installed, each after all that it requires."""
    kept: tuple[str, ...]
    """Ids of what was named and stays as it is."""


def settle(parsed: Sequence[Spec], workshop: Workshop, *, upgrade: bool = False) -> Settled:
    """Resolve what was named and every plugin that it requires.

    Args:
        parsed: what was named.
        workshop: what to work with.
        upgrade: resolve what was named even where an installed version meets it.

    Raises:
        ViloError: they cannot be installed together with what is; all reasons at once.
    """
    survey = _Survey(workshop)
    survey.take(parsed, upgrade=upgrade or workshop.options.force_reinstall)
    raise_all(survey.problems)
    survey.complete()
    raise_all(survey.problems)
    plans = survey.needed()
    incoming = [relations_of(plan.plugin_id, plan.resolution.python.version, plan) for plan in plans]
    raise_all(speaks_against(workshop.store, incoming))
    order = load_order(incoming)
    return Settled(tuple(sorted(plans, key=lambda p: order.index(p.plugin_id))), tuple(survey.kept))


def relations_of(plugin_id: str, python_version: str, source: Plan | PluginDescription) -> Relations:
    """Return what a plugin that is about to be installed says of others."""
    description = source.description if isinstance(source, Plan) else source
    assert description is not None
    manifest = description.manifest
    return Relations(
        plugin_id,
        str(description.version),
        python_version,
        manifest.requires_plugins,
        manifest.conflicts,
        manifest.load_after,
        manifest.load_before,
    )


def speaks_against(
    store: Store,
    incoming: Sequence[Related],
    leaving: frozenset[str] = frozenset(),
    disabling: frozenset[str] = frozenset(),
) -> list[ResolveError]:
    """Return why plugins may not be installed: conflicts, versions, what is missing, cycles.

    Args:
        store: where to.
        incoming: what would be installed.
        leaving: ids of plugins that go in the same operation.
        disabling: ids of plugins that are disabled in the same operation.
    """
    installed = store.plugins()
    after: dict[str, Related] = {key: plugin for key, plugin in installed.items() if key not in leaving}
    after |= {plugin.plugin_id: plugin for plugin in incoming}
    # What the user disabled stays disabled; what comes is enabled.
    enabled = {key for key in after if key not in installed or installed[key].enabled} - disabling
    return refusals(after, enabled=enabled, touched=[plugin.plugin_id for plugin in incoming])


@dataclass
class _Survey:
    """What is known while plugins are resolved one after the other."""

    workshop: Workshop
    plans: dict[str, Plan] = field(default_factory=dict)
    kept: dict[str, None] = field(default_factory=dict)
    named: dict[str, Spec] = field(default_factory=dict)
    problems: list[ViloError] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    hopeless: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.installed: Mapping[str, InstalledPlugin] = self.workshop.store.plugins()

    # What was named

    def take(self, parsed: Sequence[Spec], *, upgrade: bool) -> None:
        """Resolve what was named, files first: they leave no choice."""
        waiting = {spec.plugin_id for spec in parsed if spec.kind == "index"}
        for spec in sorted(parsed, key=lambda spec: spec.kind == "index"):
            try:
                if spec.kind != "index":
                    self._enter(spec, planning.plan(spec, self.workshop))
                    continue
                if not upgrade and planning.satisfied(spec, self.installed) is not None:
                    self._enter(spec, None)
                    continue
                # Those that are about to be replaced do not have their say any more.
                others = self._demands(spec.plugin_id, without=waiting)
                self._enter(spec, choose(spec, [_asked(spec), *others], self.workshop))
            except ViloError as error:
                self.problems.append(error)
            waiting.discard(spec.plugin_id)

    def _enter(self, spec: Spec, plan: Plan | None) -> None:
        plugin_id = spec.plugin_id if plan is None else plan.plugin_id
        if (other := self.named.get(plugin_id)) is not None:
            raise SpecError(f"{other.text} and {spec.text} are both {plugin_id}", "name one of them")
        self.named[plugin_id] = spec
        if plan is None:
            self.kept[plugin_id] = None
        else:
            self._put(plan)

    def _put(self, plan: Plan) -> None:
        """Take a plan in place of an earlier one; what is installed exactly so already is left alone."""
        plugin_id = plan.plugin_id
        self.kept.pop(plugin_id, None)
        self.plans.pop(plugin_id, None)
        if not planning.is_unchanged(plan, self.workshop):
            self.plans[plugin_id] = plan
        elif plugin_id in self.named:
            self.kept[plugin_id] = None

    # What that requires

    def complete(self) -> None:
        """Resolve what is required and missing, or there in a version that one does not accept."""
        while (found := self._unsettled()) is not None:
            plugin_id, demands = found
            try:
                self._resolve_again(plugin_id, demands)
            except ViloError as error:
                self.problems.append(error)
                self.hopeless.add(plugin_id)

    def _unsettled(self) -> tuple[str, list[Demand]] | None:
        after = self._after()
        for plugin_id in sorted(self._reached(after) - self.hopeless):
            demands = self._demands(plugin_id)
            if plugin_id not in after or not accept(demands, after[plugin_id].version):
                return plugin_id, demands
        return None

    def _resolve_again(self, plugin_id: str, demands: list[Demand]) -> None:
        """Resolve a plugin that was not named, or one that was by what others say of it too."""
        there = self.plans.get(plugin_id) or self.installed.get(plugin_id)
        fixed = isinstance(there, Plan) and there.source != "index"
        self.attempts[plugin_id] += 1
        if there is not None and (fixed or there.source == "dev" or self.attempts[plugin_id] > _ATTEMPTS):
            raise none_of(plugin_id, demands, [self._after()[plugin_id].version])
        if (spec := self.named.get(plugin_id)) is not None:
            plan = choose(spec, demands, self.workshop)
        else:
            # The interpreter was chosen for what was named; the others have their own.
            self._adopt(plugin_id, demands)
            options = replace(self.workshop.options, python=None)
            spec = Spec(plugin_id, "index", requirement=plugin_id, plugin_id=plugin_id)
            plan = choose(spec, demands, replace(self.workshop, options=options))
        self._put(plan)

    def _adopt(self, plugin_id: str, demands: Sequence[Demand]) -> None:
        """Have a plugin that is new come from where those came from that require it.

        Raises:
            SpecError: they came from several places, and it may be another plugin at each.
        """
        if plugin_id in self.installed or plugin_id in OWN_NAMES:
            return
        by = {self.workshop.origin_of(demand.who): demand.who for demand in demands if demand.who}
        if len(by) > 1:
            said = "; ".join(f"{who} came from {origin}" for origin, who in by.items())
            raise SpecError(
                f"{plugin_id} is required by plugins of several places: {said}",
                f"install it first: viloapp install {plugin_id} --index-url URL",
            )
        for who in by.values():
            self.workshop.adopted[plugin_id] = self.workshop.adopted.get(who, who)

    def needed(self) -> list[Plan]:
        """Return the plans of what was named and of what that requires, each saying who needs it."""
        reached, after = self._reached(self._after()), self._after()
        plans = []
        for plugin_id, plan in self.plans.items():
            if plugin_id not in reached:
                continue  # required by a version that was given up
            if plugin_id not in self.named:
                who = sorted({demand.who for demand in demands_on(plugin_id, after.values())} & reached)
                notes = (*plan.resolution.notes, f"required by {', '.join(who)}")
                plan = replace(plan, resolution=replace(plan.resolution, notes=notes))
            plans.append(plan)
        return plans

    def _after(self) -> dict[str, Related]:
        after: dict[str, Related] = dict(self.installed)
        for plugin_id, plan in self.plans.items():
            after[plugin_id] = relations_of(plugin_id, plan.resolution.python.version, plan)
        return after

    def _reached(self, after: Mapping[str, Related]) -> set[str]:
        """Return what was named and everything that it requires, through whatever is there."""
        reached: set[str] = set()
        waiting = list(self.named)
        while waiting:
            plugin_id = waiting.pop()
            if plugin_id in reached:
                continue
            reached.add(plugin_id)
            if (plugin := after.get(plugin_id)) is not None:
                waiting += [name for name, _ in requirements(plugin, plugin.requires_plugins)]
        return reached

    def _demands(self, plugin_id: str, without: Collection[str] = ()) -> list[Demand]:
        """Return what everyone says of a plugin's version, the person first."""
        others = [plugin for key, plugin in self._after().items() if key not in without]
        spec = self.named.get(plugin_id)
        asked = [] if spec is None or spec.kind != "index" else [_asked(spec)]
        return [*asked, *demands_on(plugin_id, others)]


def _asked(spec: Spec) -> Demand:
    """Return what the person says of a version."""
    from packaging.requirements import Requirement

    return Demand("", "", spec.plugin_id, str(Requirement(spec.requirement).specifier))
