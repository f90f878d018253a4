"""What can be wrong with the consent ledger."""

from pathlib import Path

from viloapp_sdk.errors import ViloError

__all__ = ["LedgerError"]


class LedgerError(ViloError):
    """The ledger cannot be used. Nothing is guessed: what it would have denied must not become allowed."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            "bad_ledger",
            f"{path} {why}",
            "put a copy back, or move it away: then plugins have what was accepted at their installation",
        )
