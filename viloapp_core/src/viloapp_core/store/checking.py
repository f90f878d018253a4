"""Whether a store is what a finished change leaves: every invariant, checked without changing anything."""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import read_bytes
from viloapp_core.store import archives, index, journal, truth
from viloapp_core.store.errors import StoreError
from viloapp_core.store.generations import generations, incomplete, kept
from viloapp_core.store.layout import Layout
from viloapp_core.store.receipts import receipt_problems
from viloapp_core.store.store import Store
from viloapp_core.store.unpacked import DamagedError, Wheel, has_hash, verified


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be."""

    plugin_id: str
    """Whose it is; empty for what belongs to all."""
    what: str
    path: Path | None = None
    """What is damaged, where it can simply be made anew: a wheel or an archive."""


def check(store: Store) -> list[Problem]:
    """Return everything that is wrong with a store.

    Reads every file of every current generation and of the shared wheels. What a living process is changing
    at this moment is left out.
    """
    with store.locked():
        living = journal.living(store.layout.journal)
        found = list(_journal_problems(store, living))
        found += _index_problems(store)
    for plugin_id in sorted({*truth.installed_ids(store.layout), *store.plugins()}):
        found += [Problem(plugin_id, what) for what in plugin_problems(store, plugin_id, bool(living))]
    return found if living else [*found, *_wheel_problems(store)]


def plugin_problems(store: Store, plugin_id: str, changing: bool) -> Iterator[str]:
    """Yield what is wrong with one plugin: its generation in use, and the one kept for a rollback.

    Args:
        store: where it is.
        plugin_id: the plugin.
        changing: some change is under way, so that what is unfinished may yet be finished.
    """
    layout = store.layout
    name = truth.current_generation(layout, plugin_id)
    if name is None:
        yield "its current generation is gone"
        return
    yield from generation_problems(layout, layout.generations(plugin_id) / name)
    complete = generations(layout, plugin_id)
    for other in kept(complete):
        if not other.current and not (other.folder / "venv").is_dir():
            yield f"generation {other.name}, kept for a rollback, has no virtualenv"
    if not changing:
        for folder in incomplete(layout, plugin_id):
            if folder.name != name:
                yield f"generation {folder.name} was never finished"


def generation_problems(layout: Layout, folder: Path) -> Iterator[str]:
    """Yield what is wrong with a generation: its receipt, its lock, its interpreter, its files."""
    try:
        receipt = truth.read_receipt(folder)
    except StoreError:
        yield "its receipt is missing or damaged"
        receipt = {}
    yield from receipt_problems(layout, folder, receipt)
    if not (folder / "pylock.toml").is_file():
        yield "its pylock.toml is missing"
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        yield f"the Python {receipt.get('python_version', '')} it was installed with is gone"
    sites = list(folder.glob("venv/lib/python*/site-packages"))
    if len(sites) != 1:
        yield "its virtualenv is damaged"
        return
    yield from _file_problems(sites[0], {str(each.get("name")) for each in receipt.get("packages", ())})


def _file_problems(site: Path, expected: set[str]) -> Iterator[str]:
    """Yield files that are missing, changed or of no distribution; bytecode is judged with the wheels."""
    from packaging.utils import canonicalize_name

    known: set[str] = set()
    present = set()
    for info in site.glob("*.dist-info"):
        present.add(canonicalize_name(info.name.partition("-")[0]))
        try:
            with (info / "RECORD").open(newline="") as stream:
                rows = list(csv.reader(stream))
        except (OSError, csv.Error, ValueError):
            yield f"{info.name}/RECORD is missing or damaged"
            continue
        for path, told, _ in (row for row in rows if len(row) == 3):
            known.add(os.path.normpath(site / path))
            try:
                if told and not has_hash(site / path, told):
                    yield f"{path} is changed"
            except OSError:
                yield f"{path} is missing"
    yield from (f"{name} is missing" for name in sorted(expected - present))
    for parent, folders, names in os.walk(site):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (
            f"{os.path.relpath(os.path.join(parent, name), site)} belongs to nothing"
            for name in names
            if os.path.join(parent, name) not in known
        )


def _journal_problems(store: Store, living: Collection[Path]) -> Iterator[Problem]:
    for path in sorted(store.layout.journal.glob("*")):
        # An owner forgets its entry without the store's lock.
        if path.with_suffix(".json") not in living and path.exists():
            yield Problem("", f"journal/{path.name}: a change was not finished")


def _wheel_problems(store: Store) -> Iterator[Problem]:
    layout = store.layout
    for path in sorted(layout.archives.glob("*.whl")):
        if archives.sha256_of(path) != path.stem:
            yield Problem("", f"archives/{path.name} is not what its name says", path)
    for path in sorted(layout.wheels.glob("*")):
        archive = archives.path_of(layout, path.name)
        wheel = Wheel(path.name, "", archive if archive.is_file() else None)
        try:
            verified(path, wheel)
            for tag in os.listdir(path / "bytecode") if (path / "bytecode").is_dir() else ():
                verified(path, wheel, tag)
        except DamagedError as error:
            yield Problem("", f"wheels/{path.name}: {error}", path)


def _index_problems(store: Store) -> Iterator[Problem]:
    try:
        data = read_bytes(store.layout.index)
    except FileError as error:
        yield Problem("", error.detail)
        return
    rows, state = truth.read_rows(store.layout), truth.read_state(store.layout)
    if data is None and not rows:
        return
    if data != index.encode(state["revision"], rows):
        yield Problem("", "index.json is not what the plugins' folders say")
