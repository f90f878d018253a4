"""From what the user named to exact sets of wheels, with nothing of the store changed yet."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.foundation.paths import first_free
from viloapp_core.operations.errors import SpecError
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.unbundling import plan_bundle
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import (
    OWN_NAMES,
    Resolution,
    Target,
    build_editable,
    candidates,
    lock,
)
from viloapp_core.store import InstalledPlugin
from viloapp_core.store import archives as archive
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from viloapp_core.manifest import PluginDescription


def satisfied(spec: Spec, installed: Mapping[str, InstalledPlugin]) -> InstalledPlugin | None:
    """Return the installed plugin that already fulfils a requirement, as pip would leave it alone."""
    from packaging.requirements import Requirement

    plugin = installed.get(spec.plugin_id)
    if spec.kind != "index" or plugin is None or plugin.source == "dev":
        return None
    allowed = Requirement(spec.requirement).specifier
    return plugin if allowed.contains(plugin.version, prereleases=True) else None


def is_unchanged(plan: Plan, workshop: Workshop) -> bool:
    """Return whether exactly these wheels are installed already, from the same kind of place."""
    if workshop.options.force_reinstall or plan.plugin_id not in workshop.store.plugins():
        return False
    receipt = workshop.store.receipt(plan.plugin_id)
    wanted = (plan.resolution.digest, plan.source, str(plan.spec.path) if plan.source == "dev" else None)
    return wanted == (receipt.get("lock_digest"), receipt.get("source"), receipt.get("dev_source"))


def plan(spec: Spec, workshop: Workshop, *, constraints: Sequence[str] = ()) -> Plan:
    """Resolve one spec.

    Args:
        spec: what the user named, or what that requires.
        workshop: what to work with.
        constraints: what others say of a requirement's version, in pip's syntax.

    Raises:
        ViloError: of `manifest`, `resolve` or `operations`: it cannot be installed, and why.
    """
    from packaging.specifiers import SpecifierSet

    if spec.kind == "bundle":
        return plan_bundle(spec, workshop)
    if spec.kind == "index":
        bundled = spec.plugin_id in OWN_NAMES
        target = Target(spec.plugin_id, spec.requirement, constraints=tuple(constraints))
        resolution = _lock(target, SpecifierSet(), workshop)
        return Plan(spec, spec.plugin_id, "bundled" if bundled else "index", resolution)
    wheel, description = _take_wheel(spec, workshop)
    sha256 = archive.sha256_of(wheel)
    beside = workshop.options.beside if spec.kind == "dev" else ()
    target = Target(description.plugin_id, wheel.as_uri(), file_sha256=sha256, beside=beside)
    resolution = _lock(target, description.requires_python, workshop)
    return Plan(spec, description.plugin_id, spec.kind, resolution, description)


def _lock(target: Target, requires_python: SpecifierSet, workshop: Workshop) -> Resolution:
    plugin = target.plugin_id
    workshop.say(plugin, "resolve", f"resolving {plugin}")
    found = candidates(
        workshop.options.python,
        requires_python,
        cache=workshop.store.layout.cache / "interpreters",
        environ=workshop.environ,
    )
    try:
        resolution = lock(
            target,
            interpreters=found,
            sources=workshop.sources_of(plugin),
            wheels=workshop.wheels,
            pip=workshop.pip(plugin, "resolve"),
            explain=lambda line: workshop.say(plugin, "resolve", line),
        )
    except ViloError as error:
        _say_where(error, plugin, workshop)
        raise
    if (
        not resolution.notes
        and workshop.options.python is None
        and resolution.python.series != _host_series()
    ):
        why = f"uses Python {resolution.python.version}, since it requires Python {requires_python}"
        resolution = replace(resolution, notes=(why,))
    for note in resolution.notes:
        workshop.say(plugin, "resolve", note)
    count = len(resolution.packages)
    workshop.say(plugin, "lock", f"{plugin} {resolution.plugin.version}: {count} wheels, locked by hash")
    return resolution


def _say_where(error: ViloError, plugin_id: str, workshop: Workshop) -> None:
    """Add to an error where what is installed was looked for, and how to look elsewhere."""
    like = workshop.adopted.get(plugin_id, plugin_id)
    if workshop.options.index_url is None and like in workshop.store.plugins():
        where = f"looked at {workshop.origin_of(plugin_id)}, where {like} came from"
        again = "for another place, or to log in: --index-url URL"
        error.hint = "; ".join(filter(None, (error.hint, where, again)))


def _host_series() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _take_wheel(spec: Spec, workshop: Workshop) -> tuple[Path, PluginDescription]:
    """Return a copy of the user's wheel, or the wheel built from the user's folder, and what it describes.

    The copy is what is hashed, locked and installed, whatever becomes of the user's file meanwhile.
    """
    from viloapp_core import manifest

    assert spec.path is not None
    folder = first_free(workshop.scratch, "spec")
    folder.mkdir()
    if spec.kind == "dev":
        return _build(spec.path, folder, workshop)
    wheel = folder / spec.path.name
    try:
        wheel.write_bytes(spec.path.read_bytes())
    except OSError as error:
        raise SpecError(f"{spec.text} cannot be read: {error.strerror}") from error
    return wheel, manifest.read_wheel(wheel)


def _build(source: Path, folder: Path, workshop: Workshop) -> tuple[Path, PluginDescription]:
    """Build an editable wheel of a folder whose manifest is known to be good, as far as it can be without."""
    from viloapp_core import manifest

    described = None
    try:
        described = manifest.read_source(source)
    except manifest.ManifestError as error:
        if any(issue.path != "project.version" for issue in error.issues):
            raise  # but for a version that only a build knows, a build would not help
    workshop.say(described.plugin_id if described else source.name, "resolve", f"building {source}")
    wheel = build_editable(
        source,
        folder,
        sources=workshop.sources,
        wheels=workshop.wheels,
        environ=workshop.environ,
        cancel=workshop.cancel,
    )
    try:
        return wheel, manifest.read_wheel(wheel)
    except manifest.ManifestError:
        # The editable wheels of most backends hold no file of the package, and so no plugin.json.
        if described is None:
            raise
        return wheel, described
