"""What `[project]` and `[build-system]` should say of a plugin beyond what a manifest needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from viloapp_core.devtools.findings import Finding
from viloapp_core.devtools.toml_lines import line_of

__all__ = ["metadata_findings"]

_FILE = "pyproject.toml"
_README_SUFFIXES = (".md", ".rst", ".txt")
_LICENCES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")


def metadata_findings(folder: Path, data: Mapping[str, Any], text: str) -> Iterator[Finding]:
    """Yield what is missing or wrong.

    Args:
        folder: of the project.
        data: its ``pyproject.toml``, decoded.
        text: the same, as it stands.

    Source: https://packaging.python.org/specifications/pyproject-toml/, PEP 639.
    """
    project = _table(data, "project")
    checks = (_words(project), _readme(folder, project), _licence(folder, project), _classifiers(project))
    for path, message, level in (issue for check in checks for issue in check):
        yield Finding("metadata", "", _FILE, line_of(text, path), f"{path}: {message}", level)
    for path, message in _requirements(data, project):
        kind = "build" if path.startswith("build") else "metadata"
        yield Finding(kind, "", _FILE, line_of(text, path), f"{path}: {message}")


_Issue = tuple[str, str, str]


def _words(project: Mapping[str, Any]) -> Iterator[_Issue]:
    if not str(project.get("description", "")).strip():
        yield "project.description", "is missing: listings show it", "error"
    if not project.get("requires-python") and "requires-python" not in project.get("dynamic", ()):
        yield (
            "project.requires-python",
            'is missing: pip takes it for any Python; such as ">=3.10"',
            "warning",
        )
    if not project.get("authors") and not project.get("maintainers"):
        yield "project.authors", "is missing: nobody can be asked", "warning"


def _readme(folder: Path, project: Mapping[str, Any]) -> Iterator[_Issue]:
    path, value = "project.readme", project.get("readme")
    if "readme" in project.get("dynamic", ()):
        return
    if isinstance(value, Mapping) and "text" in value:
        return
    name = value.get("file") if isinstance(value, Mapping) else value
    if not isinstance(name, str):
        yield path, "is missing: it is the plugin's page on an index", "error"
        return
    if not (folder / name).is_file():
        yield path, f"{name} is not there", "error"
    elif not (folder / name).read_bytes().strip():
        yield path, f"{name} is empty", "error"
    elif isinstance(value, str) and not name.lower().endswith(_README_SUFFIXES):
        yield path, f"{name} has no ending that says what it is: {', '.join(_README_SUFFIXES)}", "error"


def _licence(folder: Path, project: Mapping[str, Any]) -> Iterator[_Issue]:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    path, value = "project.license", project.get("license")
    classified = [each for each in _texts(project.get("classifiers")) if each.startswith("License ::")]
    if isinstance(value, str):
        try:
            canonicalize_license_expression(value)
        except InvalidLicenseExpression as error:
            yield path, f"{error}; it is an SPDX expression, such as MIT or Apache-2.0", "error"
        if classified:
            yield (
                "project.classifiers",
                f"{classified[0]!r} repeats license; leave it out",
                "error",
            )
    elif value is None and not classified and "license" not in project.get("dynamic", ()):
        yield path, "is missing: nobody may use what has none; such as MIT", "error"
    patterns = project.get("license-files")
    for pattern in _texts(patterns) if isinstance(patterns, list) else ():
        if not any(folder.glob(pattern)):
            yield "project.license-files", f"no file is called {pattern}", "error"
    if patterns is None and not any(any(folder.glob(each)) for each in _LICENCES):
        yield "project.license-files", "no file has the licence's text; such as LICENSE", "warning"


def _classifiers(project: Mapping[str, Any]) -> Iterator[_Issue]:
    found = _texts(project.get("classifiers"))
    known = _known_classifiers()
    for each in found:
        if each.startswith("Private ::"):
            yield "project.classifiers", f"{each!r}: an index refuses what is private", "warning"
        elif (known and each not in known) or not re.fullmatch(r"[^:]+( :: [^:]+)+", each):
            yield "project.classifiers", f"{each!r} is no classifier; an index would refuse it", "error"
    for each in sorted({each for each in found if found.count(each) > 1}):
        yield "project.classifiers", f"{each!r} stands there twice", "error"


def _known_classifiers() -> set[str]:
    """Return all that there are; none where the library (extra ``author``) is not installed."""
    try:
        from trove_classifiers import classifiers
    except ImportError:
        return set()
    return set(classifiers)


def _requirements(data: Mapping[str, Any], project: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    dependencies = {_name(each) for each in _texts(project.get("dependencies"))}
    if "viloapp-sdk" not in dependencies and "dependencies" not in project.get("dynamic", ()):
        yield "project.dependencies", 'lacks viloapp-sdk, which runs the plugin: "viloapp-sdk>=1,<2"'
    if "viloapp-core" in dependencies:
        yield "project.dependencies", "has viloapp-core, which runs plugins and is never inside one"
    build = _table(data, "build-system")
    backend = str(build.get("build-backend", "setuptools"))
    hooked = backend.startswith("setuptools") and _table(_table(data, "tool"), "viloapp")
    if hooked and "viloapp-sdk" not in {_name(each) for each in _texts(build.get("requires"))}:
        yield "build-system.requires", 'lacks viloapp-sdk, which writes the manifest: "viloapp-sdk>=1,<2"'


def _name(requirement: str) -> str:
    from viloapp_core.foundation.names import normalized

    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return normalized(match[0]) if match else ""


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
