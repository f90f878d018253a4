"""A host for the plugin of a project folder, as its ``pyproject.toml`` declares it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest.project import entry_points, from_project, read_pyproject
from viloapp_sdk.testing.host import FakeHost

__all__ = ["entry_point_of", "host_of_project"]


def host_of_project(
    project: Path,
    *,
    permissions: Iterable[str] | None = None,
    folder: Path | None = None,
    locale: str = "en",
) -> FakeHost:
    """Return a host that has granted what the project declares; the plugin is not loaded yet.

    Args:
        project: holds ``pyproject.toml``.
        permissions: what is granted instead.
        folder: see `FakeHost`.
        locale: the language of the workspace.

    Raises:
        ManifestError: everything that is wrong with the project.
    """
    manifest = from_project(project)
    declared = [str(row["id"]) for row in manifest.get("permissions", ())]
    # Who consents to an installation consents to calls of the plugins that are required, too.
    declared += [f"plugins.call.{_name(text)}" for text in manifest.get("requires_plugins", ())]
    data: dict[str, Any] = read_pyproject(project).get("project", {})
    return FakeHost(
        _normalized(str(data.get("name", "test_plugin"))),
        version=str(data.get("version", "0")),
        permissions=declared if permissions is None else permissions,
        configuration=manifest.get("configuration", {}),
        folder=folder,
        locale=locale,
    )


def entry_point_of(project: Path) -> str:
    """Return the entry point of a project's plugin, such as ``hello.plugin:Hello``.

    Raises:
        ManifestError: the project cannot be read.
        ViloError: (``no_entry_point``) only a build knows it.
    """
    points = entry_points(read_pyproject(project))
    if not isinstance(points, dict) or len(points) != 1:
        raise ViloError(
            "no_entry_point",
            f"{project / 'pyproject.toml'} names no entry point in viloapp.plugins",
            "load the plugin in the test: host.load(YourPlugin)",
        )
    return "".join(next(iter(points.values())).split())


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return _normalized(found[0]) if found else "unknown"


def _normalized(name: str) -> str:
    """Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
