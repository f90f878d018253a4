"""Errors of the store."""

from __future__ import annotations

from collections.abc import Sequence

from viloapp_sdk.errors import ViloError


class StoreError(ViloError):
    """Root of everything `viloapp_core.store` raises."""


class StoreFolderError(StoreError):
    """The store's folder cannot be used."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_store", detail, hint or "set VILOAPP_HOME to a folder you can write to")


class NotInstalledError(StoreError):
    """The store has no plugin of that id."""

    def __init__(self, plugin_id: str, hint: str = "") -> None:
        super().__init__(
            "not_installed", f"{plugin_id} is not installed", hint or "viloapp list shows what is"
        )


class CollisionError(StoreError):
    """Two plugins claim one command or widget id."""

    def __init__(self, plugin_id: str, clashes: Sequence[str]) -> None:
        super().__init__(
            "id_collision",
            f"{plugin_id}: {'; '.join(clashes)}",
            "ids are unique in a store: uninstall the other plugin first, or ask the author to rename",
        )


class UnsafeWheelError(StoreError):
    """A wheel would do what no wheel may: every issue, each with the file it is about."""

    def __init__(self, wheel: str, issues: Sequence[str]) -> None:
        listed = "".join(f"\n  {issue}" for issue in issues)
        super().__init__(
            "unsafe_wheel",
            f"{wheel} is refused:{listed}",
            "nothing was installed; tell the author of that wheel, or build it again",
        )
        self.issues = tuple(issues)


class OverlappingWheelsError(StoreError):
    """Wheels of one virtualenv claim one file, or hide one another's modules; has every place."""

    def __init__(self, issues: Sequence[str]) -> None:
        listed = "".join(f"\n  {issue}" for issue in issues)
        super().__init__(
            "overlapping_wheels",
            f"its wheels do not fit into one virtualenv:{listed}",
            "two distributions with one module cannot both be used; tell the plugin's author",
        )
        self.issues = tuple(issues)


class LayDownError(StoreError):
    """A virtualenv could not be made or filled."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("lay_down_failed", detail, hint)


class NotVerifiedError(StoreError):
    """What would be laid down is not what was verified."""

    def __init__(self, plugin_id: str, why: str) -> None:
        super().__init__("not_verified", f"{plugin_id}: {why}", "nothing was installed; try again")
