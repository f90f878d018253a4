"""`<package>/plugin.json`: the manifest as a file of the package, for build backends other than setuptools.

>>> path, text = manifest_file(Path("hello"))      # doctest: +SKIP
>>> path
PosixPath('hello/src/hello/plugin.json')
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from viloapp_core.devtools.errors import DevtoolsError
from viloapp_core.manifest import ENTRY_POINT_GROUP, Issue, ManifestError, read_source
from viloapp_sdk.manifest import FILE_NAME, from_project
from viloapp_sdk.manifest.project import entry_points, packages, read_pyproject

__all__ = ["ManifestFileError", "differences", "manifest_file"]


class ManifestFileError(DevtoolsError):
    """The file cannot be where a reader of the wheel would look for it."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("manifest_file", detail, hint)


def manifest_file(folder: Path) -> tuple[Path, str]:
    """Return where a project's manifest belongs and what it is; nothing is written.

    Args:
        folder: of the project.

    Raises:
        ManifestError: the project is no good plugin; with every issue.
        ManifestFileError: its class is in no package.
    """
    read_source(folder)  # what the core has against it, above what the SDK sees
    data = read_pyproject(folder)
    content: dict[str, Any] = from_project(folder)
    points = entry_points(data)
    if not isinstance(points, dict):
        path = f'project.entry-points."{ENTRY_POINT_GROUP}"'
        raise ManifestError([Issue(path, "is dynamic, so only a build knows the package")], str(folder))
    module = str(next(iter(points.values()))).partition(":")[0].strip()
    top = module.partition(".")[0]
    package = next((each for each in packages(folder, data) if each.stem == top), None)
    if package is None or not package.is_dir():
        raise ManifestFileError(
            f"{folder}: the plugin's class is in the module {module}, which is in no package",
            f"make a folder {top}/ of it: the file lies beside the code",
        )
    return package / FILE_NAME, json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def differences(path: Path, text: str) -> list[str]:
    """Return how a file differs from what it should be, by key; empty where it does not.

    Args:
        path: of the file.
        text: what it should be.
    """
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return ["is missing"]
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
    if found == text.encode():
        return []
    try:
        old = json.loads(found)
    except (ValueError, RecursionError):
        return ["is no JSON"]
    new: dict[str, Any] = json.loads(text)
    if not isinstance(old, dict):
        return ["is no JSON object"]
    keys = [key for key in (*new, *sorted(set(old) - set(new))) if old.get(key) != new.get(key)]
    return [f"{key} is not what the project says" for key in keys] or ["is written differently"]
