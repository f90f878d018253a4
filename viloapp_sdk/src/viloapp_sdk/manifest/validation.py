"""Whether data is a manifest: its shape from the table of fields, then what the fields say together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from viloapp_sdk.manifest.chain import chain_issues
from viloapp_sdk.manifest.errors import Issue
from viloapp_sdk.manifest.fields import MANIFEST
from viloapp_sdk.manifest.shapes import describe, shorten

_KEYED = (("permissions", "id"), ("commands", "id"), ("widgets", "id"))


def validate(data: object) -> list[Issue]:
    """Return everything that is wrong with ``data`` as the content of a `plugin.json`.

    Args:
        data: what was decoded from JSON or TOML; of any shape, from anybody.

    Returns:
        No issue when ``data`` is a manifest. Unknown keys are issues; each has a path such as
        ``permissions[0].id``.
    """
    issues = list(MANIFEST.check(data))
    if not isinstance(data, Mapping):
        return issues
    for key, field in _KEYED:
        issues += _duplicates(data.get(key), key, field)
    issues += _settings(data.get("configuration"))
    if not any(issue.path.startswith("settings") for issue in issues):
        issues += chain_issues(data.get("settings"))
    for index, command in _tables(data.get("commands")):
        issues += check_parameters(command.get("parameters"), f"commands[{index}].parameters")
    return issues


def deprecations(data: object) -> list[Issue]:
    """Return each use of a deprecated key in the content of a `plugin.json`, or in ``[tool.viloapp]``."""
    return list(MANIFEST.deprecated(data))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `plugin.json`, from the same table as `validate`.

    It says everything that can be said of one field; that ids differ and that a default fits its type is
    checked by `validate` alone.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plugin.json, the manifest of a ViloApp plugin",
    } | MANIFEST.json_schema()


def check_parameters(value: object, path: str) -> Iterator[Issue]:
    """Yield what is wrong between the fields of a command's ``parameters``."""
    yield from _duplicates(value, path, "name")
    for index, parameter in _tables(value):
        default = parameter.get("default")
        if default is not None and not fits(default, parameter.get("type", "any")):
            wanted = parameter.get("type")
            yield Issue(f"{path}[{index}].default", f"must be of type {wanted}, not {describe(default)}")


def fits(value: object, kind: object) -> bool:
    """Return whether ``value`` has the JSON type ``kind``; an unknown kind fits all, its own issue tells."""
    if kind in ("integer", "number") and isinstance(value, bool):
        return False
    classes: dict[object, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": Mapping,
    }
    return not isinstance(kind, str) or isinstance(value, classes.get(kind, object))


def _tables(value: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the entries that have the right shape at all, with their index."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, Mapping):
            yield index, item


def _duplicates(value: object, path: str, field: str) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for index, item in _tables(value):
        key = item.get(field)
        if not isinstance(key, str):
            continue
        if key in seen:
            yield Issue(f"{path}[{index}].{field}", f"{shorten(key)} stands already at {path}[{seen[key]}]")
        seen.setdefault(key, index)


def _settings(value: object) -> Iterator[Issue]:
    for name, setting in value.items() if isinstance(value, Mapping) else ():
        if isinstance(setting, Mapping) and isinstance(name, str) and len(name) <= 64:
            yield from _setting(setting, f"configuration.{name}")


def _setting(setting: Mapping[str, Any], path: str) -> Iterator[Issue]:
    kind = setting.get("type")
    numeric = kind in ("integer", "number")
    bounds = {key: setting[key] for key in ("minimum", "maximum") if key in setting}
    if bounds and not numeric:
        yield Issue(path, "minimum and maximum need the type integer or number")
    bounds = {key: bound for key, bound in bounds.items() if numeric and fits(bound, "number")}
    least, most = bounds.get("minimum"), bounds.get("maximum")
    if least is not None and most is not None and least > most:
        yield Issue(f"{path}.minimum", "is greater than maximum")
    choices = setting.get("enum")
    for index, choice in enumerate(choices if isinstance(choices, list) else ()):
        if not fits(choice, kind):
            yield Issue(f"{path}.enum[{index}]", f"must be of type {kind}, not {describe(choice)}")
    if "default" not in setting:
        return
    default = setting["default"]
    if not fits(default, kind):
        yield Issue(f"{path}.default", f"must be of type {kind}, not {describe(default)}")
    elif isinstance(choices, list) and default not in choices:
        yield Issue(f"{path}.default", "is not one of enum")
    elif (least is not None and default < least) or (most is not None and default > most):
        yield Issue(f"{path}.default", "is outside of minimum and maximum")
