"""What can be wrong with a permission."""

from viloapp_sdk.errors import ViloError

__all__ = ["PermissionSyntaxError"]


class PermissionSyntaxError(ViloError):
    """A text is no permission."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            "permission_syntax",
            f"{text[:200]!r} is no permission: {why}",
            "docs/reference/permissions.md has all of them",
        )
