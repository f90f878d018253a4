"""What belongs to a plugin and to no generation of it: its settings and its data, which have one version.

Another generation may need another version of them. What there was then stays in the store, beside the
generation that was left, and comes back with it:

left/<generation>/{settings.json, data/}

What is to take its place lies in a folder of the same form. All of it is moved by `exchange`, after
``current`` was flipped, and again by whoever finds the journal's entry of a process that died.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import read_json, sync_dir, write_json
from viloapp_core.store import journal, truth
from viloapp_core.store.copying import fingerprint
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout
from viloapp_sdk.manifest.chain import UNDECLARED, Step, declared, later, major, steps_from

if TYPE_CHECKING:
    from viloapp_core.services.sections import Section

__all__ = [
    "BelongingsError",
    "Move",
    "base_of",
    "check_base",
    "differing",
    "coming_folder",
    "exchange",
    "forget_left",
    "is_kept",
    "judge",
    "keep_settings",
    "recorded",
    "section_in",
    "section_kept",
    "set_since",
    "version_of",
    "write_coming",
]

_SETTINGS = "settings.json"
_DATA = "data"
_BASE = "base.json"
_MADE = "made.json"
"""The settings that took the place of those beside it."""


class BelongingsError(StoreError):
    """A plugin's settings and data are not what a generation needs, and cannot be made so."""


@dataclass(frozen=True)
class Move:
    """What becomes of a plugin's belongings when a generation of it becomes current.

    Args:
        kind: ``stay``: they are as it needs them; ``record``: they are, and their version is written down;
            ``steps``: its steps make them so; ``restore``: what was kept of that version comes back.
        before: their version; empty where there is nothing of the plugin.
        after: the version that they have then.
        steps: of ``steps``, in order.
        source: of ``restore``, where they lie.
    """

    kind: Literal["stay", "record", "steps", "restore"]
    before: str
    after: str
    steps: tuple[Step, ...] = ()
    source: Path | None = None


def version_of(layout: Layout, plugin_id: str) -> str:
    """Return the version of a plugin's settings and data; empty when there is nothing of it.

    It is what was recorded; else what the generation in use declares; else what counts as undeclared.

    Raises:
        FoundationError: the settings cannot be read.
        SettingError: the file holds none.
    """
    section = _section(layout, plugin_id)
    if section.version:
        return section.version
    if (name := truth.current_generation(layout, plugin_id)) is not None:
        try:
            return declared(truth.read_receipt(layout.generations(plugin_id) / name)["manifest"])
        except (StoreError, KeyError):
            return UNDECLARED
    return UNDECLARED if section.values or _has_data(layout, plugin_id) else ""


def judge(layout: Layout, plugin_id: str, manifest: Mapping[str, Any], generation: str | None = None) -> Move:
    """Return what becomes of a plugin's belongings when a generation becomes current. Changes nothing.

    Args:
        layout: the store's.
        plugin_id: the plugin.
        manifest: of the generation.
        generation: its name, where it was current before and nothing of it may run: a rollback.

    Raises:
        BelongingsError: there is no way to the version that it needs.
        FoundationError, SettingError: as `version_of` says.
    """
    before, wanted = version_of(layout, plugin_id), declared(manifest)
    if not before or major(before) == major(wanted):
        after = later(before or wanted, wanted)
        steps = tuple(steps_from(manifest.get("settings") or {}, before)) if before else ()
        if steps and generation is None:
            return Move("steps", before, after, steps)
        if steps and is_kept(layout, plugin_id, str(generation)):
            beside = layout.left(plugin_id) / str(generation)
            return Move("restore", before, _read(beside).version or UNDECLARED, source=beside)
        if steps:  # nothing of it may run now; what a minor version adds is no more than missed
            after = before
        recorded = _section(layout, plugin_id).version
        same = recorded == after or (not recorded and after == UNDECLARED)
        return Move("stay" if same else "record", before, after)
    if major(before) < major(wanted) and generation is None:
        steps = tuple(steps_from(manifest.get("settings") or {}, before))
        return Move("steps", before, wanted, steps)
    if (source := _kept(layout, plugin_id, wanted, generation)) is not None:
        return Move("restore", before, str(_read(source).version or UNDECLARED), source=source)
    text = f"{plugin_id}: its settings and data are of version {before}, and this one needs {wanted}"
    if major(before) < major(wanted):
        raise BelongingsError(
            "settings_version", f"{text}", f"viloapp install '{plugin_id}==VERSION' runs the steps to it"
        )
    raise BelongingsError(
        "settings_version",
        f"{text}, of which nothing is kept",
        f"viloapp uninstall --purge {plugin_id} gives up both; then it can be installed",
    )


def coming_folder(entry: journal.Entry) -> Path:
    """Return where what is to take the belongings' place lies in a change of the journal."""
    return entry.path.with_suffix(".d") / "coming"


def write_coming(coming: Path, section: Section, base: Mapping[str, Any] | None = None) -> None:
    """Write the settings of a folder for `exchange`, and what they were made of."""
    coming.mkdir(mode=0o700, parents=True, exist_ok=True)
    if base is not None:
        write_json(coming / _BASE, dict(base))
    write_json(coming / _SETTINGS, section.to_json())


