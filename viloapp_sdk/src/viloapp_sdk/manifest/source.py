r"""Commands and widgets of a plugin, read from its source with `ast`; none of it is run.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     module = Path(folder, "hello.py")
...     _ = module.write_text(
...         "from viloapp_sdk import Plugin, command\n"
...         "class Hello(Plugin):\n"
...         "    @command('hello.greet', title='Say hello')\n"
...         "    def greet(self, name: str = 'world'): ...\n")
...     scan([module]).commands[0]["parameters"]
[{'name': 'name', 'type': 'string', 'required': False, 'default': 'world'}]
"""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_sdk.manifest.errors import Issue
from viloapp_sdk.manifest.fields import COMMAND, WIDGET
from viloapp_sdk.manifest.module import Module, SourceError
from viloapp_sdk.manifest.validation import check_parameters

_WIDGET_KEYS = ("id", "title", "icon", "kind", "position")
_WIDGET_DEFAULTS = {"icon": "", "kind": "text", "position": "main"}


@dataclass(frozen=True)
class Contributions:
    """What a plugin's source declares.

    Args:
        commands: entries of the manifest's ``commands``, in the order of files and lines.
        widgets: entries of the manifest's ``widgets``, likewise.
        issues: what could not be read statically, with ``file:line`` as path.
    """

    commands: tuple[dict[str, Any], ...]
    widgets: tuple[dict[str, Any], ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class _Found:
    """An entry and the place that declares it."""

    place: str
    entry: dict[str, Any]


def scan(packages: Iterable[Path], *, root: Path | None = None) -> Contributions:
    """Read commands and widgets from source files.

    Args:
        packages: folders, searched for ``*.py`` at any depth, and single files.
        root: what the paths of issues are relative to; by default what holds the package.

    Returns:
        What is declared, and every issue: an id that is no literal, a parameter that a call cannot pass,
        an id that is declared twice, a file that mentions commands or widgets and does not parse.
    """
    modules, issues = _parse(packages, root)
    commands: list[_Found] = []
    widgets: list[_Found] = []
    for module in modules:
        found, command_issues = _commands(module)
        commands += found
        issues += command_issues
    for module, node in _widget_classes(modules):
        found, widget_issues = _widget(module, node)
        widgets += found
        issues += widget_issues
    issues += _check(commands, "command") + _check(widgets, "widget")
    return Contributions(
        tuple(found.entry for found in commands), tuple(found.entry for found in widgets), tuple(issues)
    )


def _parse(packages: Iterable[Path], root: Path | None) -> tuple[list[Module], list[Issue]]:
    modules: list[Module] = []
    issues: list[Issue] = []
    seen: set[Path] = set()
    for package, file in (pair for each in packages for pair in _files(each)):
        if file.resolve() in seen:
            continue
        seen.add(file.resolve())
        name = Path(os.path.relpath(file, root or package.parent)).as_posix()
        try:
            content = file.read_bytes()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an author's "\d" is not the builder's business
                modules.append(Module(name, ast.parse(content)))
        except OSError as error:
            issues.append(Issue(name, f"cannot be read: {error.strerror or error}"))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # Templates and samples may be no valid Python; only one that could declare something matters.
            if b"command" in content or b"Widget" in content:
                line = getattr(error, "lineno", None)
                why = error.msg if isinstance(error, SyntaxError) else str(error)
                issues.append(Issue(f"{name}:{line}" if line else name, f"does not parse: {why}"))
    return modules, issues


def _files(package: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (package, file) for each source file, sorted, so that the result is reproducible."""
    if not package.is_dir():
        yield package, package
        return
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            if name.endswith(".py"):
                yield package, Path(folder, name)


def _commands(module: Module) -> tuple[list[_Found], list[Issue]]:
    found: list[_Found] = []
    issues: list[Issue] = []
    for function, is_method in module.functions():
        for decorator in function.decorator_list:
            if not module.is_ours(getattr(decorator, "func", decorator), ("command",)):
                continue
            place = module.place(decorator)
            try:
                found.append(_Found(place, _command(module, function, decorator, is_method)))
            except SourceError as error:
                issues.append(Issue(place, str(error)))
    return found, issues


def _command(
    module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, decorator: ast.expr, is_method: bool
) -> dict[str, Any]:
    if not isinstance(decorator, ast.Call):
        raise SourceError('@command needs an id: @command("plugin.name", title="…")')
    given: dict[str | None, ast.expr] = dict(zip(("id",), decorator.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in decorator.keywords}
    unknown = [name or "**" for name in given if name not in ("id", "title", "idempotent")]
    if unknown or len(decorator.args) > 1:
        raise SourceError(
            f"@command takes an id, title=… and idempotent=…, not {', '.join(unknown) or 'more'}"
        )
    if "id" not in given:
        raise SourceError("@command has no id")
    command_id = module.text(given["id"], "@command's id")
    title = module.text(given["title"], "@command's title") if "title" in given else ""
    return {
        "id": command_id,
        "title": title or command_id,
        "description": _first_paragraph(function),
        "async": isinstance(function, ast.AsyncFunctionDef),
        # Only where it is so: a core that does not know the word takes every other plugin.
        **({"idempotent": True} if _flag(module, given, "idempotent") else {}),
        "parameters": module.parameters(function, is_method),
    }


def _flag(module: Module, given: dict[str | None, ast.expr], name: str) -> bool:
    try:
        value = module.literal(given[name]) if name in given else False
    except ValueError:
        value = None
    if not isinstance(value, bool):
        raise SourceError(f"@command's {name} must be True or False: the build reads it without running it")
    return value


def _widget_classes(modules: list[Module]) -> list[tuple[Module, ast.ClassDef]]:
    """Return the classes that derive from Widget or IWidget, also through another class of the plugin."""
    classes = [(module, node) for module in modules for node in module.classes()]
    own = {part for module in modules for part in Path(module.name).with_suffix("").parts}
    names: set[str] = set()
    while True:  # a base may be declared after, or in another file than, what derives from it
        found = [
            (module, node)
            for module, node in classes
            if any(module.is_widget_base(base, names, own) for base in node.bases)
        ]
        if names == {node.name for _, node in found}:
            return found
        names = {node.name for _, node in found}


def _widget(module: Module, node: ast.ClassDef) -> tuple[list[_Found], list[Issue]]:
    values, issues = {}, []
    attributes = module.attributes(node)
    for key in _WIDGET_KEYS:
        if key in attributes:
            try:
                values[key] = module.text(attributes[key], f"{node.name}.{key}")
            except SourceError as error:
                issues.append(Issue(module.place(attributes[key]), str(error)))
    # A class without an id is a base of others, or says its id only when it runs.
    if not values.get("id"):
        return [], issues if "id" in attributes else []
    entry = {"id": values["id"], "title": values.get("title") or values["id"]}
    entry |= {key: values.get(key, default) for key, default in _WIDGET_DEFAULTS.items()}
    entry["description"] = _first_paragraph(node)
    return [_Found(module.place(node), entry)], issues


def _check(found: list[_Found], kind: str) -> list[Issue]:
    """Return what the manifest's format has against the entries, at the place of the source."""
    shape = COMMAND if kind == "command" else WIDGET
    issues: list[Issue] = []
    places: dict[str, str] = {}
    for item in found:
        problems = list(shape.check(item.entry)) + list(
            check_parameters(item.entry.get("parameters"), "parameters")
        )
        issues += [Issue(item.place, f"{kind} {problem}") for problem in problems]
        identifier = item.entry["id"]
        if identifier in places:
            issues.append(
                Issue(item.place, f"{kind} {identifier!r} is declared already at {places[identifier]}")
            )
        places.setdefault(identifier, item.place)
    return issues


def _first_paragraph(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    docstring = ast.get_docstring(node) or ""
    return " ".join(docstring.split("\n\n")[0].split())[:4000]
