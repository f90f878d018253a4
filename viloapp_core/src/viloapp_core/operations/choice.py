"""One plugin, in the newest version that all who need it accept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from viloapp_core.operations import planning
from viloapp_core.operations.fetching import fetch_wheels
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import (
    OWN_NAMES,
    Demand,
    NoVersionFitsError,
    PipError,
    UnsatisfiableError,
    accept,
    candidates,
    newest,
)
from viloapp_core.store import archives as archive


def choose(spec: Spec, demands: Sequence[Demand], workshop: Workshop) -> Plan:
    """Resolve one plugin by its name, within what all say of it, and read what it says of others.

    Args:
        spec: a requirement.
        demands: what all say of its version, the person included.
        workshop: what to work with.

    Raises:
        NoVersionFitsError: no version suits all that need it.
        ViloError: it cannot be installed, and why.
    """
    if spec.plugin_id in OWN_NAMES and spec.plugin_id in workshop.wheels:
        version = _version_of(workshop, spec.plugin_id)
        if any(demand.who for demand in demands) and not accept(demands, version):
            raise none_of(spec.plugin_id, demands, [version])
        demands = ()  # the core's own wheel it is, whatever the index has
    said = [f"{spec.plugin_id}{demand.specifier}" for demand in demands if demand.who and demand.specifier]
    try:
        return _described(planning.plan(spec, workshop, constraints=said), workshop)
    except (UnsatisfiableError, PipError) as error:
        if not any(demand.who for demand in demands):
            raise
        versions = _versions(spec.plugin_id, workshop)
        if newest(versions, demands) is not None:
            raise  # it has to do with what the plugin itself needs
        raise none_of(spec.plugin_id, demands, versions) from error


def none_of(plugin_id: str, demands: Sequence[Demand], versions: Sequence[str]) -> NoVersionFitsError:
    """Return the error that says what each wants, and which versions there are."""
    return NoVersionFitsError(plugin_id, map(str, demands), versions)


def _version_of(workshop: Workshop, plugin_id: str) -> str:
    from packaging.utils import parse_wheel_filename

    return str(parse_wheel_filename(workshop.wheels[plugin_id].name)[1])


def _versions(plugin_id: str, workshop: Workshop) -> list[str]:
    """Return all versions that the index and the folders have."""
    from packaging.specifiers import SpecifierSet

    cache = workshop.store.layout.cache / "interpreters"
    for python in candidates(None, SpecifierSet(), cache=cache, environ=workshop.environ):
        return workshop.pip(plugin_id, "resolve").versions(python, plugin_id, workshop.sources_of(plugin_id))
    return []


def _described(plan: Plan, workshop: Workshop) -> Plan:
    """Return a plan with what the plugin's own wheel says; that one is fetched for it."""
    from viloapp_core import manifest

    if plan.description is not None:
        return plan
    own = plan.resolution.plugin
    fetch_wheels(plan, [own], workshop)
    folder = workshop.scratch / f"own-{own.sha256}"
    folder.mkdir(exist_ok=True)
    pair = (own.sha256, own.filename)
    (wheel,) = archive.link_farm(workshop.store.layout, [pair], folder)
    return replace(plan, description=manifest.read_wheel(wheel))
