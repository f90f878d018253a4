"""Uses of what is deprecated: names of the SDK in the source, keys in the manifest. Nothing of it is run.

A name is found where it is imported, and a method where it is called on what the module itself shows to be of
its class: ``self`` in a class derived from it, the class called, a variable that was given that. What goes
further is told when it runs: `viloapp dev` and pytest show it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viloapp_core.devtools.findings import UNREADABLE, Finding
from viloapp_core.devtools.toml_lines import line_of
from viloapp_sdk._deprecated import NAMES, Deprecation
from viloapp_sdk.manifest import deprecations
from viloapp_sdk.manifest.project import packages, read_pyproject, tool_table

__all__ = ["deprecation_findings", "project_deprecations"]

_FILE = "pyproject.toml"


def deprecation_findings(
    folder: Path, data: Mapping[str, Any], text: str, names: Mapping[str, Deprecation] | None = None
) -> Iterator[Finding]:
    """Yield each use of something deprecated in a project, as a warning with file and line.

    Args:
        folder: of the project.
        data: the content of its ``pyproject.toml``.
        text: the same as text.
        names: what is deprecated of the SDK; its own table when None.
    """
    for issue in deprecations(tool_table(data)):
        line = line_of(text, f"tool.viloapp.{issue.path}")
        yield Finding("deprecated", "", _FILE, line, f"{issue.path}: {issue.message}", "warning")
    for module in (path for source in packages(folder, data) for path in _modules(source)):
        path = module.relative_to(folder).as_posix() if module.is_relative_to(folder) else str(module)
        try:
            tree = ast.parse(module.read_bytes())
        except UNREADABLE:
            continue  # a finding of its own
        for line, what in _uses(tree, NAMES if names is None else names):
            yield Finding("deprecated", "", path, line, what, "warning")


def project_deprecations(folder: Path) -> list[Finding]:
    """Return the same of a project that is not read yet.

    Raises:
        ManifestError: it has no ``pyproject.toml`` that can be read.
    """
    data = read_pyproject(folder)
    return list(deprecation_findings(folder, data, (folder / _FILE).read_text("utf-8")))


def _modules(source: Path) -> list[Path]:
    return sorted(source.rglob("*.py")) if source.is_dir() else [source]


@dataclass
class _Scope:
    """What names of a module stand for: a dotted name of the SDK for a class, or for an object of it."""

    classes: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)


def _uses(tree: ast.Module, names: Mapping[str, Deprecation]) -> Iterator[tuple[int, str]]:
    """Yield line and words for each use."""
    scope = _Scope()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                dotted = f"{node.module}.{each.name}"
                scope.classes[each.asname or each.name] = dotted
                if dotted in names:
                    yield each.lineno, names[dotted].say(each.name)
        elif isinstance(node, ast.Import):
            for each in node.names:
                scope.classes[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
    yield from _of(tree.body, scope, names)


def _of(
    body: Sequence[ast.stmt], scope: _Scope, names: Mapping[str, Deprecation]
) -> Iterator[tuple[int, str]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _of_class(statement, scope, names)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and (cls := _made(node.value, scope)):
                scope.objects |= {each.id: cls for each in node.targets if isinstance(each, ast.Name)}
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute):
                owner = _owner(node.value, scope)
                dotted = f"{owner}.{node.attr}"
                if owner and dotted in names:
                    yield node.lineno, names[dotted].say(node.attr)


def _of_class(
    node: ast.ClassDef, scope: _Scope, names: Mapping[str, Deprecation]
) -> Iterator[tuple[int, str]]:
    """Yield the uses in a class: its ``self`` is an object of what it derives from."""
    bases = [dotted for base in node.bases if (dotted := _dotted(base, scope))]
    if bases:
        scope.classes[node.name] = bases[0]
    inner = _Scope(scope.classes, {**scope.objects, **({"self": bases[0]} if bases else {})})
    yield from _of(node.body, inner, names)


def _owner(node: ast.expr, scope: _Scope) -> str:
    """Return the class of what an attribute is taken of, or the module; empty where nobody can say."""
    if isinstance(node, ast.Name) and node.id in scope.objects:
        return scope.objects[node.id]
    return _made(node, scope) or _dotted(node, scope)


def _made(node: ast.expr, scope: _Scope) -> str:
    return _dotted(node.func, scope) if isinstance(node, ast.Call) else ""


def _dotted(node: ast.expr, scope: _Scope) -> str:
    """Return the dotted name that an expression is, by the module's imports."""
    if isinstance(node, ast.Name):
        return scope.classes.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, scope)
        return f"{owner}.{node.attr}" if owner else ""
    return ""
