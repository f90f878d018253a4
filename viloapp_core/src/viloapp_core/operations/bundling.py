"""Make what is given to others: wheel and source distribution, or a bundle with everything it imports."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import write_atomic
from viloapp_core.foundation.paths import first_free
from viloapp_core.operations import bundle_archive, bundle_format, planning, specs
from viloapp_core.operations.contents import content_issues, lacking_catalogues
from viloapp_core.operations.errors import ContentsError, NotLockableError, SpecError, raise_all
from viloapp_core.operations.installing import inspect, workshop_of
from viloapp_core.operations.outcomes import InstallOptions, Progress, silent
from viloapp_core.operations.signatures import find_signature
from viloapp_core.operations.specs import Spec
from viloapp_core.operations.syncing import plan_installed
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.resolve import compatibility
from viloapp_core.resolve.editable import Built, build_distributions
from viloapp_core.store import Store
from viloapp_core.store import archives as archive
from viloapp_core.store.audit import audit
from viloapp_core.trust import BundleSignature, ProvenanceSignature


@dataclass(frozen=True)
class PackageOutcome:
    """What was packaged."""

    path: Path
    """Of the bundle, or of the wheel."""
    plugin_id: str
    version: str
    sha256: str
    """Of the file."""
    python_version: str
    """The series that it is for; empty for a wheel alone."""
    packages: tuple[str, ...]
    """``name==version`` of each wheel in it, the plugin's own first."""
    notes: tuple[str, ...] = ()
    sdist: Path | None = None
    """The source distribution that lies beside a wheel."""


def package(
    store: Store,
    what: str,
    output: Path,
    *,
    bundle: bool = True,
    options: InstallOptions | None = None,
    progress: Progress = silent,
    environ: Mapping[str, str] = os.environ,
    cancel: threading.Event | None = None,
    wheels: Mapping[str, Path] | None = None,
) -> PackageOutcome:
    """Make a bundle of a plugin and all it imports, or its wheel and its source distribution.

    Args:
        store: keeps what is fetched; an installed plugin is taken from it.
        what: a plugin's folder, a wheel, the id of an installed plugin, or a requirement.
        output: the folder that gets the file; made when it is not there.
        bundle: make a bundle; otherwise `what` is a folder, and its wheel and source distribution are made.
        options: index, folders with wheels, interpreter.
        progress: told each step.
        environ: the user's environment; its ``SOURCE_DATE_EPOCH`` is the time that is written.
        cancel: ends the operation when set.
        wheels: the wheelhouse; the core's own when None.

    Raises:
        ViloError: nothing was made and why.
    """
    epoch = _epoch(environ)
    store.recover()
    chosen = options or InstallOptions()
    with (
        _writable(output),
        workshop_of(
            store, chosen, progress=progress, environ=environ, cancel=cancel, wheels=wheels
        ) as workshop,
    ):
        if bundle:
            return _bundle(_plan(what, workshop, epoch), output, epoch, workshop)
        return _distributions(_folder(what), output, epoch, workshop)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Make a folder where it is missing, before anything long is begun; what fails leaves none behind.

    Raises:
        SpecError: it cannot be made, or written.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    elsewhere = "name another folder with -o"
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise SpecError(f"{folder} is not a folder", elsewhere) from None
        except OSError as error:
            raise SpecError(f"{folder} cannot be made: {error.strerror}", elsewhere) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise SpecError(f"{folder} cannot be written", elsewhere)
        yield
    except BaseException:
        for each in missing:  # the innermost first
            with suppress(OSError):  # it was not made, or somebody put something there
                each.rmdir()
        raise


