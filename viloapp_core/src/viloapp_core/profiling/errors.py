"""What can be wrong with a profile."""

from viloapp_sdk.errors import ViloError

__all__ = ["ProfilingError"]


class ProfilingError(ViloError):
    """A plugin was not profiled, or what came of it is not a profile."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("not_profiled", detail, hint)
