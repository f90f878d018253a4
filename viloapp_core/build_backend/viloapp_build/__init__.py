"""The build backend of `viloapp-core`: setuptools, preceded by two steps.

Before setuptools collects the files it makes sure that two generated folders are there and fresh:

- `src/viloapp_core/web/static/`, the page's bundle (see `frontend`);
- `src/viloapp_core/wheelhouse/`, wheels of the SDK and the plugins of this very clone (see `wheelhouse`).

A source distribution carries both, so that it builds with no Node, no npm registry and no siblings. Both
are stamped with a fingerprint of what they were made from: when that still agrees, nothing is built.
`python -m viloapp_build` (with this folder on `PYTHONPATH`) does the two steps alone, for a clone whose
core is installed in place.

Source: PEP 517 and PEP 660 (hooks), pyproject.toml `backend-path` (in-tree backends).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setuptools import build_meta as _setuptools

from . import frontend, wheelhouse

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_Config = Mapping[str, Any] | None

PROJECT = Path(__file__).resolve().parents[2]
"""The folder of the distribution `viloapp-core`; hooks run with it as the working directory."""

prepare_metadata_for_build_wheel = _setuptools.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = _setuptools.prepare_metadata_for_build_editable


def prepare(project: Path = PROJECT) -> None:
    """Make the bundle and the wheelhouse fresh.

    Raises:
        SystemExit: With a message for the person who builds, when one of them cannot be made.
    """
    frontend.ensure(project)
    wheelhouse.ensure(project)


def get_requires_for_build_wheel(config_settings: _Config = None) -> list[str]:
    """Setuptools' requirements, and a Node when the bundle is stale and the machine has none."""
    return [*_setuptools.get_requires_for_build_wheel(config_settings), *frontend.requirements(PROJECT)]


def get_requires_for_build_editable(config_settings: _Config = None) -> list[str]:
    """As for a wheel."""
    return [*_setuptools.get_requires_for_build_editable(config_settings), *frontend.requirements(PROJECT)]


def get_requires_for_build_sdist(config_settings: _Config = None) -> list[str]:
    """As for a wheel: the source distribution carries the bundle."""
    return [*_setuptools.get_requires_for_build_sdist(config_settings), *frontend.requirements(PROJECT)]


def build_wheel(
    wheel_directory: str, config_settings: _Config = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel with a fresh bundle and wheelhouse in it."""
    prepare()
    # setuptools packs whatever an earlier build left there, modules that are long gone too.
    shutil.rmtree(PROJECT / "build" / "lib", ignore_errors=True)
    return _setuptools.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: _Config = None, metadata_directory: str | None = None
) -> str:
    """Build the in-place wheel; bundle and wheelhouse are made in the source tree."""
    prepare()
    return _setuptools.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: _Config = None) -> str:
    """Build the source distribution, which carries bundle and wheelhouse."""
    prepare()
    return _setuptools.build_sdist(sdist_directory, config_settings)
