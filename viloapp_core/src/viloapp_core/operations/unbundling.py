"""Plan from bundles."""

from __future__ import annotations

from dataclasses import replace

from viloapp_core.foundation.paths import first_free
from viloapp_core.operations import bundle_archive
from viloapp_core.operations.errors import BundleError
from viloapp_core.operations.pinned import check_own_names, choose_python
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import Resolution


def plan_bundle(spec: Spec, workshop: Workshop) -> Plan:
    """Plan the installation of a bundle; no index is asked, whatever the options say.

    Raises:
        BundleError: the file is none; has every reason.
        OwnNameError: it has other wheels than the core's under one of our names.
        ResolveError: it does not fit this machine.
    """
    from viloapp_core import manifest

    assert spec.path is not None
    folder = first_free(workshop.scratch, "bundle")
    folder.mkdir()
    bundle = bundle_archive.extract(spec.path, folder)
    lock = bundle.lock
    wheel = folder / lock.plugin.filename
    workshop.say(lock.plugin_id, "resolve", f"reading {spec.path.name}")
    try:
        description = manifest.read_wheel(wheel)
    except manifest.ManifestError as error:
        raise BundleError(spec.path.name, error.detail.splitlines()) from error
    if (description.plugin_id, str(description.version)) != (lock.plugin_id, lock.plugin.version):
        reason = f"its wheel is {description.plugin_id} {description.version}"
        raise BundleError(spec.path.name, [f"says {lock.plugin_id} {lock.plugin.version}, and {reason}"])
    check_own_names(lock.plugin_id, lock.packages, workshop, named=True)
    requires_python = lock.requires_python & description.requires_python
    python = choose_python(lock.plugin_id, requires_python, lock.environments, lock.packages, workshop)
    packages = tuple(replace(package, url=(folder / package.filename).as_uri()) for package in lock.packages)
    workshop.say(lock.plugin_id, "lock", f"{lock.plugin_id} {lock.plugin.version}: {len(packages)} wheels")
    resolution = Resolution(python, packages)
    return Plan(spec, lock.plugin_id, "bundle", resolution, description, bundle.signature)
