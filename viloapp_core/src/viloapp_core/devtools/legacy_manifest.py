"""A ``plugin.json`` of the old form, as what a project of today says. Pure.

>>> old = {"id": "com.acme.Hello", "version": "1.0", "main": "hello.Plugin",
...        "dependencies": {"plugins": {"com.acme.base": "2.1"}}}
>>> read_legacy(old).name, read_legacy(old).requires_plugins
('hello', ('base==2.1',))

Source: the specification: Plugin CLI Tool (id, main, dependencies) and Dependency Resolution
(``dependencies.plugins``, ``conflicts``, ``load_after``, ``load_before``; a version alone means that one).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from viloapp_sdk.manifest.fields import PERMISSION_ID

__all__ = ["LegacyPlugin", "distribution_name", "read_legacy"]

_USED = {
    "id",
    "name",
    "version",
    "api_version",
    "author",
    "description",
    "main",
    "dependencies",
    "permissions",
}
_USED |= {"conflicts", "load_after", "load_before", "license"}
_SDK = ("viloapp-sdk", "viloapp")
_LIBRARIES = ("python", "packages", "pip")
"""Kinds of dependencies that are libraries."""


@dataclass
class LegacyPlugin:
    """What a manifest of the old form says, in today's terms.

    Attributes:
        name: of the distribution, which is the plugin's id.
        old_id: the id that it had.
        module, attribute: where the plugin's class is.
        problems: what keeps it from being wrapped.
        notes: what was left out, for its author to see to.
    """

    name: str = ""
    old_id: str = ""
    version: str = ""
    author: str = ""
    description: str = ""
    license: str = ""
    module: str = ""
    attribute: str = ""
    dependencies: tuple[str, ...] = ()
    requires_plugins: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    load_after: tuple[str, ...] = ()
    load_before: tuple[str, ...] = ()
    permissions: tuple[dict[str, str], ...] = ()
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def distribution_name(old_id: str) -> str:
    """Return the distribution's name for an old id: the last part of ``com.author.name``, normalized.

    Raises:
        InvalidName: it cannot be one.
    """
    return canonicalize_name(old_id.rpartition(".")[2].strip(), validate=True)


def read_legacy(old: Mapping[str, Any], *, name: str = "") -> LegacyPlugin:
    """Return what a manifest says, with every problem at once.

    Args:
        old: the content of ``plugin.json``.
        name: of the distribution, in place of the one that the id gives.
    """
    plugin = LegacyPlugin()
    problems = plugin.problems
    plugin.old_id = _text(old, "id", problems, required=True)
    # A dot in a name that a person gives is part of it.
    plugin.name = _name(name.replace(".", "-") or plugin.old_id, problems) if name or plugin.old_id else ""
    plugin.version = _version(_text(old, "version", problems) or "0.1.0", problems)
    author = old.get("author", "")
    plugin.author = _line(author.get("name", "") if isinstance(author, Mapping) else author)
    plugin.description = _line(old.get("description") or old.get("name") or plugin.name)
    plugin.license = _license(old.get("license"), plugin.notes)
    plugin.module, plugin.attribute = _main(_text(old, "main", problems, required=True), problems)
    _dependencies(plugin, old.get("dependencies", {}))
    plugin.conflicts = _requirements(old.get("conflicts", []), "conflicts", problems)
    plugin.load_after = tuple(_names(old.get("load_after", []), "load_after", problems))
    plugin.load_before = tuple(_names(old.get("load_before", []), "load_before", problems))
    plugin.permissions = tuple(_permissions(old.get("permissions", []), plugin))
    plugin.notes += [
        f"{key}: has no place; it stays in legacy-plugin.json" for key in old if key not in _USED
    ]
    return plugin


def _text(old: Mapping[str, Any], key: str, problems: list[str], *, required: bool = False) -> str:
    value = old.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not value.strip():
        problems.append(f"{key}: {'is missing' if value is None else 'has to be text'}")
        return ""
    return value.strip()


def _line(value: Any) -> str:
    """Return text on one line, as core metadata has it."""
    return " ".join(str(value or "").split())[:500]


def _name(old_id: str, problems: list[str]) -> str:
    try:
        return distribution_name(old_id)
    except InvalidName:
        problems.append(f"id: {old_id[:80]!r} gives no name for a distribution; give one")
        return ""


def _version(text: str, problems: list[str]) -> str:
    try:
        return str(Version(text))
    except InvalidVersion:
        problems.append(f"version: {text[:40]!r} is none (PEP 440)")
        return ""


def _license(value: Any, notes: list[str]) -> str:
    """Return a licence as core metadata has it; one that is no SPDX expression is left to the author."""
    if value is None:
        return ""
    try:
        return str(canonicalize_license_expression(str(value)))
    except InvalidLicenseExpression:
        notes.append(f"license: {str(value)[:40]!r} is no SPDX expression, such as MIT; left out")
        return ""


def _main(text: str, problems: list[str]) -> tuple[str, str]:
    """Return module and class of ``package.module.Class`` or ``package.module:Class``."""
    separator = ":" if ":" in text else "."
    module, _, attribute = text.rpartition(separator)
    names = [*module.split("."), attribute]
    if text and not all(name.isidentifier() and not keyword.iskeyword(name) for name in names):
        problems.append(f"main: {text[:80]!r} is not of the form module.Class")
        return "", ""
    return module, attribute


def _dependencies(plugin: LegacyPlugin, given: Any) -> None:
    """Sort the dependencies into other plugins and libraries."""
    if not isinstance(given, Mapping):
        plugin.problems.append("dependencies: has to be an object")
        return
    libraries: list[str] = []
    for kind, value in given.items():
        path = f"dependencies.{kind}"
        if kind == "plugins":
            plugin.requires_plugins = _requirements(value, path, plugin.problems)
        elif kind in _LIBRARIES:
            libraries += _requirements(value, path, plugin.problems, rename=False)
        elif canonicalize_name(kind) not in _SDK:  # a library by its own name
            libraries += _requirements({kind: value}, "dependencies", plugin.problems, rename=False)
    plugin.dependencies = tuple(libraries)


def _requirements(value: Any, path: str, problems: list[str], *, rename: bool = True) -> tuple[str, ...]:
    """Return requirements of an object of versions, or of a list of names.

    Args:
        value: what the manifest has.
        path: where.
        problems: gets what is wrong.
        rename: whether they are ids of plugins.
    """
    if isinstance(value, Mapping):
        pairs = [(str(name), spec) for name, spec in value.items()]
    elif isinstance(value, list):
        pairs = [_split(str(each)) for each in value]
    else:
        problems.append(f"{path}: has to be an object of versions")
        return ()
    found = []
    for name, spec in pairs:
        try:
            dist = distribution_name(name) if rename else canonicalize_name(name, validate=True)
            requirement = Requirement(f"{dist}{_specifier(spec)}")
        except (InvalidName, InvalidSpecifier, InvalidRequirement):
            problems.append(f"{path}.{name[:80]}: {str(spec)[:40]!r} is no version of a plugin or library")
        else:
            found.append(str(requirement))
    return tuple(found)


_SPLIT = re.compile(r"([A-Za-z0-9._-]+)\s*(.*)", re.DOTALL)


def _split(text: str) -> tuple[str, str]:
    match = _SPLIT.fullmatch(text.strip())
    return (match[1], match[2]) if match else (text, "")


def _specifier(spec: Any) -> str:
    """Return a specifier; a bare version is exactly that one. Source: the specification's resolver.

    Raises:
        InvalidSpecifier: it is none.
    """
    if spec in (None, "", "*"):
        return ""
    if not isinstance(spec, str):
        raise InvalidSpecifier(str(spec))
    try:
        return f"=={Version(spec.strip())}"
    except InvalidVersion:
        return str(SpecifierSet(spec))


def _names(value: Any, path: str, problems: list[str]) -> Iterator[str]:
    if not isinstance(value, list):
        problems.append(f"{path}: has to be a list")
        return
    for each in value:
        try:
            yield distribution_name(str(each))
        except InvalidName:
            problems.append(f"{path}: {str(each)[:80]!r} is no plugin")


def _permissions(value: Any, plugin: LegacyPlugin) -> Iterator[dict[str, str]]:
    """Yield the permissions that there are today; the others are the author's to replace."""
    if not isinstance(value, list):
        plugin.problems.append("permissions: has to be a list")
        return
    for each in value:
        entry = each if isinstance(each, Mapping) else {"id": each}
        id = entry.get("id")
        if issues := list(PERMISSION_ID.check(id, "permissions")):
            plugin.notes.append(f"permissions: {issues[0].message}; left out")
            continue
        reason = _line(entry.get("reason"))
        yield {"id": str(id), "reason": reason} if reason else {"id": str(id)}
