"""Judge a project before it is built: all that can be said of it without running any of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viloapp_core.devtools.catalogues import catalogue_findings, dependencies_of, read_texts
from viloapp_core.devtools.deprecated import deprecation_findings
from viloapp_core.devtools.excess import project_findings
from viloapp_core.devtools.findings import UNREADABLE, Finding, ordered
from viloapp_core.devtools.manifest_file import ManifestFileError, differences, manifest_file
from viloapp_core.devtools.metadata import metadata_findings
from viloapp_core.devtools.references import (
    class_finding,
    reference_findings,
    setting_findings,
    step_findings,
)
from viloapp_core.devtools.shipping import shipping_findings
from viloapp_core.devtools.toml_lines import line_of
from viloapp_core.manifest import Issue, ManifestError, PluginDescription, read_source
from viloapp_sdk.manifest import FILE_NAME, translatable
from viloapp_sdk.manifest import ManifestError as SdkManifestError
from viloapp_sdk.manifest.project import packages, read_pyproject, tool_table

__all__ = ["finding_of", "validate_project"]

_FILE = "pyproject.toml"
_PLACE = re.compile(r"(?P<file>[^:]+):(?P<line>\d+)(?::\d+)?")
_AT_LINE = re.compile(r"\(at line (\d+)")


def validate_project(folder: Path, learned: Sequence[str] | None = None) -> tuple[str, list[Finding]]:
    """Return a project's plugin id, empty where it has none, and everything that is to be said of it.

    Args:
        folder: of the project.
        learned: permissions of a report of `viloapp permissions learn`.
    """
    try:
        data = read_pyproject(folder)
        text = (folder / _FILE).read_text("utf-8")
    except (SdkManifestError, OSError, ValueError) as error:
        issues = error.issues if isinstance(error, SdkManifestError) else [Issue(_FILE, str(error))]
        return "", [finding_of(issue, "") for issue in issues]
    findings = list(metadata_findings(folder, data, text))
    plugin = None
    try:
        plugin = read_source(folder)
    except ManifestError as error:
        written = _written(folder, data)
        findings += [finding_of(issue, text, written) for issue in error.issues]
    if plugin is not None:
        findings += _of_plugin(folder, plugin, data, text, learned)
    return plugin.plugin_id if plugin else "", ordered(findings)


def _of_plugin(
    folder: Path,
    plugin: PluginDescription,
    data: Mapping[str, Any],
    text: str,
    learned: Sequence[str] | None,
) -> Iterator[Finding]:
    """Yield what is to be said where the manifest as such is good."""
    sources = packages(folder, data)
    if finding := class_finding(folder, plugin.entry_point.value, sources, text):
        yield finding
    yield from step_findings(folder, plugin.manifest.settings, sources, text)
    entries = (plugin.manifest.commands, plugin.manifest.widgets)
    commands, widgets = ({str(entry["id"]) for entry in group} for group in entries)
    table = tool_table(data)
    if isinstance(table, Mapping):
        yield from reference_findings(plugin.plugin_id, table, commands, widgets, text)
        yield from _file_findings(folder, data)
    words = translatable(plugin.manifest.to_json(), plugin.summary)
    for texts in read_texts(folder, sources, words):
        yield from catalogue_findings(texts, dependencies_of(data))
    yield from shipping_findings(folder, data, text, sources)
    yield from deprecation_findings(folder, data, text)
    yield from project_findings(folder, plugin, learned)
    for module in (path for source in sources for path in _modules(source)):
        path = module.relative_to(folder).as_posix() if module.is_relative_to(folder) else str(module)
        try:
            yield from setting_findings(module.read_text("utf-8"), path, plugin.manifest.configuration)
        except UNREADABLE:
            continue  # `project_findings` says so


def _file_findings(folder: Path, data: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how the manifest as a file differs, where a build backend needs it or somebody keeps it."""
    build = data.get("build-system", {})
    backend = str(build.get("build-backend", "setuptools")) if isinstance(build, Mapping) else "setuptools"
    try:
        path, content = manifest_file(folder)
    except (ManifestFileError, ManifestError) as error:
        if not backend.startswith("setuptools"):
            yield Finding("build", "", _FILE, 0, error.detail)
        return
    if backend.startswith("setuptools") and not path.is_file():
        return
    for each in differences(path, content):
        shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
        yield Finding("build", "", shown, 0, f"{each}: viloapp manifest write")


def _written(folder: Path, data: Mapping[str, Any]) -> str:
    """Return the file of the manifest, relative to the project, where that is all that it has."""
    if tool_table(data) is not None:
        return ""
    files = (package / FILE_NAME for package in packages(folder, data))
    return next((file.relative_to(folder).as_posix() for file in files if file.is_file()), "")


def _modules(source: Path) -> list[Path]:
    return sorted(source.rglob("*.py")) if source.is_dir() else [source]


def finding_of(issue: Issue, text: str, written: str = "") -> Finding:
    """Return an issue of a manifest as a finding; its path is a key, or a place in a source.

    Args:
        issue: of a reader.
        text: of ``pyproject.toml``.
        written: the file of the manifest, where the project has one instead of ``[tool.viloapp]``.
    """
    if place := _PLACE.fullmatch(issue.path):
        file = written if written and place["file"] == FILE_NAME else place["file"]
        return Finding("manifest", "", file, int(place["line"]), issue.message)
    if issue.path.endswith(".py"):
        return Finding("manifest", "", issue.path, 0, issue.message)
    if issue.path == _FILE:
        at = _AT_LINE.search(issue.message)
        return Finding("manifest", "", _FILE, int(at[1]) if at else 0, issue.message)
    path = issue.path
    if not path.startswith(("project", "tool.", "build-system")):
        if written:
            return Finding("manifest", "", written, 0, f"{path}: {issue.message}")
        path = f"tool.viloapp.{path}"
    return Finding("manifest", "", _FILE, line_of(text, path), f"{issue.path}: {issue.message}")
