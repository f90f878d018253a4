"""The manifest of a plugin, `plugin.json`: what core metadata has no field for.

    >>> [str(issue) for issue in validate({"schema": 1, "api_version": "1.0", "permisions": []})]
    ["permisions: unknown key; did you mean 'permissions'?"]

An author writes ``[tool.viloapp]`` in ``pyproject.toml`` and decorates commands; the build joins both into
the file (`hook` for setuptools, `from_project` for everything else). Nothing here runs a plugin's code,
and nothing outside of the standard library is needed.
"""

from viloapp_sdk.manifest.errors import Issue, ManifestError
from viloapp_sdk.manifest.fields import (
    API_VERSION,
    ENTRY_POINT_GROUP,
    FILE_NAME,
    PERMISSION_CATEGORIES,
    RESTART_POLICIES,
    SCHEMA_VERSION,
)
from viloapp_sdk.manifest.project import from_project
from viloapp_sdk.manifest.source import Contributions, scan
from viloapp_sdk.manifest.validation import fits, schema, validate

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
    "fits",
    "from_project",
    "scan",
    "schema",
    "validate",
]
