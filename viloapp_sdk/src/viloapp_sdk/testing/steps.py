"""The steps of a plugin's settings, run in a test as an update runs them."""

from __future__ import annotations

import copy
import importlib
import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest.chain import UNDECLARED, objections, steps_from
from viloapp_sdk.manifest.project import from_project

__all__ = ["migrate_settings"]


def migrate_settings(
    project: Path,
    settings: Mapping[str, Any],
    *,
    version: str = UNDECLARED,
    data: Path | None = None,
) -> dict[str, Any]:
    """Return what settings of a version become: the steps of a project run, and the result is judged.

        def test_the_greeting_keeps_its_text(tmp_path):
            assert migrate_settings(PROJECT, {"greeting": "Hi"}, data=tmp_path) == {"text": "Hi"}

    At an update they run in a process of their own, confined to a copy of the data; here in this one.

    Args:
        project: holds ``pyproject.toml``; its package can be imported.
        settings: what was set, and no more: defaults are not among it.
        version: that they have.
        data: the folder of the plugin's data, which a step may change; an empty one by default.

    Raises:
        ManifestError: everything that is wrong with the project.
        ViloError: (``bad_step``) a step did not return settings that fit the new manifest.
    """
    manifest = from_project(project)
    result: Any = copy.deepcopy(dict(settings))
    with tempfile.TemporaryDirectory() as empty:
        for step in steps_from(manifest.get("settings", {}), version):
            result = _run(step.run, result, data or Path(empty))
            if not isinstance(result, dict):
                raise ViloError("bad_step", f"step {step}: it returned {result!r}, not the settings")
    made: dict[str, Any] = result
    configuration = manifest.get("configuration", {})
    wrong = {name: why for name, value in made.items() if (why := objections(name, value, configuration))}
    if wrong:
        raise ViloError("bad_step", "; ".join(f"{name}: {why}" for name, why in wrong.items()))
    return made


def _run(path: str, settings: dict[str, Any], data: Path) -> Any:
    module, _, name = path.partition(":")
    function: Any = importlib.import_module(module)
    for part in name.split("."):
        function = getattr(function, part)
    result = function(settings, data)
    if not inspect.iscoroutine(result):
        return result
    import asyncio

    return asyncio.run(result)
