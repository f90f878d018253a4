"""Wraps a directory plugin of the old form as a project that builds a wheel.

The plugin's own files come over as they are; what is new is a ``pyproject.toml`` and one module that adapts
the old class. The project is made beside its place and named when it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from viloapp_core.devtools.errors import LegacyPluginError
from viloapp_core.devtools.legacy_manifest import LegacyPlugin, read_legacy
from viloapp_core.manifest import read_source
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest.fields import FORMER_ID

__all__ = ["Wrapped", "wrap"]

_DATA = ("resources", "locales")
"""Folders beside the source that belong to the plugin. Source: the specification, Single-file Plugin
Format."""
_TEXTS = ("README.md", "README.rst", "README", "LICENSE", "LICENSE.txt", "CHANGELOG.md")
_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".git", ".venv", "venv", "*.egg-info")
_MAX_MANIFEST = 1024 * 1024


@dataclass(frozen=True)
class Wrapped:
    """The project that was made.

    Attributes:
        folder: where it is.
        plugin_id: its id, the distribution's name.
        old_id: the id that it had.
        notes: what its author has to look at.
    """

    folder: Path
    plugin_id: str
    old_id: str
    notes: tuple[str, ...]


def wrap(source: Path, parent: Path, *, name: str = "") -> Wrapped:
    """Make a project of the plugin in a folder.

    Args:
        source: holds ``plugin.json``; its code is in ``src/``, or beside that.
        parent: the folder that gets the project's, which is called as the plugin is.
        name: of the distribution, in place of the one that the old id gives.

    Raises:
        LegacyPluginError: everything that is wrong with the plugin, or its folder is there already.
    """
    plugin = read_legacy(_read(source / "plugin.json"), name=name)
    code = source / "src" if (source / "src").is_dir() else source
    modules = sorted(_modules(code, flat=code == source))
    top = plugin.module.partition(".")[0]
    if top and top not in {path.stem for path in modules}:
        plugin.problems.append(f"main: there is no {top} in {code}")
    if plugin.problems:
        raise LegacyPluginError(source, plugin.problems)
    folder = parent / plugin.name
    if os.path.lexists(folder):
        raise LegacyPluginError(folder, ["it is there already, and nothing is written over"])
    partial = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}.tmp")
    try:
        _fill(partial, source, plugin, modules)
        read_source(partial)  # what would be refused at a build is refused here
        os.rename(partial, folder)
    except ViloError as error:
        raise LegacyPluginError(source, [line.strip() for line in error.detail.splitlines()]) from error
    except (OSError, shutil.Error) as error:
        raise LegacyPluginError(source, [f"the project cannot be made: {error}"]) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Wrapped(folder, plugin.name, plugin.old_id, tuple(plugin.notes))


def _read(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise LegacyPluginError(path, ["is no ordinary file"])
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_MANIFEST + 1)
        document = json.loads(data) if len(data) <= _MAX_MANIFEST else None
    except OSError as error:
        raise LegacyPluginError(path, [f"cannot be read: {error.strerror}"]) from error
    except (ValueError, RecursionError) as error:
        raise LegacyPluginError(path, [f"is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise LegacyPluginError(path, ["has to hold one JSON object"])
    return document


def _modules(code: Path, *, flat: bool) -> Iterator[Path]:
    """Yield the modules and packages of the plugin; beside them may lie tests, and what is no code."""
    for path in code.iterdir():
        if path.name.startswith((".", "_")) or not path.stem.isidentifier():
            continue
        is_module = path.is_file() and path.suffix == ".py" and path.name != "setup.py"
        is_package = (path / "__init__.py").is_file() and not (flat and path.name == "tests")
        if is_module or is_package:
            yield path


def _fill(folder: Path, source: Path, plugin: LegacyPlugin, modules: list[Path]) -> None:
    """Write the project into a folder that does not exist yet."""
    src = folder / "src"
    src.mkdir(parents=True)
    for path in modules:
        _copy(path, src / path.name)
    data = [name for name in _DATA if (source / name).is_dir()]
    for name in data:
        _copy(source / name, src / name)
        plugin.notes.append(f"{name}/: is in the wheel now, at context.resource_path / {name!r}")
    for name in _TEXTS:
        if (source / name).is_file():
            _copy(source / name, folder / name)
    if (source / "tests").is_dir():
        _copy(source / "tests", folder / "tests")
    _copy(source / "plugin.json", folder / "legacy-plugin.json")
    wrapper = f"{plugin.name.replace('-', '_')}_wrapped"
    wrapper = wrapper if wrapper.isidentifier() else f"plugin_{wrapper}"
    (src / f"{wrapper}.py").write_text(_wrapper(plugin), "utf-8")
    readme = next((name for name in _TEXTS[:2] if (source / name).is_file()), "")
    document = _pyproject(plugin, wrapper, modules, data, readme)
    (folder / "pyproject.toml").write_text(tomli_w.dumps(document), "utf-8")


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; links are followed, so that the project stands by itself."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=_SKIPPED)
    else:
        shutil.copyfile(source, target)


def _wrapper(plugin: LegacyPlugin) -> str:
    """Return the module that adapts the old class; nothing but names goes into it."""
    return (
        '"""The plugin as it was written, for the workspace of today."""\n\n'
        f"from {plugin.module} import {plugin.attribute} as Legacy\n"
        "from viloapp_sdk.compat import LegacyPluginAdapter\n\n\n"
        f"class {_class_name(plugin)}(LegacyPluginAdapter):\n"
        '    """Adapts the old plugin, whose code is unchanged."""\n\n'
        "    legacy = Legacy\n"
    )


def _class_name(plugin: LegacyPlugin) -> str:
    name = "".join(part.title() for part in plugin.name.split("-"))
    return name if name.isidentifier() else f"Plugin{name}"


def _pyproject(
    plugin: LegacyPlugin, wrapper: str, modules: list[Path], data: list[str], readme: str
) -> dict[str, Any]:
    packages = [path.name for path in modules if path.is_dir()]
    project: dict[str, Any] = {
        "name": plugin.name,
        "version": plugin.version,
        "description": plugin.description,
        "requires-python": ">=3.10",
        "dependencies": ["viloapp-sdk>=1,<2", *plugin.dependencies],
    }
    if plugin.author:
        project["authors"] = [{"name": plugin.author}]
    if plugin.license:
        project["license"] = plugin.license
    if readme:
        project["readme"] = readme
    project["entry-points"] = {"viloapp.plugins": {plugin.name: f"{wrapper}:{_class_name(plugin)}"}}
    lists = {
        "requires_plugins": list(plugin.requires_plugins),
        "conflicts": list(plugin.conflicts),
        "load_after": list(plugin.load_after),
        "load_before": list(plugin.load_before),
        "formerly": [plugin.old_id] if not list(FORMER_ID.check(plugin.old_id, "id")) else [],
        "permissions": list(plugin.permissions),
    }
    return {
        "build-system": {
            "requires": ["setuptools>=77", "viloapp-sdk>=1,<2"],
            "build-backend": "setuptools.build_meta",
        },
        "project": project,
        "tool": {
            "setuptools": {
                "package-dir": {"": "src"},
                "py-modules": [*(path.stem for path in modules if path.is_file()), wrapper],
                "packages": [*_all_packages(modules), *data],
                "package-data": {"*": ["**/*"]} if packages or data else {},
            },
            "viloapp": {
                "api_version": "1.0",
                # What it offers is known only when it runs.
                "activation_events": ["onStartup"],
                **{key: value for key, value in lists.items() if value},
            },
        },
    }


def _all_packages(modules: list[Path]) -> list[str]:
    """Return the packages among the modules, those inside others too, dotted."""
    found = []
    for top in modules:
        if top.is_dir():
            inner = [
                path.parent for path in sorted(top.rglob("__init__.py")) if "__pycache__" not in path.parts
            ]
            found += [".".join((top.name, *path.relative_to(top).parts)) for path in inner]
    return found