def _epoch(environ: Mapping[str, str]) -> int:
    """Return the time to write, in seconds since 1970: what was asked for, else one that is always the same.

    Source: reproducible-builds.org, SOURCE_DATE_EPOCH. Wheels are zips, which begin in 1980.
    """
    text = environ.get("SOURCE_DATE_EPOCH", "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise SpecError(f"SOURCE_DATE_EPOCH is {text!r}, no number of seconds", "correct it or unset it")
    return max(int(text or 0), bundle_format.EPOCH)


def _plan(what: str, workshop: Workshop, epoch: int) -> Plan:
    from packaging.utils import canonicalize_name

    if _names_folder(what):
        built = _build(_folder(what), workshop, epoch).wheel
        return planning.plan(Spec(what, "wheel", path=built), workshop)
    parsed, problems = specs.parse([what], dev=False)
    raise_all(problems)
    (spec,) = parsed
    if spec.kind == "bundle":
        raise SpecError(f"{what} is a bundle already", "name a folder, a wheel, a requirement or a plugin")
    plugin = workshop.store.plugins().get(spec.plugin_id)
    if plugin is None or canonicalize_name(what) != plugin.plugin_id:
        return planning.plan(spec, workshop)
    if plugin.source == "dev":
        raise NotLockableError(
            f"{plugin.plugin_id} is installed from its folder with --dev",
            f"package the folder: viloapp package --bundle {plugin.dev_source}",
        )
    return plan_installed(plugin, workshop)


def _names_folder(what: str) -> bool:
    """Whether a folder is meant: what is only called like one is a plugin."""
    return (os.sep in what or what.startswith((".", "~"))) and Path(what).expanduser().is_dir()


def _folder(what: str) -> Path:
    folder = Path(what).expanduser().resolve()
    if not (folder / "pyproject.toml").is_file():
        raise SpecError(
            f"{what} is not the folder of a plugin",
            "name the folder that has pyproject.toml, or add --bundle",
        )
    return folder


def _build(folder: Path, workshop: Workshop, epoch: int) -> Built:
    """Build a folder; no plugin and broken texts are refused before it is built, secrets before they leave.

    Raises:
        ContentsError: what was built is not fit to be given away.
        UnsafeWheelError: nobody could install the wheel.
    """
    from viloapp_core import manifest

    plugin_id = manifest.read_source(folder).plugin_id
    manifest.check_catalogues(folder)
    workshop.say(plugin_id, "resolve", f"building {folder}")
    built = build_distributions(
        folder,
        first_free(workshop.scratch, "build"),
        epoch=epoch,
        sources=workshop.sources,
        wheels=workshop.wheels,
        environ=workshop.environ,
        cancel=workshop.cancel,
    )
    audit(built.wheel, own=True)
    issues = [*content_issues(built.sdist), *content_issues(built.wheel)]
    if issues := issues + lacking_catalogues(built.wheel, folder):
        raise ContentsError(plugin_id, issues)
    return built


def _distributions(folder: Path, output: Path, epoch: int, workshop: Workshop) -> PackageOutcome:
    """Put wheel and source distribution of a folder where they were asked for."""
    from viloapp_core import manifest

    built = _build(folder, workshop, epoch)
    description = manifest.read_wheel(built.wheel)
    target, sdist = output / built.wheel.name, output / built.sdist.name
    try:
        write_atomic(sdist, built.sdist.read_bytes(), 0o644)
        write_atomic(target, built.wheel.read_bytes(), 0o644)
    except FileError as error:
        raise SpecError(error.detail, "choose another folder with -o") from error
    name, version = description.plugin_id, str(description.version)
    digest = archive.sha256_of(target)
    return PackageOutcome(target, name, version, digest, "", (f"{name}=={version}",), sdist=sdist)


def _bundle(plan: Plan, output: Path, epoch: int, workshop: Workshop) -> PackageOutcome:
    """Fetch and judge what a plan needs, and write it into one file."""
    files, description, notes = inspect(plan, workshop)
    by_name = {path.name: path for path in files}
    sizes = {name: path.stat().st_size for name, path in by_name.items()}
    version, python = str(description.version), plan.resolution.python
    environments = [compatibility.environment()]
    lock = bundle_format.encode_lock(
        plan.plugin_id, python.series, environments, plan.resolution.packages, sizes
    )
    label = bundle_format.Label(plan.plugin_id, version, epoch)
    target = output / bundle_format.filename(plan.plugin_id, version)
    workshop.say(plan.plugin_id, "done", f"writing {target.name}")
    sha256 = bundle_archive.write(target, label, lock, by_name, _signatures(plan, workshop))
    packages = tuple(f"{item.name}=={item.version}" for item in plan.resolution.packages)
    return PackageOutcome(target, plan.plugin_id, version, sha256, python.series, packages, tuple(notes))


def _signatures(plan: Plan, workshop: Workshop) -> dict[str, bytes]:
    """Return the signature of the plugin's own wheel as a member, where it has one that lies in a bundle.

    The lock of the bundle is new, so that a signature over another lock is of no use to it.
    """
    signature = find_signature(plan, workshop)
    member = bundle_format.WHEELS + plan.resolution.plugin.filename
    if isinstance(signature, ProvenanceSignature):
        return {f"{member}.provenance": signature.data}
    return {f"{member}.sigstore.json": signature.data} if isinstance(signature, BundleSignature) else {}
