"""A plugin's project folder to its manifest: `[tool.viloapp]` and what the source declares, in one dict.

>>> from_project(Path("examples/hello"))["commands"][0]["id"]      # doctest: +SKIP
'hello.greet'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from viloapp_sdk.manifest.api_version import asked_of, speaks
from viloapp_sdk.manifest.errors import Issue, ManifestError
from viloapp_sdk.manifest.fields import DERIVED, MANIFEST
from viloapp_sdk.manifest.format import API_VERSION, ENTRY_POINT_GROUP, SCHEMA_VERSION
from viloapp_sdk.manifest.shapes import describe
from viloapp_sdk.manifest.source import Contributions, scan
from viloapp_sdk.manifest.validation import validate

# Source: entry points specification, object references; extras are deprecated there and refused here.
_OBJECT = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\s*:\s*[^\W\d]\w*(?:\.[^\W\d]\w*)*\s*")
_SUBJECT = "the plugin's pyproject.toml and source"


def from_project(directory: Path) -> dict[str, Any]:
    """Return the content of `plugin.json` for a plugin's project, whatever builds it.

    Args:
        directory: holds ``pyproject.toml``; packages are looked for in ``src/`` (or where
            ``[tool.setuptools.packages.find]`` says), else by the name of the entry point.

    Raises:
        ManifestError: everything that is wrong in ``pyproject.toml`` and in the source.
    """
    data = read_pyproject(directory)
    table = tool_table(data)
    points = entry_points(data)
    if table is None:
        issues = [*entry_point_issues(points), Issue("tool.viloapp", "is missing")]
        raise ManifestError(issues, str(directory / "pyproject.toml"))
    return assemble(table, scan(packages(directory, data), root=directory), points)


def assemble(table: object, contributions: Contributions, points: object) -> dict[str, Any]:
    """Join what an author wrote with what the source says.

    Args:
        table: the content of ``[tool.viloapp]``.
        contributions: what `scan` read.
        points: the project's entry points in the group of plugins; None when only a build knows them.

    Returns:
        The manifest; keys in the order of the reference, without the empty ones.

    Raises:
        ManifestError: everything that is wrong.
    """
    issues = [*entry_point_issues(points), *contributions.issues]
    written: dict[object, Any] = dict(table) if isinstance(table, Mapping) else {}
    if not isinstance(table, Mapping):
        issues.append(Issue("tool.viloapp", f"must be a table, not {describe(table)}"))
    for key in DERIVED:
        if key in written:
            del written[key]
            issues.append(Issue(key, f"is read from the source; remove {key} from [tool.viloapp]"))
    asked = asked_of(written)[1]
    if asked and not speaks(asked):  # whose keys may be ones that this SDK does not know
        message = f"is {asked}, and this viloapp-sdk speaks {API_VERSION}; build with one that speaks it"
        raise ManifestError([*issues, Issue("api_version", message)], _SUBJECT)
    issues += [issue for issue in validate({"schema": SCHEMA_VERSION} | written) if issue not in issues]
    if issues:
        raise ManifestError(issues, _SUBJECT)
    full = {"schema": SCHEMA_VERSION} | written
    full |= {"commands": list(contributions.commands), "widgets": list(contributions.widgets)}
    return {
        field.name: full[field.name]
        for field in MANIFEST.fields
        if full.get(field.name) not in (None, [], {})
    }


def read_pyproject(directory: Path) -> dict[str, Any]:
    """Return the content of a project's ``pyproject.toml``.

    Raises:
        ManifestError: it is missing, unreadable or no TOML.
    """
    path = directory / "pyproject.toml"
    try:
        data: dict[str, Any] = _toml().loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        hint = "name the folder of a plugin's source; viloapp create-plugin makes one"
        raise ManifestError([Issue("pyproject.toml", "is missing")], str(directory), hint) from error
    except OSError as error:
        raise ManifestError([Issue("pyproject.toml", error.strerror or str(error))], str(path)) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise ManifestError([Issue("pyproject.toml", str(error))], str(path)) from error
    return data


def tool_table(data: Mapping[str, Any]) -> object | None:
    """Return ``[tool.viloapp]``, or None when there is none."""
    return _table(data, "tool").get("viloapp")


def packages(directory: Path, data: Mapping[str, Any]) -> list[Path]:
    """Return the folders and files that hold the plugin's code, without asking the build backend."""
    setuptools = _table(_table(data, "tool"), "setuptools")
    find = _table(_table(setuptools, "packages"), "find")
    where = find.get("where", ["src"] if (directory / "src").is_dir() else ["."])
    roots = [directory / str(entry) for entry in where] if isinstance(where, list) else [directory]
    points = _table(_table(_table(data, "project"), "entry-points"), ENTRY_POINT_GROUP)
    names = {str(value).partition(":")[0].partition(".")[0].strip() for value in points.values()}
    found: list[Path] = []
    for root in roots:
        # Beside the code of a flat layout lie tests, docs and virtualenvs: there only what is named counts.
        wanted = names if root.resolve() == directory.resolve() else None
        for child in sorted(root.iterdir()) if root.is_dir() else []:
            is_module = child.suffix == ".py" or (child.is_dir() and not child.name.endswith(".egg-info"))
            if is_module and (wanted is None or child.stem in wanted):
                found.append(child)
    return found


def entry_points(data: Mapping[str, Any]) -> object | None:
    """Return the entry points in the group of plugins, as ``pyproject.toml`` has them.

    None when they are dynamic, so that only a build knows them.
    """
    project = _table(data, "project")
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "entry-points" in dynamic:
        return None
    points: object = _table(project, "entry-points").get(ENTRY_POINT_GROUP, {})
    return points


def entry_point_issues(points: object) -> Iterable[Issue]:
    """Yield what is wrong with a project's entry points: a plugin has exactly one, a class of a module."""
    path = f'project.entry-points."{ENTRY_POINT_GROUP}"'
    if points is None:
        return
    if not isinstance(points, Mapping):
        yield Issue(path, f"must be a table, not {describe(points)}")
    elif len(points) != 1:
        problem = "is missing: it names the plugin's class" if not points else "has more than one entry"
        yield Issue(path, f'{problem}; write exactly one, such as hello = "hello.plugin:Hello"')
    elif not all(isinstance(value, str) and _OBJECT.fullmatch(value) for value in points.values()):
        yield Issue(path, "is not of the form package.module:Class")


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _toml() -> Any:
    """Return a module that reads TOML: Python's, or below 3.11 the one that setuptools carries.

    Raises:
        ManifestError: there is none.
    """
    for name in ("tomllib", "tomli", "setuptools.compat.py310"):
        try:
            module: Any = import_module(name)
        except ImportError:
            continue
        return getattr(module, "tomllib", module)
    raise ManifestError(
        [Issue("pyproject.toml", "cannot be read: this Python has no TOML reader")],
        hint="install tomli, or use Python 3.11 or newer",
    )
