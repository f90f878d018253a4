"""Whether what a manifest and the code name is there: the class, commands, widgets, settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viloapp_core.devtools.findings import UNREADABLE, Finding
from viloapp_core.devtools.toml_lines import line_of

__all__ = ["class_finding", "reference_findings", "setting_findings", "step_findings"]

_FILE = "pyproject.toml"
_OWN_EVENTS = {"onCommand": "commands", "onWidget": "widgets"}


def class_finding(folder: Path, value: str, packages: Sequence[Path], text: str) -> Finding | None:
    """Return what is wrong with the class of the entry point; None when it is there.

    Args:
        folder: of the project.
        value: ``package.module:Class``.
        packages: the folders and files of the code.
        text: of ``pyproject.toml``.
    """
    line = line_of(text, 'project.entry-points."viloapp.plugins"')
    return _absent(folder, value, packages, line, "entry-point", "which the entry point names")


def step_findings(
    folder: Path, table: Mapping[str, Any], packages: Sequence[Path], text: str
) -> Iterator[Finding]:
    """Yield the steps of settings whose functions are nowhere.

    Args:
        folder: of the project.
        table: ``settings`` of the manifest.
        packages: the folders and files of the code.
        text: of ``pyproject.toml``.
    """
    for index, row in enumerate(table.get("steps", ())):
        lines = text.splitlines()
        line = next((number for number, each in enumerate(lines, 1) if str(row["run"]) in each), 0)
        named = f"which settings.steps[{index}] names"
        if finding := _absent(folder, str(row["run"]), packages, line, "reference", named):
            yield finding


def _absent(
    folder: Path, value: str, packages: Sequence[Path], line: int, kind: str, named: str
) -> Finding | None:
    """Return that no source of the project has what ``package.module:Name`` says; None when one has."""
    module, _, name = (part.strip() for part in value.partition(":"))
    relative = Path(*module.split("."))
    roots = dict.fromkeys(path.parent for path in packages)
    tries = [
        root / each for root in roots for each in (relative.with_suffix(".py"), relative / "__init__.py")
    ]
    found = next((path for path in tries if path.is_file()), None)
    if found is None:
        return Finding(kind, "", _FILE, line, f"there is no module {module} for {value}")
    try:
        tree = ast.parse(found.read_bytes())
    except UNREADABLE:
        return None  # that it does not parse is a finding of its own
    first = name.partition(".")[0]
    if any(first in _names(node) for node in ast.walk(tree)):
        return None
    where = found.relative_to(folder) if found.is_relative_to(folder) else found
    return Finding(kind, "", where.as_posix(), 1, f"there is no {name}, {named}")


def _names(node: ast.AST) -> Iterator[str]:
    """Yield what a statement gives a name to."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (each.asname or each.name for each in node.names)
    elif isinstance(node, ast.Assign):
        yield from (each.id for each in node.targets if isinstance(each, ast.Name))


def reference_findings(
    plugin_id: str, table: Mapping[str, Any], commands: set[str], widgets: set[str], text: str
) -> Iterator[Finding]:
    """Yield commands and widgets of this plugin that are named and declared nowhere.

    Those of other plugins cannot be known here, and what `get_commands` computes neither; an id that begins
    with the plugin's own is expected to be in the source.

    Args:
        plugin_id: the plugin's.
        table: ``[tool.viloapp]``.
        commands: ids that the source declares.
        widgets: likewise.
        text: of ``pyproject.toml``.
    """
    known = {"commands": commands, "widgets": widgets}

    def finding(path: str, what: str, id: str) -> Iterator[Finding]:
        if id.startswith(f"{plugin_id}.") and id not in known[what]:
            line = line_of(text, f"tool.viloapp.{path}")
            yield Finding(
                "reference",
                "",
                _FILE,
                line,
                f"{path}: no source declares {id}",
                "error" if known[what] else "warning",
            )

    for key in ("keybindings", "menus"):
        for index, row in enumerate(table.get(key, ())):
            yield from finding(f"{key}[{index}].command", "commands", str(row.get("command", "")))
    for index, event in enumerate(table.get("activation_events", ())):
        kind, _, id = str(event).partition(":")
        if kind in _OWN_EVENTS:
            yield from finding(f"activation_events[{index}]", _OWN_EVENTS[kind], id)


def setting_findings(source: str, path: str, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield settings that a module reads or writes under a name that the manifest does not declare.

    Args:
        source: the module's text; it parses.
        path: for the findings.
        configuration: of the manifest.
    """
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        owner, name = node.func.value, node.args[0]
        if node.func.attr not in ("get", "set") or not isinstance(owner, ast.Attribute):
            continue
        if owner.attr != "settings" or not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
            continue
        if name.value not in configuration:
            message = f"the setting {name.value!r} is not declared in [tool.viloapp.configuration]"
            yield Finding("reference", "", path, node.lineno, message)
