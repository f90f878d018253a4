"""The setuptools hook that writes `plugin.json` beside the other metadata of a wheel.

setuptools calls every entry point of the group ``egg_info.writers`` for every project that is built where
this package is installed. So this does nothing for a project without ``[tool.viloapp]``, imports nothing
heavy until it has seen that table, and raises only for a project that has it.

Source: setuptools documentation, "Adding new EGG-INFO Files".
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

__all__ = ["write_plugin_json"]


def write_plugin_json(cmd: Any, basename: str, filename: str) -> None:
    """Write the project's manifest to ``filename``; called by setuptools.

    Args:
        cmd: the running ``egg_info`` command.
        basename: name of the file, ``plugin.json``.
        filename: where it goes; from there into the dist-info of a wheel, an editable one too.

    Raises:
        SetupError: the project has ``[tool.viloapp]`` and there are issues; all are in the message.
    """
    root = cmd.distribution.src_root or os.curdir
    content = _content(cmd, root) if _mentions_us(root) else None
    if content is not None or os.path.exists(filename):  # one of an earlier build, before the table went
        cmd.write_or_delete_file("plugin manifest", filename, content, force=True)


def _mentions_us(root: str) -> bool:
    """Return whether a look into the project's ``pyproject.toml`` is worth parsing it."""
    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as file:
            return b"viloapp" in file.read()
    except OSError:
        return False


def _content(cmd: Any, root: str) -> str | None:
    """Return the text of `plugin.json`, or None for a project that is no plugin."""
    import json
    from pathlib import Path

    from viloapp_sdk.manifest.catalogues import catalogue_issues
    from viloapp_sdk.manifest.errors import ManifestError
    from viloapp_sdk.manifest.project import assemble, read_pyproject, tool_table
    from viloapp_sdk.manifest.source import scan

    try:
        table = tool_table(read_pyproject(Path(root)))
    except ManifestError:
        return None  # setuptools itself says what is wrong with the file, and it may not concern us
    if table is None:
        return None
    try:
        contributions = scan(_sources(cmd, Path(root)), root=Path(root))
        manifest = assemble(table, contributions, _entry_points(cmd))
        if issues := catalogue_issues(_packages(cmd, Path(root)), Path(root)):
            raise ManifestError(issues, "the plugin's catalogues")
    except ManifestError as error:
        from setuptools.errors import SetupError

        raise SetupError(error.detail) from error
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _sources(cmd: Any, root: Path) -> list[Path]:
    """Return the modules that go into the wheel, as setuptools itself finds them."""
    build_py = cmd.get_finalized_command("build_py")
    return [root / file for _, _, file in build_py.find_all_modules()]


def _packages(cmd: Any, root: Path) -> list[Path]:
    """Return the folders of the packages that go into the wheel."""
    build_py = cmd.get_finalized_command("build_py")
    return [root / build_py.get_package_dir(name) for name in build_py.packages or ()]


def _entry_points(cmd: Any) -> Mapping[str, object] | None:
    """Return the project's entry points in the group of plugins; None when they cannot be told."""
    from viloapp_sdk.manifest.format import ENTRY_POINT_GROUP

    groups = cmd.distribution.entry_points or {}
    if isinstance(groups, str):
        return None  # the INI form of a setup.py; the reader of the wheel checks it
    lines = groups.get(ENTRY_POINT_GROUP, [])
    lines = lines.splitlines() if isinstance(lines, str) else lines
    pairs = [line.partition("=") for line in lines if line.strip()]
    return {f"{number}:{name.strip()}": value.strip() for number, (name, _, value) in enumerate(pairs)}
