"""Settings: 1.0, the monolithic application; 2.0, the specification's; 3.0, today's.

Source: the specification, Settings Migration, for the first step; docs/reference/settings.md for 3.0.
"""

from typing import Any

from viloapp_core.migration.chain import KEPT, Chain, Finding, Moved, Step
from viloapp_core.migration.fields import SECTIONS, THEMES, Field
from viloapp_core.migration.shapes import find

__all__ = ["SETTINGS"]

_CORE_TODAY = ("worker_nice",)
"""A name under ``core`` that already was in files called 2.0, beside the theme and those with a dot."""
_CORE_THEMES = ("dark", "light", "high-contrast")
_THEME_NAMES = ("theme", "current", "name")
"""Under which the theme's name is where ``theme`` is a section."""


def _to_2(document: dict[str, Any]) -> Moved:
    """Sort the settings under those whom they belong to."""
    found = find(document)
    findings = list(found.findings)
    new: dict[str, Any] = {"version": "2.0", "core": found.core, "plugins": {}}
    for section, (plugin, fields) in SECTIONS.items():
        if section not in found.sections:
            continue
        values = new["plugins"][plugin] = {field.new: field.default for field in fields}
        for field in fields:
            if (place := found.values.get((section, field.old))) is None:
                continue
            if problem := field.wrong_type(place.value):
                findings.append(_replaced(".".join(place.path), place.value, problem, field))
                _keep_at(found.rest, place.path, place.value)
            else:
                values[field.new] = place.value
    findings += [Finding("kept", path, "it has no place any more") for path in _told(found.rest, findings)]
    if found.rest:
        new[KEPT] = {"1.0": found.rest}
    return Moved(new, tuple(findings))


def _to_3(document: dict[str, Any]) -> Moved:
    """Leave under ``core`` and the plugins what today's settings can hold."""
    findings: list[Finding] = []
    rest: dict[str, Any] = {}
    core = _section(document.get("core", {}), "core", findings, rest)
    plugins = _section(document.get("plugins", {}), "plugins", findings, rest)
    new: dict[str, Any] = {"version": "3.0", "core": {}, "plugins": {}}
    for name, value in core.items():
        if name in _CORE_TODAY or "." in name:
            new["core"][name] = value
        elif name == "theme":
            _theme(value, new["core"], findings, rest)
        else:
            _keep_at(rest, ("core", name), value)
            findings.append(Finding("kept", f"core.{name}", "the workspace has no such setting today"))
    known = {plugin: {field.new: field for field in fields} for plugin, fields in SECTIONS.values()}
    for plugin, values in plugins.items():
        values = _section(values, f"plugins.{plugin}", findings, rest)
        section = new["plugins"][plugin] = {}
        for name, value in values.items():
            field = known.get(plugin, {}).get(name)
            # What a plugin came to declare since is its own, and its manifest says what it may be.
            section[name] = (
                value if field is None else _fitting(field, f"plugins.{plugin}.{name}", value, findings, rest)
            )
    for name in document.keys() - {"version", "core", "plugins", KEPT}:
        _keep_at(rest, (name,), document[name])
        findings.append(Finding("kept", name, "it has no place any more"))
    kept = document.get(KEPT, {})
    if not isinstance(kept, dict):
        kept, rest[KEPT] = {}, kept
    if rest:
        kept = {**kept, "2.0": rest}
    return Moved({**new, KEPT: kept} if kept else new, tuple(findings))


def _section(value: Any, path: str, findings: list[Finding], rest: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    _keep_at(rest, tuple(path.split(".", 1)), value)
    findings.append(Finding("replaced", path, "it has to be a section; its defaults are used"))
    return {}


def _theme(value: Any, core: dict[str, Any], findings: list[Finding], rest: dict[str, Any]) -> None:
    """Take the workspace's theme, which in the wild is a name or a section that has one among others."""
    name = value
    if isinstance(value, dict):
        name = next((value[key] for key in value if key.lower() in _THEME_NAMES), None)
        _keep_at(rest, ("core", "theme"), value)
        if len(value) > 1:
            findings.append(Finding("kept", "core.theme", "only the theme's name has a place today"))
    theme = THEMES.get(name, name) if isinstance(name, str) else None
    if theme in _CORE_THEMES:
        core["theme"] = theme
        if theme != name:
            findings.append(Finding("renamed", "core.theme", f"{name} is called {theme} now"))
    else:
        _keep_at(rest, ("core", "theme"), value)
        findings.append(
            Finding("replaced", "core.theme", f"there are {', '.join(_CORE_THEMES)}; the default is used")
        )


def _fitting(field: Field, path: str, value: Any, findings: list[Finding], rest: dict[str, Any]) -> Any:
    new = field.renamed.get(value, value) if isinstance(value, str) else value
    if problem := field.problem(new):
        findings.append(_replaced(path, value, problem, field))
        _keep_at(rest, tuple(path.split(".")), value)
        return field.default
    if new != value:
        findings.append(Finding("renamed", path, f"{value} is called {new} now"))
    return new


def _replaced(path: str, value: Any, problem: str, field: Field) -> Finding:
    shown = repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:40]}…"
    return Finding("replaced", path, f"{shown} cannot be taken: {problem}; {field.default!r} is used")


def _keep_at(target: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value


def _told(rest: dict[str, Any], findings: list[Finding]) -> list[str]:
    """Return the paths of what is kept and was not told of yet."""
    already = {finding.path for finding in findings}
    paths = []
    for key, value in rest.items():
        inner = value if isinstance(value, dict) and key.lower() in (*SECTIONS, "app_defaults") else {}
        paths += [f"{key}.{name}" for name in inner] or [key]
    return [path for path in paths if path not in already]


SETTINGS = Chain((Step("1.0", "2.0", _to_2), Step("2.0", "3.0", _to_3)))
"""From the monolithic application's settings to today's."""
