"""Files that the host opened, as Python's own file objects."""

import errno
import os

from viloapp_sdk.errors import ViloError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
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
    try:
        ticket = request("files.open", [path, _kind(mode)])
    except ViloError as error:
        raise _as_python_says(error, path) from None
    return _file(fetch(ticket), mode, encoding)


async def fetched_later(
    request: "Callable[[str, list[Any]], Any]",
    fetch: "Callable[[int], int]",
    path: str,
    mode: str,
    encoding: "str | None",
) -> "Any":
    """The same for ``async`` handlers, where ``request`` returns an awaitable.

    Raises:
        OSError: see `fetched`.
    """
    import asyncio  # loaded by whoever has a loop

    answer = asyncio.ensure_future(request("files.open", [path, _kind(mode)]))
    try:
        ticket = await asyncio.shield(answer)
    except asyncio.CancelledError:
        # The host may have opened it already, and nobody else would close it.
        answer.add_done_callback(lambda answer: _give_back(answer, fetch))
        raise
    except ViloError as error:
        raise _as_python_says(error, path) from None
    # It was sent before the answer, so that this does not wait.
    return _file(fetch(ticket), mode, encoding)


def read_later(opening: "Awaitable[Any]") -> "Any":
    """Return an awaitable of the content of a file that is being opened."""

    async def read() -> bytes:
        with await opening as file:
            content: bytes = file.read()
            return content

    return read()


def _give_back(answer: "asyncio.Future[int]", fetch: "Callable[[int], int]") -> None:
    if not answer.cancelled() and answer.exception() is None:
        os.close(fetch(answer.result()))


def _kind(mode: str) -> str:
    return mode.replace("b", "").replace("t", "")


def _as_python_says(error: ViloError, path: str) -> Exception:
    if error.code != "file_unavailable":
        return error
    number = int(error.hint) if error.hint.isdigit() else errno.EIO
    return OSError(number, os.strerror(number), path)


def _file(fd: int, mode: str, encoding: "str | None") -> "Any":
    text = "b" not in mode
    # The host has truncated and created already: here it is only a matter of reading or writing.
    return open(fd, mode.replace("x", "w"), encoding=(encoding or "utf-8") if text else None)
