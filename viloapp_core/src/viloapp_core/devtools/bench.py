"""The environment in which a project's tests run: an installation of its own, with pytest beside the plugin.

It is made as every installation is (locked, fetched, audited, laid down), into a store that holds nothing
else, and made anew only when the project's ``pyproject.toml`` or what was asked for has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.foundation.names import normalized
from viloapp_core.manifest import read_source
from viloapp_core.operations import InstallOptions, Progress, install, silent
from viloapp_core.resolve import wheelhouse
from viloapp_core.resolve.interpreters import candidates
from viloapp_core.services import Settings
from viloapp_core.store import InstalledPlugin, Store
from viloapp_sdk.manifest.project import read_pyproject

__all__ = ["Bench", "prepare", "requirements"]

PYTEST = "pytest>=8"
RUNS_INSTEAD = "viloapp_sdk.testing.sandboxed:SandboxedRun"
_GROUPS = ("test", "tests", "dev")
# Tests are not the plugin: what it may use is no measure for them.
_LIMITS = {"memory_mb": 4096, "cpu_percent": 6400, "file_handles": 4096, "processes": 1024, "disk_mb": 4096}
_STAMP = "made-for.json"


@dataclass(frozen=True)
class Bench:
    """An environment for tests.

    Args:
        store: holds it, and nothing else.
        plugin: the project, as it is installed there.
        project: the folder of its source.
    """

    store: Store
    plugin: InstalledPlugin
    project: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.plugin.python


def prepare(
    project: Path,
    home: Path,
    *,
    options: InstallOptions,
    group: str | None = None,
    fresh: bool = False,
    progress: Progress = silent,
    environ: Mapping[str, str],
) -> Bench:
    """Return the environment for a project's tests, made if there is none that fits.

    Args:
        project: the folder of its source, absolute.
        home: where such environments are kept.
        options: index, interpreter and the like.
        group: the dependency group to install; by default the first of `test`, `tests`, `dev` that there is.
        fresh: make it anew.
        progress: told each step.
        environ: the user's environment; little of it reaches pip.

    Raises:
        ViloError: the project is no plugin, or it cannot be installed.
    """
    plugin_id = read_source(project).plugin_id
    if options.python is not None:  # that it is missing need not wait for a build
        next(candidates(options.python, SpecifierSet(), cache=home / "interpreters", environ=environ))
    beside = requirements(project, group)
    store = Store(home / _key(project, options.python))
    store.recover()
    wanted = _stamp(project, options, beside)
    made = read_json(store.root / _STAMP)
    if fresh or made != wanted or plugin_id not in store.plugins():
        chosen = replace(
            options, dev=True, yes=True, force_reinstall=True, beside=beside, runs_instead=RUNS_INSTEAD
        )
        install(store, [str(project)], options=chosen, progress=progress, environ=environ)
        settings = Settings(store.root / "settings.json", lambda: {plugin_id: {}})
        for name, value in _LIMITS.items():
            settings.set(f"{plugin_id}.limits.{name}", value)
        write_json(store.root / _STAMP, wanted)
    return Bench(store, store.plugin(plugin_id), project)


def requirements(project: Path, group: str | None) -> tuple[str, ...]:
    """Return what pip is to install beside the plugin: pytest, a dependency group, the extra ``test``.

    Raises:
        ManifestError: ``pyproject.toml`` cannot be read.
    """
    data = read_pyproject(project)
    groups = data.get("dependency-groups", {})
    chosen = group or next((each for each in _GROUPS if each in groups), None)
    table = data.get("project", {}).get("optional-dependencies", {})
    extra = table.get("test", []) if isinstance(table, dict) else []
    named = ("--group", f"{project / 'pyproject.toml'}:{chosen}") if chosen else ()
    return (PYTEST, *(str(each) for each in extra), *named)


def _key(project: Path, python: str | None) -> str:
    digest = hashlib.sha256(f"{project}\0{python or ''}".encode()).hexdigest()
    return f"{normalized(project.name)}-{digest[:12]}"


def _stamp(project: Path, options: InstallOptions, beside: tuple[str, ...]) -> dict[str, Any]:
    """Return what an environment depends on, but for what an index has meanwhile."""
    files = [project / name for name in ("pyproject.toml", "setup.cfg", "setup.py")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file()))
    for wheel in sorted(wheelhouse().values()):
        digest.update(wheel.read_bytes())
    return {"sources": digest.hexdigest(), "beside": list(beside), "index": options.index_url or ""}
