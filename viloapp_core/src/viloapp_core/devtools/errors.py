"""What the tools for authors refuse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from viloapp_sdk.errors import ViloError

__all__ = [
    "DevtoolsError",
    "LegacyPluginError",
    "NameRefusedError",
    "ReleaseError",
    "ScaffoldError",
    "TargetExistsError",
    "ToolMissingError",
]


class DevtoolsError(ViloError):
    """The root of this package's errors."""


class NameRefusedError(DevtoolsError):
    """No plugin can have this name."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_name", detail, hint)


class TargetExistsError(DevtoolsError):
    """What was to be made is there already; it is left as it is."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("exists", detail, hint)


class LegacyPluginError(DevtoolsError):
    """A plugin of the old form cannot be wrapped; has every reason."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__(
            "bad_legacy_plugin",
            "\n".join(f"{path}: {problem}" for problem in problems),
            "nothing was made",
        )


class ReleaseError(DevtoolsError):
    """There is no such release, or it cannot be compared."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_release", detail, hint)


class ScaffoldError(DevtoolsError):
    """A project could not be made or updated."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("scaffold", detail, hint)


class ToolMissingError(DevtoolsError):
    """A library of the extra ``author`` is not installed.

    Args:
        what: what needs it.
        name: of the library.
    """

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            "tool_missing",
            f"{what} needs {name}, which is not installed",
            "pip install 'viloapp-core[author]'",
        )
