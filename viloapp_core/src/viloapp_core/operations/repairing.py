"""Environments that broke, made again from what the store holds; nothing is fetched."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viloapp_core.foundation.clock import Clock, SystemClock, timestamp
from viloapp_core.foundation.paths import first_free
from viloapp_core.operations.errors import OperationError, raise_all
from viloapp_core.operations.outcomes import RepairOutcome
from viloapp_core.resolve import Interpreter, candidates
from viloapp_core.resolve.compatibility import misfits
from viloapp_core.store import NotInstalledError, Store, StoreError, archives, environment, journal, truth
from viloapp_core.store.checking import Problem, check
from viloapp_core.store.receipts import describe_archived, facts_of
from viloapp_core.store.unpacked import Shelf, Wheel
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.trust import VerifiedArtifact


class NotRepairableError(OperationError):
    """A plugin cannot be made again from what the store holds."""

    def __init__(self, plugin_id: str, why: str) -> None:
        super().__init__(
            "not_repairable",
            f"{plugin_id} cannot be repaired: {why}",
            f"viloapp install --force-reinstall {plugin_id}",
        )


def repair(
    store: Store,
    plugin_ids: Sequence[str] = (),
    *,
    check_only: bool = False,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> list[RepairOutcome]:
    """Find what is broken and make it again from its lock and the wheels of the store, without any network.

    A plugin gets a new generation of the same wheels. Damaged wheels and archives that belong to no plugin
    alone are taken away; they are fetched again when somebody needs them.

    Args:
        store: where.
        plugin_ids: which plugins; everything when empty.
        check_only: say what is broken, and change nothing.
        environ: the user's environment, for finding interpreters.
        clock: for the receipts.

    Raises:
        NotInstalledError: one is not installed.
        NotRepairableError: one cannot be made again, and why.
        SeveralProblemsError: several of these; what could be repaired is.
    """
    from packaging.utils import canonicalize_name

    if not check_only:
        store.recover()
    problems = check(store)
    wanted = {canonicalize_name(each) for each in plugin_ids}
    present = {*store.plugins(), *truth.installed_ids(store.layout)}
    raise_all([NotInstalledError(plugin_id) for plugin_id in sorted(wanted - present)])
    broken: dict[str, list[str]] = {}
    for problem in problems:
        if not wanted or problem.plugin_id in wanted:
            broken.setdefault(problem.plugin_id, []).append(problem.what)
    status: Literal["broken", "repaired"] = "broken" if check_only else "repaired"
    outcomes = [RepairOutcome(each, status, tuple(what)) for each, what in sorted(broken.items())]
    if check_only:
        return outcomes
    if "" in broken:
        _take_away(store, [problem for problem in problems if problem.path is not None])
    failed: list[ViloError] = []
    for plugin_id in sorted(broken.keys() - {""}):
        try:
            _rebuild(store, plugin_id, environ, clock or SystemClock())
        except ViloError as error:
            failed.append(error)
    raise_all(failed)
    return outcomes


def _take_away(store: Store, problems: Sequence[Problem]) -> None:
    """Remove damaged wheels and archives; the index is written anew on the way."""
    entry = store.begin("repair")
    try:
        with store.locked():
            for problem in problems:
                if problem.path is not None and problem.path.exists():
                    os.replace(problem.path, first_free(entry.scratch, problem.path.name))
    finally:
        entry.close()
    store.set_enabled([], True)


def _rebuild(store: Store, plugin_id: str, environ: Mapping[str, str], clock: Clock) -> None:
    """Make a plugin's current generation again, beside the broken one, and switch to it."""
    name = truth.current_generation(store.layout, plugin_id)
    if name is None:
        raise NotRepairableError(plugin_id, "its generation is gone")
    broken = store.layout.generations(plugin_id) / name
    lock = _read_lock(plugin_id, broken)
    wheels = [_wheel(store, plugin_id, each) for each in lock["packages"]]
    wheels.sort(key=lambda wheel: _name(wheel) != plugin_id)
    receipt = _receipt(store, plugin_id, broken)
    python = _interpreter(store, plugin_id, lock, [wheel.filename for wheel in wheels], environ)
    artifact = verify_again(store, plugin_id, broken, wheels[0], receipt, clock)
    entry, generation = store.begin_install(artifact)
    try:
        cache = store.layout.cache / "virtualenv"
        venv = environment.create(generation / "venv", python.executable, cache=cache)
        shelf, data = Shelf(store.layout, entry.scratch), (broken / "pylock.toml").read_bytes()
        environment.fill(venv, artifact, data, wheels, str(receipt.get("requested", plugin_id)), shelf)
        receipt |= _facts(store, wheels[0], receipt, lock)
        receipt |= {
            "python_version": venv.python_version,
            "base_prefix": str(venv.base_prefix),
            "base_executable": str(venv.base_executable),
            "repaired_at": timestamp(clock),
        }
        receipt.setdefault("replaces", None)  # not the broken one
        store.commit_install(entry, artifact, receipt, clock)
    except BaseException:
        store.abandon_install(entry)
        raise
    _discard(store, broken)


