"""What a release of a plugin takes away from those who use the one before, by its source alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from viloapp_sdk.manifest import from_project
from viloapp_sdk.manifest.project import packages, read_pyproject

__all__ = ["breaking_changes"]


def breaking_changes(old: Path, new: Path) -> list[str]:
    """Return a line for each change between two folders of a plugin's source that breaks its users.

    Commands and settings are what people and other plugins use, by id; beside them, the public Python API
    as griffe sees it.

    Raises:
        ManifestError: a folder is no plugin.
    """
    before, after = from_project(old), from_project(new)
    lines = [*_commands(before, after)]
    for name in before.get("configuration", {}):
        if name not in after.get("configuration", {}):
            lines.append(f"setting {name}: was removed")
    gone = {row["id"] for row in before.get("widgets", ())} - {row["id"] for row in after.get("widgets", ())}
    lines += [f"widget {id}: was removed" for id in sorted(gone)]
    return [*lines, *_api(old, new)]


def _commands(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    known = {row["id"]: _parameters(row) for row in after.get("commands", ())}
    for row in before.get("commands", ()):
        id, had = row["id"], _parameters(row)
        if id not in known:
            yield f"command {id}: was removed"
            continue
        for name, required in known[id].items():
            if required and not had.get(name, False):
                yield f"command {id}: the argument {name} is required now"
        for name in had.keys() - known[id].keys():
            yield f"command {id}: the argument {name} was removed"


def _parameters(row: Mapping[str, Any]) -> dict[str, bool]:
    return {each["name"]: bool(each.get("required")) for each in row.get("parameters", ())}


def _api(old: Path, new: Path) -> Iterator[str]:
    import griffe

    names = {path.stem for path in packages(new, read_pyproject(new))}
    for path in packages(old, read_pyproject(old)):
        if path.stem not in names:
            yield f"package {path.stem}: was removed"
            continue
        current = next(each for each in packages(new, read_pyproject(new)) if each.stem == path.stem)
        modules = [
            griffe.load(
                each.stem, search_paths=[each.parent], allow_inspection=False, try_relative_path=False
            )
            for each in (path, current)
        ]
        for change in griffe.find_breaking_changes(modules[0], modules[1]):
            yield " ".join(change.explain(griffe.ExplanationStyle.ONE_LINE).split())
