"""Files that the host opened, as Python's own file objects."""

import errno
import os

from viloapp_sdk.errors import ViloError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def fetched(
    request: "Callable[[str, list[Any]], Any]",
    fetch: "Callable[[int], int]",
    path: str,
    mode: str,
    encoding: "str | None",
) -> "Any":
    """Have the host open a file and return it.

    Raises:
        OSError: the system refused; a `PermissionDeniedError` when it was not granted.
    """
    kind = mode.replace("b", "").replace("t", "")
    try:
        ticket = request("files.open", [path, kind])
    except ViloError as error:
        if error.code != "file_unavailable":
            raise
        number = int(error.hint) if error.hint.isdigit() else errno.EIO
        raise OSError(number, os.strerror(number), path) from None
    text = "b" not in mode
    # The host has truncated and created already: here it is only a matter of reading or writing.
    return open(fetch(ticket), mode.replace("x", "w"), encoding=(encoding or "utf-8") if text else None)
