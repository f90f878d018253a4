"""Which texts a source asks for: calls of `t` of a `PluginI18n`, found with `ast`; none of it is run.

    >>> found = uses('greet = context.i18n.t("hi" if early else "bye", name=name)', "plugin.py")
    >>> [(use.key, sorted(use.arguments or ())) for use in found]
    [('hi', ['name']), ('bye', ['name'])]

``context.i18n.t``, any ``….i18n.t``, ``t`` of what `PluginI18n` made, and the names that one of these was
given to in the same module are followed, and so is a name, or a class's ``Keys.NAME``, that the module gives
one string and nothing else. A key that is put together when the plugin runs cannot be told: it is a pattern
where part of it is written, and where a comment on the call's lines says which it may be:
``# i18n: state.*, other.key``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from viloapp_core.devtools.bindings import assignments, constants

__all__ = ["Use", "uses"]

_CLASS = "PluginI18n"
_COMMENT = re.compile(r"#\s*i18n:\s*(.+)")
_LINE_END = re.compile(r"\r\n?|\n")
"""Where Python counts a line; `str.splitlines` has more, such as form feeds."""


@dataclass(frozen=True)
class Use:
    """One text that is asked for.

    Args:
        path: of the source, relative to the project.
        line: in it.
        key: of the text; with ``*`` for what is not known of it, None where nothing is.
        arguments: names of the values; None where they cannot be told.
    """

    path: str
    line: int
    key: str | None
    arguments: frozenset[str] | None

    @property
    def exact(self) -> bool:
        """Whether the key is one."""
        return self.key is not None and "*" not in self.key

    def means(self, key: str) -> bool:
        """Return whether this may ask for a key."""
        if self.key is None:
            return True
        return re.fullmatch(".*".join(map(re.escape, self.key.split("*"))), key, re.DOTALL) is not None


def uses(source: str, path: str) -> list[Use]:
    """Return what a module asks for, in its order.

    Args:
        source: its text.
        path: that is shown.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it is none either, such as one with null bytes.
    """
    tree = ast.parse(source)
    names = _Names(tree)
    lines = _LINE_END.split(source)
    found: list[Use] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and names.is_t(node.func):
            found += _uses(node, names, lines, path)
    return sorted(found, key=lambda use: use.line)


def _uses(call: ast.Call, names: _Names, lines: list[str], path: str) -> Iterator[Use]:
    if not call.args:
        return  # no call of ours: the key has no name
    known = [word.arg for word in call.keywords if word.arg]
    arguments = frozenset(known) if len(known) == len(call.keywords) else None
    comments = (_COMMENT.search(line) for line in lines[call.lineno - 1 : call.end_lineno])
    said = [key.strip() for found in comments if found for key in found[1].split(",") if key.strip()]
    for key in said or names.keys(call.args[0]):
        yield Use(path, call.lineno, key, arguments)


class _Names:
    """What a module's names stand for, as far as that is written in it."""

    def __init__(self, tree: ast.Module) -> None:
        self._strings = constants(tree)
        self._classes = {_CLASS} | set(_imported(tree))
        self._i18n: set[str] = {"i18n"}
        self._t: set[str] = set(_handed_in(tree))
        given = [(_last(target), value) for target, value in assignments(ast.walk(tree))]
        given = [(name, value) for name, value in given if name]
        for _ in given:  # one alias may be another's; what is found no more is all
            before = len(self._i18n) + len(self._t)
            for target, value in given:
                if self._is_i18n(value):
                    self._i18n.add(target)
                elif self.is_t(value):
                    self._t.add(target)
            if before == len(self._i18n) + len(self._t):
                break

    def is_t(self, node: ast.expr) -> bool:
        """Return whether an expression is the method `t`."""
        if isinstance(node, ast.Attribute) and node.attr == "t" and self._is_i18n(node.value):
            return True
        return _last(node) in self._t

    def _is_i18n(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return _last(node.func) in self._classes
        return _last(node) in self._i18n

    def keys(self, node: ast.expr) -> list[str | None]:
        """Return what a key may be; None for what is not known."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.IfExp):
            return [*self.keys(node.body), *self.keys(node.orelse)]
        pattern = re.sub(r"\*+", "*", self._pattern(node))
        return [pattern if pattern != "*" else None]

    def _pattern(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.JoinedStr):
            return "".join(self._pattern(part) for part in node.values)
        if isinstance(node, ast.FormattedValue):
            plain = node.format_spec is None and node.conversion == -1
            return self._pattern(node.value) if plain else "*"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._pattern(node.left) + self._pattern(node.right)
        return self._strings.get(_dotted(node), "*")


def _last(node: ast.expr) -> str:
    """Return a name, or the last part of a dotted one; empty for everything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(node: ast.expr) -> str:
    """Return ``NAME`` or ``Keys.NAME`` as it is written; empty for everything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (each.asname for each in node.names if each.name == _CLASS and each.asname)


def _handed_in(tree: ast.Module) -> Iterable[str]:
    """Return ``t`` where a function is given it, or another module has it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            given = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            if any(each.arg == "t" for each in given):
                return ("t",)
        elif isinstance(node, ast.ImportFrom) and any(
            (each.asname or each.name) == "t" for each in node.names
        ):
            return ("t",)
    return ()
