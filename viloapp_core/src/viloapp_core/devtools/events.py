"""Which events a plugin's source names: those it emits, and those it listens to; read, not run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from viloapp_sdk.manifest.project import packages, read_pyproject

__all__ = ["Events", "events_of", "read_events"]

_EMITS = ("emit", "PluginEvent")
_HEARS = ("subscribe", "subscribe_event")


@dataclass(frozen=True)
class Events:
    """Types of events, sorted. Those whose names are put together at run time are not among them."""

    emitted: tuple[str, ...]
    heard: tuple[str, ...]


def read_events(project: Path) -> Events:
    """Read the packages of a project.

    Raises:
        ManifestError: ``pyproject.toml`` cannot be read.
    """
    found = packages(project, read_pyproject(project))
    return events_of(
        file for each in found for file in (sorted(each.rglob("*.py")) if each.is_dir() else [each])
    )


def events_of(modules: Iterable[Path]) -> Events:
    """Return the events that modules name."""
    emitted: set[str] = set()
    heard: set[str] = set()
    for file in modules:
        for name, text in _calls(file):
            if name in _EMITS:
                emitted.add(text)
            elif name in _HEARS:
                heard.add(text)
    return Events(tuple(sorted(emitted)), tuple(sorted(heard)))


def _calls(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the last name and the first argument of each call whose first argument is a literal text."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # whether it matters, the manifest's reader has said
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            text = node.args[0].value
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if isinstance(text, str) and "." in text:
                yield name, text
