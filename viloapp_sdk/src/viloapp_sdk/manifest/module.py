"""One parsed source file: which names in it are ours, and which values in it are literals."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from viloapp_sdk.manifest.shapes import AnyJson

Function = ast.FunctionDef | ast.AsyncFunctionDef

_WIDGETS = ("Widget", "IWidget", "LegacyWidgetAdapter")
_HOMES = ("viloapp_sdk", "viloapp_sdk.plugin", "viloapp_sdk.widget", "viloapp_sdk.compat")
_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "List": "array",
    "tuple": "array",
    "Tuple": "array",
    "Sequence": "array",
    "dict": "object",
    "Dict": "object",
    "Mapping": "object",
}


class SourceError(ValueError):
    """A declaration that cannot be read without running it; becomes an issue at its line."""


@dataclass
class Module:
    """A source file.

    Args:
        name: path for issues, with ``/``.
        tree: what `ast.parse` gave.
    """

    name: str
    tree: ast.Module
    #: Local name to the dotted name it was imported as; "" when a relative import or a star may bring it.
    imported: dict[str, str] = field(init=False)
    #: Names at the top of the file that are assigned once, so that their literal is what they mean.
    constants: dict[str, ast.expr] = field(init=False)

    def __post_init__(self) -> None:
        self.imported = _imports(self.tree)
        self.constants = _constants(self.tree)

    def place(self, node: ast.AST) -> str:
        """Return ``file:line`` of ``node``."""
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    def classes(self) -> Iterator[ast.ClassDef]:
        """Yield the classes, nested ones too, in the order of their lines."""
        yield from _in_order(self.tree, ast.ClassDef)

    def functions(self) -> Iterator[tuple[Function, bool]]:
        """Yield each function with whether a call passes it an instance or a class first."""
        methods = {id(item) for node in self.classes() for item in node.body}
        for function in _in_order(self.tree, (ast.FunctionDef, ast.AsyncFunctionDef)):
            static = any(
                isinstance(decorator, ast.Name) and decorator.id == "staticmethod"
                for decorator in function.decorator_list
            )
            yield function, id(function) in methods and not static

    def is_ours(self, node: ast.AST, names: tuple[str, ...]) -> bool:
        """Return whether ``node`` names one of ``names`` of the SDK, and not a namesake from elsewhere.

        A bare name counts unless the file imports it from another package or defines it, since a plugin
        may re-export the SDK from a module of its own; a dotted one counts when its module is the SDK's.
        """
        dotted = _dotted(node)
        if not dotted:
            return False
        head, _, rest = dotted.partition(".")
        origin = self.imported.get(head, None if rest else dotted)
        if origin is None:
            return False
        full = f"{origin}.{rest}" if rest and origin else origin or dotted
        home, _, last = full.rpartition(".")
        return last in names and (home in _HOMES or home == "")

    def is_widget_base(self, node: ast.expr, known: set[str], own: set[str]) -> bool:
        """Return whether a base class is a widget: the SDK's, or one of the plugin's by its name.

        Args:
            node: the base class.
            known: names of the plugin's classes that are widgets.
            own: names of the plugin's packages and modules; what comes from another is a namesake.
        """
        if isinstance(node, ast.Subscript):  # Base[T]
            node = node.value
        head, _, _ = _dotted(node).partition(".")
        package, _, rest = self.imported.get(head, "").partition(".")
        if rest and package not in own and package != "viloapp_sdk":
            return False
        return self.is_ours(node, _WIDGETS) or _dotted(node).rpartition(".")[2] in known

    def attributes(self, node: ast.ClassDef) -> dict[str, ast.expr]:
        """Return the names that the body of a class assigns, with their values."""
        found: dict[str, ast.expr] = {}
        for statement in node.body:
            for target, value in _assignments(statement):
                found[target] = value
        return found

    def literal(self, node: ast.expr) -> Any:
        """Return the value of a literal, or of a constant of this file.

        Raises:
            ValueError: it is known only when the code runs.
        """
        if isinstance(node, ast.Name) and node.id in self.constants:
            node = self.constants[node.id]
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise ValueError("not a literal") from error

    def text(self, node: ast.expr, what: str) -> str:
        """Return a literal string.

        Raises:
            SourceError: it is not one; ``what`` names it.
        """
        try:
            value = self.literal(node)
        except ValueError:
            value = None
        if not isinstance(value, str):
            raise SourceError(f"{what} must be a literal string: the build reads it without running it")
        return value

    def parameters(self, function: Function, is_method: bool) -> list[dict[str, Any]]:
        """Return the manifest's ``parameters`` of a command's handler.

        Raises:
            SourceError: a parameter that a call by name cannot fill.
        """
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        defaults += arguments.defaults
        pairs = list(zip(positional, defaults, strict=True))[1 if is_method else 0 :]
        by_place = [argument.arg for argument, _ in pairs if argument in arguments.posonlyargs]
        if arguments.vararg:
            by_place.append(f"*{arguments.vararg.arg}")
        if by_place:
            raise SourceError(f"arguments are passed by name, which {', '.join(by_place)} does not take")
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        return [self._parameter(argument, default) for argument, default in pairs]

    def _parameter(self, argument: ast.arg, default: ast.expr | None) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": argument.arg,
            "type": _type(argument.annotation),
            "required": default is None,
        }
        if default is not None:
            try:
                value = _as_json(self.literal(default))
            except ValueError:
                return entry  # optional, with a default that only Python can say
            entry["default"] = value
        return entry


def _in_order(tree: ast.AST, kinds: Any) -> list[Any]:
    return sorted((node for node in ast.walk(tree) if isinstance(node, kinds)), key=lambda node: node.lineno)


def _dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for a name or attribute, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def _imports(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[statement.name] = f"{statement.name}!"  # defined here: a namesake
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                found[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                home = "" if node.level else f"{node.module}."
                found[alias.asname or alias.name] = f"{home}{alias.name}"
    return found


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for statement in tree.body:
        for target, value in _assignments(statement):
            twice |= {target} & found.keys()
            found[target] = value
    return {name: value for name, value in found.items() if name not in twice}


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    targets: list[ast.expr]
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id, value


def _type(annotation: ast.expr | None) -> str:
    """Return the manifest's type for an annotation; ``any`` for what JSON has no one type for."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "any"
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _union([annotation.left, annotation.right])
    if isinstance(annotation, ast.Subscript):
        outer = _dotted(annotation.value).rpartition(".")[2]
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if outer in ("Optional", "Union"):
            return _union(inner)
        return _type(inner[0]) if outer == "Annotated" and inner else _TYPES.get(outer, "any")
    return _TYPES.get(_dotted(annotation).rpartition(".")[2], "any") if annotation else "any"


def _union(members: list[ast.expr]) -> str:
    kinds = {_type(member) for member in members if not _is_none(member)}
    return kinds.pop() if len(kinds) == 1 else "any"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _as_json(value: object) -> object:
    """Return ``value`` as JSON has it, tuples as lists.

    Raises:
        ValueError: JSON cannot say it.
    """
    plain = _lists(value)
    if any(AnyJson().check(plain, "")):
        raise ValueError("JSON cannot say it")
    return plain


def _lists(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return value
