"""The adapter to a project folder: what its wheel would say, without building it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName
from packaging.version import InvalidVersion, Version

from viloapp_core.manifest.description import EntryPoint, PluginDescription
from viloapp_core.manifest.errors import Issue, ManifestError
from viloapp_core.manifest.files import DistInfoFiles
from viloapp_core.manifest.package_files import package_of
from viloapp_core.manifest.reader import check_manifest, find_beside_class, plugin_name
from viloapp_core.manifest.strict_json import decode
from viloapp_core.manifest.translations import every, folder_reader
from viloapp_sdk.manifest import ENTRY_POINT_GROUP, from_project
from viloapp_sdk.manifest import ManifestError as SdkManifestError
from viloapp_sdk.manifest.catalogues import catalogue_issues
from viloapp_sdk.manifest.printable import make_safe
from viloapp_sdk.manifest.project import (
    entry_point_issues,
    entry_points,
    packages,
    read_pyproject,
    tool_table,
)

__all__ = ["describe_source", "refuse_broken_catalogues"]


def describe_source(directory: Path) -> PluginDescription:
    """Return the plugin that a project folder holds; see `viloapp_core.manifest.read_source`.

    Raises:
        ManifestError: everything that is wrong, in ``pyproject.toml`` and in the source.
    """
    issues: list[Issue] = []
    data: dict[str, Any] = {}
    raw: object = None
    try:
        data = read_pyproject(directory)
        raw = _beside_the_class(directory, data, issues) if tool_table(data) is None else None
        if raw is None and not issues:
            raw = from_project(directory)
    except SdkManifestError as error:
        if not data:
            raise ManifestError(error.issues, str(directory), error.hint) from error
        issues += error.issues
    fields = _project(data.get("project"), issues)
    manifest = None
    if raw is not None:
        manifest, problems = check_manifest(raw, str(fields["plugin_id"]))
        issues += problems
    point = fields.pop("point")
    if issues or manifest is None or point is None:
        raise ManifestError(issues, str(directory))
    translations = _translations(directory, data, point)
    return PluginDescription(entry_point=point, manifest=manifest, translations=translations, **fields)


def _translations(directory: Path, data: dict[str, Any], point: EntryPoint) -> dict[str, dict[str, str]]:
    for root in source_roots(directory, data):
        for package in package_of(point.value):
            path = root.joinpath(*package)
            if path.is_dir():
                names = DistInfoFiles(path / "none.dist-info").names("locales/")
                return every(names, folder_reader(path))
    return {}


def source_roots(directory: Path, data: dict[str, Any]) -> tuple[Path, ...]:
    """Return the folders that hold a project's packages, without asking the build backend."""
    return tuple(dict.fromkeys(path.parent for path in packages(directory, data)))


def _beside_the_class(directory: Path, data: dict[str, Any], issues: list[Issue]) -> object:
    """Return the content of ``<package>/plugin.json``, which build backends other than setuptools ship.

    None where there is none; what is wrong with it is added to ``issues``.
    """
    points = entry_points(data)
    if any(entry_point_issues(points)):
        return None  # `from_project` reports them
    point = _entry_point({ENTRY_POINT_GROUP: points})
    for root in source_roots(directory, data):
        content = find_beside_class(DistInfoFiles(root / "none.dist-info"), point)
        if content is not None:
            raw, problems = decode(content)
            issues += problems
            return raw
    return None


def refuse_broken_catalogues(directory: Path) -> None:
    """Look at the catalogues of a project; see `viloapp_core.manifest.check_catalogues`.

    Raises:
        ManifestError: texts that could not be shown, each with file and line.
    """
    try:
        sources = packages(directory, read_pyproject(directory))
    except SdkManifestError as error:
        raise ManifestError(error.issues, str(directory), error.hint) from error
    if issues := catalogue_issues(sources, directory):
        raise ManifestError(issues, f"the catalogues of {directory}", "see them all: viloapp i18n check")


def _project(value: object, issues: list[Issue]) -> dict[str, Any]:
    """Return what ``[project]`` says; what is wrong is added to ``issues``.

    Source: https://packaging.python.org/specifications/pyproject-toml/
    """
    project: dict[str, Any] = value if isinstance(value, dict) else {}

    def parse(path: str, text: object, make: Callable[[str], Any]) -> Any:
        try:
            return make(text if isinstance(text, str) else "")
        except (InvalidName, InvalidVersion, InvalidSpecifier, InvalidRequirement) as error:
            issues.append(Issue(f"project.{path}", make_safe(str(error), 200)))
            return None

    if "version" in (project.get("dynamic") or ()):
        issues.append(Issue("project.version", "is dynamic, so only a build knows it: build the wheel"))
        version = None
    else:
        version = parse("version", project.get("version"), Version)
    dependencies = project.get("dependencies")
    requirements = [
        parse(f"dependencies[{index}]", text, Requirement)
        for index, text in enumerate(dependencies if isinstance(dependencies, list) else [])
    ]
    return {
        "plugin_id": parse("name", project.get("name"), plugin_name),
        "name": str(project.get("name", "")),
        "version": version,
        "summary": make_safe(str(project.get("description", "")), 300),
        "author": make_safe(_authors(project.get("authors")), 300),
        "license": make_safe(_license(project.get("license")), 100),
        "requires_python": parse("requires-python", project.get("requires-python"), SpecifierSet),
        "requires_dist": tuple(requirements),
        "point": _entry_point(project.get("entry-points")),
    }


def _authors(value: object) -> str:
    entries = [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
    return ", ".join(str(entry.get("name") or entry.get("email") or "") for entry in entries)


def _license(value: object) -> str:
    """Return the SPDX expression, or the first line of the older table's text."""
    text = value.get("text", "") if isinstance(value, dict) else value
    return text.strip().partition("\n")[0] if isinstance(text, str) else ""


def _entry_point(groups: object) -> EntryPoint | None:
    """Return the one entry point; that it is exactly one has been checked with the manifest."""
    points = groups.get(ENTRY_POINT_GROUP) if isinstance(groups, dict) else None
    if not isinstance(points, dict) or len(points) != 1:
        return None
    ((name, value),) = points.items()
    return EntryPoint(str(name), str(value))
