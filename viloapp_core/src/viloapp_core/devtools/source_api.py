"""What a plugin's source says of its commands, widgets and classes, read by griffe; none of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_sdk.manifest.project import packages, read_pyproject

if TYPE_CHECKING:
    import griffe

__all__ = ["Api", "Argument", "Signature", "read_api"]


@dataclass(frozen=True)
class Argument:
    """A parameter: its name, its type as it is written (``Any`` where it is not), its default."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class Signature:
    """A function or method."""

    name: str
    arguments: tuple[Argument, ...]
    returns: str
    docstring: str


@dataclass(frozen=True)
class Api:
    """What was read.

    Args:
        commands: by the command's id.
        widgets: the public methods of each widget's class, by the widget's id.
        functions: the public functions and classes of the package, by dotted name, with their docstrings.
    """

    commands: dict[str, Signature]
    widgets: dict[str, tuple[Signature, ...]]
    functions: dict[str, Signature]


def read_api(project: Path) -> Api:
    """Read the packages of a project.

    Raises:
        ManifestError: ``pyproject.toml`` cannot be read.
    """
    import griffe

    api = Api({}, {}, {})
    for path in packages(project, read_pyproject(project)):
        module = griffe.load(
            path.stem, search_paths=[path.parent], allow_inspection=False, try_relative_path=False
        )
        if isinstance(module, griffe.Module):
            for each in _modules(module):
                _take(each, api)
    return api


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for child in module.modules.values():
        if not child.is_alias:
            yield from _modules(child)


def _take(module: griffe.Module, api: Api) -> None:
    for name, function in module.functions.items():
        if not function.is_alias and not name.startswith("_"):
            api.functions[function.path] = _callable(function)
            _take_command(function, api)
    for cls in module.classes.values():
        if cls.is_alias:
            continue
        methods = [each for each in cls.functions.values() if not each.is_alias]
        for method in methods:
            _take_command(method, api)
        if (id := _literal(cls, "id")) is not None:
            public = (each for each in methods if not each.name.startswith("_"))
            api.widgets[id] = tuple(_callable(each) for each in public)
        if not cls.name.startswith("_"):
            text = cls.docstring.value if cls.docstring else ""
            api.functions[cls.path] = Signature(cls.name, (), "", text)


def _take_command(function: griffe.Function, api: Api) -> None:
    for decorator in function.decorators:
        call = ast.parse(str(decorator.value), mode="eval").body
        if not isinstance(call, ast.Call) or not ast.unparse(call.func).endswith("command"):
            continue
        given = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "id")]
        if given and isinstance(given[0], ast.Constant) and isinstance(given[0].value, str):
            api.commands[given[0].value] = _callable(function)


def _callable(function: griffe.Function) -> Signature:
    arguments = tuple(
        Argument(
            each.name,
            str(each.annotation) if each.annotation is not None else "Any",
            str(each.default) if each.default is not None else None,
        )
        for each in function.parameters
        if each.name not in ("self", "cls")
    )
    docstring = function.docstring.value if function.docstring else ""
    returns = str(function.returns) if function.returns is not None else "Any"
    return Signature(function.name, arguments, returns, docstring)


def _literal(cls: griffe.Class, name: str) -> str | None:
    attribute = cls.attributes.get(name)
    try:
        value = ast.literal_eval(str(attribute.value)) if attribute is not None else None
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None
