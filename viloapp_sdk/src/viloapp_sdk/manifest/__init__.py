"""The manifest of a plugin, `plugin.json`: what core metadata has no field for.

    >>> from viloapp_sdk.manifest import validate
    >>> [str(issue) for issue in validate({"schema": 1, "api_version": "1.0", "permisions": []})]
    ["permisions: unknown key; did you mean 'permissions'?"]

An author writes ``[tool.viloapp]`` in ``pyproject.toml`` and decorates commands; the build joins both into
the file (`hook` for setuptools, `from_project` for everything else). Nothing here runs a plugin's code,
and nothing outside of the standard library is needed. The names are imported when they are first used:
setuptools imports this for every project that it builds, and the core for every listing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from viloapp_sdk.manifest.errors import Issue, ManifestError
    from viloapp_sdk.manifest.format import (
        API_VERSION,
        ENTRY_POINT_GROUP,
        FILE_NAME,
        PERMISSION_CATEGORIES,
        RESTART_POLICIES,
        SCHEMA_VERSION,
    )
    from viloapp_sdk.manifest.project import from_project
    from viloapp_sdk.manifest.source import Contributions, scan
    from viloapp_sdk.manifest.translations import translatable, translated
    from viloapp_sdk.manifest.validation import deprecations, fits, schema, validate

__all__ = [
    "API_VERSION",
    "ENTRY_POINT_GROUP",
    "FILE_NAME",
    "PERMISSION_CATEGORIES",
    "RESTART_POLICIES",
    "SCHEMA_VERSION",
    "Contributions",
    "Issue",
    "ManifestError",
    "deprecations",
    "fits",
    "from_project",
    "scan",
    "schema",
    "translatable",
    "translated",
    "validate",
]

_HOMES = {
    "API_VERSION": "format",
    "ENTRY_POINT_GROUP": "format",
    "FILE_NAME": "format",
    "PERMISSION_CATEGORIES": "format",
    "RESTART_POLICIES": "format",
    "SCHEMA_VERSION": "format",
    "Contributions": "source",
    "Issue": "errors",
    "ManifestError": "errors",
    "deprecations": "validation",
    "fits": "validation",
    "from_project": "project",
    "scan": "source",
    "schema": "validation",
    "translatable": "translations",
    "translated": "translations",
    "validate": "validation",
}


def __getattr__(name: str) -> "Any":
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'viloapp_sdk.manifest' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"viloapp_sdk.manifest.{home}"), name)
    globals()[name] = value
    return value
