"""What keeps a document from being migrated."""

from viloapp_sdk.errors import ViloError

__all__ = ["MigrationError", "NewerVersionError", "NotSettingsError"]


class MigrationError(ViloError):
    """Root of the errors of this package."""


class NotSettingsError(MigrationError):
    """It is no document of a form that is known."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("unknown_form", detail, hint)


class NewerVersionError(MigrationError):
    """It is of a version that came after this ViloApp."""

    def __init__(self, version: str, latest: str) -> None:
        super().__init__(
            "newer_version",
            f"it is of version {version}, and this ViloApp knows up to {latest}",
            "update ViloApp; nothing was changed",
        )