def _facts(store: Store, own: Wheel, receipt: Mapping[str, Any], lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the wheels say that a receipt repeats: whatever somebody wrote into the old one."""
    packages = [
        {"name": each["name"], "version": each["version"], "filename": wheel["name"], **wheel["hashes"]}
        for each in lock["packages"]
        for wheel in each["wheels"]
    ]
    described = describe_archived(store.layout, own.sha256, own.filename)
    if described is None or receipt.get("source") == "dev":
        return {"packages": packages}
    return {"packages": packages, **facts_of(described)}


def verify_again(
    store: Store, plugin_id: str, generation: Path, own: Wheel, receipt: Mapping[str, Any], clock: Clock
) -> VerifiedArtifact:
    """Verify what a generation was made of from the evidence that lies in it; nobody is asked again.

    Raises:
        TrustError: it does not hold any more: it was changed, is blocked, or another publisher is pinned.
    """
    from viloapp_core import trust
    from viloapp_core.store.binding import read_lock

    digest = read_lock((generation / "pylock.toml").read_bytes()).digest
    subject = trust.Subject(plugin_id, str(receipt["version"]), own.filename, own.sha256, digest)
    if receipt.get("source") == "dev":
        return trust.accept_dev(subject, Path(str(receipt.get("dev_source"))), now=clock.now())
    keeper = trust.TrustStore(store.root)
    now = clock.now()
    book, blocks = keeper.read(), keeper.blocks(now)
    signature = trust.read_evidence(generation, str((receipt.get("trust") or {}).get("evidence", "")))
    if signature is None:
        return trust.accept_unsigned(subject, book=book, blocks=blocks, now=clock.now(), allow_downgrade=True)
    authority = keeper.authority(now)
    examination = trust.examine(
        subject, signature, authority=authority, book=book, blocks=blocks, allow_downgrade=True
    )
    return trust.verify(examination, now=clock.now())


def _discard(store: Store, broken: Path) -> None:
    """Take the broken generation away, so that nothing leads back to it."""
    entry: journal.Entry = store.begin("repair")
    try:
        os.replace(broken, first_free(entry.scratch, broken.name))
    finally:
        entry.close()


def _read_lock(plugin_id: str, generation: Path) -> dict[str, Any]:
    try:
        lock = tomllib.loads((generation / "pylock.toml").read_text("utf-8"))
        for package in lock["packages"]:
            package["name"], package["wheels"][0]["hashes"]["sha256"], package["wheels"][0]["name"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NotRepairableError(plugin_id, f"its pylock.toml cannot be read: {error}") from error
    return lock


def _wheel(store: Store, plugin_id: str, package: Mapping[str, Any]) -> Wheel:
    wheel = package["wheels"][0]
    sha256, filename = wheel["hashes"]["sha256"], wheel["name"]
    if archives.is_intact(store.layout, sha256, filename):
        return Wheel(sha256, filename, archives.path_of(store.layout, sha256))
    if store.layout.wheel(sha256).is_dir():
        return Wheel(sha256, filename, None)
    raise NotRepairableError(plugin_id, f"the store has neither {filename} nor what was in it")


def _name(wheel: Wheel) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(wheel.filename.partition("-")[0])


def _receipt(store: Store, plugin_id: str, generation: Path) -> dict[str, Any]:
    try:
        receipt: dict[str, Any] = dict(truth.read_receipt(generation))
    except StoreError as error:
        why = "its receipt is lost, and with it what you allowed it"
        raise NotRepairableError(plugin_id, why) from error
    return receipt


def _interpreter(
    store: Store,
    plugin_id: str,
    lock: Mapping[str, Any],
    filenames: Sequence[str],
    environ: Mapping[str, str],
) -> Interpreter:
    """Return the interpreter nearest to the one that the lock is for, for which all its wheels are."""
    from packaging.specifiers import SpecifierSet

    series = str(lock.get("requires-python", "")).removeprefix("==").removesuffix(".*")
    found = list(candidates(None, SpecifierSet(), cache=store.layout.cache / "interpreters", environ=environ))
    found.sort(key=lambda each: each.series != series)
    for interpreter in found:
        if not misfits(interpreter.series, filenames):
            return interpreter
    there = ", ".join(each.version for each in found) or "none"
    raise NotRepairableError(plugin_id, f"its wheels are for Python {series}; there is {there}")
