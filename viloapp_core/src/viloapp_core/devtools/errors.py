"""What the tools for authors refuse."""

from __future__ import annotations

from viloapp_sdk.errors import ViloError

__all__ = ["DevtoolsError", "NameRefusedError", "ScaffoldError", "TargetExistsError", "ToolMissingError"]


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
