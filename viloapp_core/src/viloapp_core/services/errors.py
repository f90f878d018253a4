"""What can go wrong in a service's own state."""

from viloapp_sdk.errors import ViloError

__all__ = ["ServiceError", "SettingError", "ThemeError"]


class ServiceError(ViloError):
    """Root of the errors of this package."""


class SettingError(ServiceError):
    """A setting does not exist, or cannot have that value."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_setting", detail, hint)


class ThemeError(ServiceError):
    """There is no such theme."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("unknown_theme", detail, hint)
