"""What a release of a plugin takes away from those who use the one before, by its source alone."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viloapp_core.devtools.errors import ReleaseError
from viloapp_core.devtools.events import events_of
from viloapp_core.devtools.release import Release
from viloapp_core.devtools.toml_lines import line_of
from viloapp_sdk.manifest.api_version import is_newer

__all__ = ["Break", "breaking_changes"]

_STYLE = re.compile("\x1b\\[[0-9;]*m")


@dataclass(frozen=True, order=True)
class Break:
    """One thing that users of the release before lose.

    Args:
        kind: ``command``, ``widget``, ``setting``, ``event``, ``manifest`` or ``python``.
        name: id, key or dotted name.
        message: what became of it.
        release: in which release the place is: ``before`` for what was removed, else ``now``.
        path: of the file there.
        line: in it; 0 where the file as a whole is meant.
    """

    kind: str
    name: str
    message: str
    release: str
    path: str
    line: int

    def to_json(self) -> dict[str, Any]:
        """Return every field."""
        return asdict(self)


def breaking_changes(old: Release, new: Release) -> list[Break]:
    """Return each change between two releases of a plugin that breaks its users, in a fixed order.

    Commands, widgets, settings and events are what people and other plugins use, by name; beside them, the
    public Python API as griffe sees it.

    Raises:
        ReleaseError: they are releases of two plugins.
    """
    before, after = old.plugin, new.plugin
    if before.plugin_id != after.plugin_id:
        raise ReleaseError(f"these are two plugins: {before.plugin_id} and {after.plugin_id}")
    found = [*_commands(old, new), *_widgets(old, new), *_settings(old, new), *_events(old, new)]
    asked = after.manifest.api_version
    if is_newer(asked, before.manifest.api_version):
        message = f"was {before.manifest.api_version} and is {asked}: older versions of ViloApp refuse it"
        found.append(Break("manifest", "api_version", message, "now", *_key(new, "api_version")))
    return sorted({*found, *_api(old, new)})


def _commands(old: Release, new: Release) -> Iterator[Break]:
    known = {row["id"]: row for row in new.plugin.manifest.commands}
    for row in old.plugin.manifest.commands:
        id = row["id"]
        if id not in known:
            yield Break("command", id, "was removed", "before", *_literal(old, id))
            continue
        had, has = ({each["name"]: each for each in one["parameters"]} for one in (row, known[id]))
        place = ("now", *_literal(new, id))
        for name, each in has.items():
            if each.get("required") and not had.get(name, {}).get("required"):
                yield Break("command", id, f"the argument {name} is required now", *place)
        for name, each in had.items():
            if name not in has:
                yield Break("command", id, f"the argument {name} was removed", *place)
            elif has[name].get("type", "any") not in (each.get("type", "any"), "any"):
                was, now = each.get("type", "any"), has[name]["type"]
                yield Break("command", id, f"the argument {name} was {was} and is {now}", *place)


def _widgets(old: Release, new: Release) -> Iterator[Break]:
    known = {row["id"] for row in new.plugin.manifest.widgets}
    for row in old.plugin.manifest.widgets:
        if row["id"] not in known:
            yield Break("widget", row["id"], "was removed", "before", *_literal(old, row["id"]))


def _settings(old: Release, new: Release) -> Iterator[Break]:
    known = new.plugin.manifest.configuration
    for name, had in old.plugin.manifest.configuration.items():
        if name not in known:
            yield Break("setting", name, "was removed", "before", *_key(old, f"configuration.{name}"))
        else:
            place = _key(new, f"configuration.{name}")
            for message in _narrowed(had, known[name]):
                yield Break("setting", name, message, "now", *place)


def _narrowed(had: Mapping[str, Any], has: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a value that was allowed is not allowed any more."""
    if had["type"] != has["type"] and (had["type"], has["type"]) != ("integer", "number"):
        yield f"was {had['type']} and is {has['type']}"
    if has.get("enum") is not None:
        values = had.get("enum")
        gone = [each for each in values or () if each not in has["enum"]]
        if gone or values is None:
            yield f"does not take {', '.join(map(json.dumps, gone)) or 'any value'} any more"
    for name, sign in (("minimum", 1), ("maximum", -1)):
        least, was = has.get(name), had.get(name)
        if least is not None and (was is None or sign * least > sign * was):
            yield f"has the {name} {least:g} now"


def _events(old: Release, new: Release) -> Iterator[Break]:
    known = events_of(new.modules()).emitted
    for name in events_of(old.modules()).emitted:
        if name not in known:
            yield Break("event", name, "is emitted no more", "before", *_literal(old, name))


def _literal(release: Release, text: str) -> tuple[str, int]:
    """Return where a text stands in a release's source first; else its manifest."""
    for module in release.modules():
        try:
            tree = ast.parse(module.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
        lines = [node.lineno for node in constants if node.value == text]
        if lines:
            return release.shown(module), min(lines)
    return release.manifest.as_posix(), 0


def _key(release: Release, path: str) -> tuple[str, int]:
    """Return where a key of the manifest stands: in ``pyproject.toml``, or in the file that a build made."""
    text = (release.root / release.manifest).read_text("utf-8")
    if release.manifest.suffix == ".toml":
        return release.manifest.as_posix(), line_of(text, f"tool.viloapp.{path}")
    wanted = json.dumps(path.rpartition(".")[2])
    lines = (number for number, line in enumerate(text.splitlines(), 1) if f"{wanted}:" in line)
    return release.manifest.as_posix(), next(lines, 0)


def _api(old: Release, new: Release) -> Iterator[Break]:
    """Yield what is lost of the public Python API."""
    import griffe

    current = {path.stem: path for path in new.packages}
    for path in old.packages:
        if path.stem not in current:
            yield Break("python", path.stem, "the package was removed", "before", old.shown(path), 0)
            continue
        modules = [
            griffe.load(
                each.stem, search_paths=[each.parent], allow_inspection=False, try_relative_path=False
            )
            for each in (path, current[path.stem])
        ]
        for change in griffe.find_breaking_changes(modules[0], modules[1]):
            yield _of_griffe(change, old, new)


def _of_griffe(change: Any, old: Release, new: Release) -> Break:
    """Return a breakage of griffe's with its place: its own words begin with one that we say better."""
    import griffe

    words = _STYLE.sub("", change.explain(griffe.ExplanationStyle.ONE_LINE))
    obj = change.obj.parent if change.obj.is_alias else change.obj
    file = Path(str(obj.filepath))
    which, side = (old, "before") if file.is_relative_to(old.root) else (new, "now")
    message = " ".join(words.split(": ", 2)[2].split())
    return Break("python", change.obj.path, message, side, which.shown(file), change.obj.lineno or 0)
