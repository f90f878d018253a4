"""What a plugin says about itself, from a wheel, an installed distribution or a source tree.

    >>> description = read_wheel(Path("hello-0.1.0-py3-none-any.whl"))      # doctest: +SKIP
    >>> description.plugin_id, [entry["id"] for entry in description.manifest.commands]  # doctest: +SKIP
    ('hello', ['hello.greet'])

None of the plugin's code runs, and nothing is unpacked; what is read is bounded in size and depth. The
readers import what they need when they are called: a listing needs none of them.
"""

from __future__ import annotations

from viloapp_sdk.manifest.format import ENTRY_POINT_GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from viloapp_core.manifest.description import EntryPoint, Manifest, Permission, PluginDescription
    from viloapp_core.manifest.errors import Issue, ManifestError

__all__ = [
    "ENTRY_POINT_GROUP",
    "EntryPoint",
    "Issue",
    "Manifest",
    "ManifestError",
    "Permission",
    "PluginDescription",
    "check_catalogues",
    "read_dist_info",
    "read_source",
    "read_wheel",
    "unmanaged",
]

_HOMES = {
    "EntryPoint": "description",
    "Issue": "errors",
    "Manifest": "description",
    "ManifestError": "errors",
    "Permission": "description",
    "PluginDescription": "description",
}


def __getattr__(name: str) -> Any:
    # Lazily: a listing asks for `unmanaged` alone.
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def read_wheel(path: Path) -> PluginDescription:
    """Return the plugin that a wheel holds.

    Args:
        path: a file whose name is a wheel's.

    Raises:
        ManifestError: it is no wheel, no plugin, or not a good one; with every issue.
    """
    from viloapp_core.manifest.reader import describe
    from viloapp_core.manifest.wheel import WheelFiles

    with WheelFiles.open(path) as files:
        return describe(files, path.name)


def read_dist_info(path: Path) -> PluginDescription:
    """Return the plugin that an installed distribution is, an editable one too.

    Args:
        path: its ``.dist-info`` folder.

    Raises:
        ManifestError: it is no plugin, or not a good one; with every issue.
    """
    from viloapp_core.manifest.files import DistInfoFiles
    from viloapp_core.manifest.reader import describe

    return describe(DistInfoFiles(path), path.name)


def read_source(directory: Path) -> PluginDescription:
    """Return the plugin that a project folder holds, from ``pyproject.toml`` and source, without a build.

    Args:
        directory: holds ``pyproject.toml``.

    Raises:
        ManifestError: it is no plugin's project, or not a good one, or its version is known only to a
            build; with every issue.
    """
    from viloapp_core.manifest.source import describe_source

    return describe_source(directory)


def check_catalogues(directory: Path) -> None:
    """Refuse a project whose catalogues of texts are broken, as the SDK's hook of setuptools does.

    Args:
        directory: holds ``pyproject.toml``.

    Raises:
        ManifestError: a catalogue cannot be read, or has a text that could not be shown; with every issue.
    """
    from viloapp_core.manifest.source import refuse_broken_catalogues

    refuse_broken_catalogues(directory)


def unmanaged(paths: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Return (name, version) of the plugins that pip installed beside the core; their code is not touched.

    Args:
        paths: folders to look in; those of `sys.path` by default.
    """
    from viloapp_core.manifest.pip_installed import find_unmanaged

    return find_unmanaged(paths)
