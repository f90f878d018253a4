"""Whether a plugin can be told a value: JSON has some that the wire has not."""

from typing import Any

from viloapp_sdk._wire import pack
from viloapp_sdk.errors import FrameError

__all__ = ["unsendable"]


def unsendable(value: Any) -> str:
    """Return why no plugin can be told a value, such as half a character or 65 bits; empty when one can."""
    try:
        pack([value])
    except FrameError as error:
        return error.detail
    return ""
