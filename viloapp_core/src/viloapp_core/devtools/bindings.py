"""Which names of a module are one string whatever runs, found with `ast`; none of it is run.

    >>> constants(ast.parse('A = "a"; B = "b"; B += C; D, E = "d", F'))
    {'A': 'a', 'D': 'd'}
    >>> constants(ast.parse('class Keys: TITLE = "title"'))
    {'TITLE': 'title', 'Keys.TITLE': 'title'}

Scopes are not told apart: a name that anything else in the module binds too, such as a parameter, may be
that. An attribute of an instance is never one string, since a class of another module may have its own.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

__all__ = ["assignments", "constants"]


def constants(tree: ast.Module) -> dict[str, str]:
    """Return name → text of what is given one string and bound by nothing else; ``Keys.NAME`` of a class."""
    bound = Counter(_bound(tree))
    if bound["*"]:  # an import of everything: it may bind any of them
        return {}
    stored = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute) and _binds(each.ctx)}
    found = {name: text for name, text in _texts(ast.walk(tree)) if bound[name] == 1}
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.ClassDef) and bound[node.name] == 1:
            own = (pair for pair in _texts(node.body) if pair[0] in found and pair[0] not in stored)
            found |= {f"{node.name}.{name}": text for name, text in own}
    return found


def assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the targets among nodes with the value that each is given, where that is written."""
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from _pairs(target, node.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield ``a, x`` and ``b, y`` of ``a, b = x, y``."""
    row = (ast.Tuple, ast.List)
    if not isinstance(target, row):
        yield target, value
    elif isinstance(value, row) and len(value.elts) == len(target.elts):
        parts = list(zip(target.elts, value.elts, strict=True))
        if not any(isinstance(each, ast.Starred) for part in parts for each in part):
            for part in parts:
                yield from _pairs(*part)


def _texts(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for target, value in assignments(nodes):
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield target.id, value.value


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield each name as often as something binds it, or may; ``*`` for an import of everything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if _binds(node.ctx):
                yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        else:  # functions, classes, `except … as`, patterns, parameters of types
            named = (getattr(node, field, None) for field in ("name", "rest"))
            yield from (each for each in named if isinstance(each, str))


def _binds(context: ast.expr_context) -> bool:
    return isinstance(context, (ast.Store, ast.Del))