def recorded(layout: Layout, plugin_id: str, version: str) -> Section:
    """Return a plugin's settings as they are, with another version."""
    return _section(layout, plugin_id).with_version(version)


def section_in(base: Mapping[str, Any]) -> Section:
    """Return the settings of which `base_of` tells."""
    from viloapp_core.services.sections import Section

    return Section.from_json(base["section"])


def section_kept(folder: Path) -> Section:
    """Return the settings in a folder of the form that `exchange` takes."""
    return _read(folder)


def base_of(layout: Layout, plugin_id: str) -> dict[str, Any]:
    """Return what tells whether a plugin's belongings have changed since."""
    section = _section(layout, plugin_id)
    return {"section": section.to_json(), "data": fingerprint(layout.data(plugin_id))}


def check_base(layout: Layout, plugin_id: str, coming: Path) -> None:
    """See that a plugin's belongings are what the steps were given.

    Raises:
        BelongingsError: they have changed meanwhile.
    """
    if read_json(coming / _BASE) != base_of(layout, plugin_id):
        raise BelongingsError(
            "changed_meanwhile",
            f"the settings or the data of {plugin_id} changed while its steps ran; nothing was changed",
            "try again",
        )


def forget_left(layout: Layout, plugin_id: str, generation: str) -> None:
    """Forget what was kept beside a generation, which is about to be left anew."""
    journal.remove_tree(layout.left(plugin_id) / generation)


def keep_settings(layout: Layout, plugin_id: str, generation: str) -> None:
    """Keep a plugin's settings beside a generation that is being left; the first time counts."""
    kept = layout.left(plugin_id) / generation / _SETTINGS
    if not kept.exists():
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(kept, _section(layout, plugin_id).to_json())


def is_kept(layout: Layout, plugin_id: str, generation: str) -> bool:
    """Return whether settings and data as they were when a generation was left are there."""
    kept = layout.left(plugin_id) / generation
    return (kept / _SETTINGS).exists() and (kept / _DATA).is_dir()


def set_since(layout: Layout, plugin_id: str, kept: Path) -> list[str]:
    """Return the names of the settings that were changed since those of a folder gave way to others."""
    made = read_json(kept / _MADE)
    if not isinstance(made, dict):
        return []
    from viloapp_core.services.sections import Section

    return differing(Section.from_json(made).own, _section(layout, plugin_id).own)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names under which two mappings differ."""
    missing = object()
    names = before.keys() | after.keys()
    return sorted(name for name in names if before.get(name, missing) != after.get(name, missing))


def exchange(layout: Layout, plugin_id: str, leaving: str, source: Path) -> None:
    """Put what lies in a folder in the place of a plugin's belongings, and keep those.

    Each part moves once, however often this is called: who is killed in between is finished by the next.

    Args:
        layout: the store's.
        plugin_id: the plugin.
        leaving: the generation beside which what was is kept.
        source: holds what comes; empty afterwards.
    """
    from viloapp_core.foundation.paths import first_free  # readers of the index do without
    from viloapp_core.services.sections import write_section

    if not (source / _SETTINGS).exists():  # the last to go
        journal.remove_tree(source)
        return
    data, kept = layout.data(plugin_id), layout.left(plugin_id) / leaving
    if (source / _DATA).is_dir():
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.lexists(data):
            # Who died after this move may have been followed by the plugin, which made its data anew.
            os.rename(data, first_free(kept, _DATA))
        os.rename(source / _DATA, data)
        for folder in (kept, source, data.parent):
            sync_dir(folder)
    keep_settings(layout, plugin_id, leaving)
    write_json(kept / _MADE, _read(source).to_json())
    write_section(layout.settings, plugin_id, _read(source))
    (source / _SETTINGS).unlink()
    journal.remove_tree(source)


def _kept(layout: Layout, plugin_id: str, wanted: str, generation: str | None) -> Path | None:
    """Return the newest of what was kept of a major version, that beside the generation first."""
    try:
        folders = [path for path in layout.left(plugin_id).iterdir() if (path / _DATA).is_dir()]
    except OSError:
        return None
    found = []
    for folder in folders:
        try:
            version, at = _read(folder).version or UNDECLARED, (folder / _SETTINGS).stat().st_mtime_ns
        except (FoundationError, OSError):
            continue
        if major(version) == major(wanted):
            found.append((folder.name == generation, at, folder))
    return max(found)[2] if found else None


def _read(folder: Path) -> Section:
    from viloapp_core.services.sections import Section

    data = read_json(folder / _SETTINGS)
    return Section.from_json(data if isinstance(data, dict) else {})


def _section(layout: Layout, plugin_id: str) -> Section:
    from viloapp_core.services.sections import read_section

    return read_section(layout.settings, plugin_id)


def _has_data(layout: Layout, plugin_id: str) -> bool:
    try:
        with os.scandir(layout.data(plugin_id)) as found:
            return next(found, None) is not None
    except OSError:
        return False
