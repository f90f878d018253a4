"""The wire between a host and a worker: frames of msgpack behind a length.

A frame is a little-endian u32 length and a msgpack array whose first item is its kind::

    [REQUEST, id, method, params]      [RESPONSE, id, result]      [ERROR, id, {code, detail, hint}]
    [EVENT, name, data]                [CANCEL, id]
    [HELLO, {"protocol": 1, "protocols": [1, 1], …}]

Both sides send `HELLO` first, and speak the newest version that both know (`agreed`). Ids belong to the
side that asks. The same code runs on both ends, so it stays free of everything that a lean worker should
not import. docs/reference/versions.md has the rule of versions.

    >>> buffer = FrameBuffer()
    >>> buffer.feed(pack([EVENT, "theme.changed", {"theme": "dark"}]))
    >>> buffer.take()
    [3, 'theme.changed', {'theme': 'dark'}]
"""

import os

from viloapp_sdk.errors import FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Oldest and newest version of the wire that this code speaks.
PROTOCOLS = (1, 1)

REQUEST, RESPONSE, ERROR, EVENT, CANCEL, HELLO = range(6)
_LENGTHS = {REQUEST: 4, RESPONSE: 3, ERROR: 3, EVENT: 3, CANCEL: 2, HELLO: 2}

# The event with which a host asks for a profile, and the one in which the worker answers. Neither is a
# request, so that nothing waits behind it or counts as a call.
PROFILE = "viloapp.profile"

# Bytes of one frame. Bulk data belongs in files or streams; a bound keeps a peer from filling our memory.
MAX_FRAME = 16 * 1024 * 1024
_READ_SIZE = 64 * 1024

# The signal upon which a worker writes to its log where each of its threads is: a real-time one, which
# libraries do not use, and which ends a worker of an older SDK. Source: signal(7).
TRACE_SIGNAL = 50

# On the bulk socket: each packet is a ticket, little-endian, with one descriptor; the answer of the call that
# asked for the descriptor names the ticket.
TICKET_BYTES = 8


def greeting(**more: "Any") -> "list[Any]":
    """Return the frame that both sides send first.

    ``protocol`` is the oldest version that we speak: all that the first release asks of it is that it is 1.

    Args:
        more: what else to say of this side; whoever does not know a key passes over it.
    """
    return [HELLO, {"protocol": PROTOCOLS[0], "protocols": list(PROTOCOLS), **more}]


def agreed(hello: "dict[str, Any]") -> int:
    """Return the version of the wire to speak with a peer: the newest that both know; 0 when there is none.

    >>> agreed({"protocol": 1}), agreed({"protocol": 1, "protocols": [1, 9]}), agreed({"protocol": 9})
    (1, 1, 0)
    """
    oldest, newest = spoken(hello)
    version = min(newest, PROTOCOLS[1])
    return version if version >= max(oldest, PROTOCOLS[0]) else 0


def spoken(hello: "dict[str, Any]") -> "tuple[int, int]":
    """Return oldest and newest version that a peer says it speaks; ``(0, 0)`` for what makes no sense."""
    told = hello.get("protocols")
    if told is None:  # of the first release, which knew one
        told = [hello.get("protocol")] * 2
    if type(told) is not list or len(told) != 2 or any(type(each) is not int for each in told):
        return (0, 0)
    return (told[0], told[1]) if 0 < told[0] <= told[1] else (0, 0)


def in_words(versions: "tuple[int, int]") -> str:
    """Return versions of the wire for people."""
    oldest, newest = versions
    if not oldest:
        return "no version of the wire that can be read"
    return f"wire {oldest}" if oldest == newest else f"wire {oldest} to {newest}"


# -- the codec: msgpack's, once there is something to code ----------------------------------------------


def use_codec(packb: "Callable[..., bytes]", unpackb: "Callable[..., Any]") -> None:
    """Code with these, which are called as msgpack's are."""
    global _packb, _unpackb
    _packb, _unpackb = packb, unpackb


def load_codec() -> "tuple[Callable[..., bytes], Callable[..., Any]]":
    """Code with msgpack's from now on, and return them."""
    import msgpack  # type: ignore[import-untyped]  # it has no stubs

    use_codec(msgpack.packb, msgpack.unpackb)
    return msgpack.packb, msgpack.unpackb


def _packb(value: "Any") -> bytes:
    return load_codec()[0](value)


def _unpackb(body: "Any", strict_map_key: bool) -> "Any":
    return load_codec()[1](body, strict_map_key=strict_map_key)


# -- frames ----------------------------------------------------------------------------------------------


def pack(frame: "list[Any]") -> bytes:
    """Encode one frame with its length.

    Raises:
        FrameError: a value cannot be sent, or the frame is larger than `MAX_FRAME` bytes.
    """
    try:
        body: bytes = _packb(frame)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FrameError(
            f"a value cannot be sent: {error}", "send None, bool, int, float, str, bytes, list or dict"
        ) from None
    if len(body) > MAX_FRAME:
        raise FrameError(
            f"a frame of {len(body)} bytes is over the limit of {MAX_FRAME}", "send it in parts, or as a file"
        )
    return len(body).to_bytes(4, "little") + body


class FrameBuffer:
    """Reassembles frames from a byte stream into one reused buffer.

    Args:
        max_frame: bytes a peer may announce for one frame.
    """

    __slots__ = ("_buffer", "_end", "_max_frame", "_start", "_view")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._buffer = bytearray(_READ_SIZE)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0

    def read_from(self, fd: int) -> int:
        """Read once from ``fd``; return the number of bytes, 0 at its end.

        Raises:
            BlockingIOError: ``fd`` is non-blocking and has nothing.
        """
        count = os.readv(fd, [self._view[self._end :]])
        self._end += count
        return count

    def feed(self, data: bytes) -> None:
        """Append bytes that were read elsewhere."""
        self._reserve(len(data))
        self._view[self._end : self._end + len(data)] = data
        self._end += len(data)

    def take(self) -> "list[Any] | None":
        """Return the next whole frame, or None when more bytes are needed.

        Raises:
            FrameError: the peer announced too large a frame, or sent one that is none.
        """
        start = self._start
        available = self._end - start
        if available < 4:
            self._reserve(4 - available)
            return None
        size = int.from_bytes(self._view[start : start + 4], "little")
        if size > self._max_frame:
            raise FrameError(f"the peer announced a frame of {size} bytes; the limit is {self._max_frame}")
        if available < 4 + size:
            self._reserve(4 + size - available)
            return None
        frame = _unpack(self._view[start + 4 : start + 4 + size])
        self._start = start + 4 + size
        if self._start == self._end:
            self._start = self._end = 0
            if len(self._buffer) > 4 * _READ_SIZE:  # one large frame must not pin memory for good
                self._replace(_READ_SIZE)
        return frame

    def _reserve(self, count: int) -> None:
        """Make room for ``count`` more bytes after the end."""
        if len(self._buffer) - self._end >= count:
            return
        used = self._end - self._start
        self._replace(max(used + count, _READ_SIZE))

    def _replace(self, size: int) -> None:
        """Move what is unread to the front of a buffer of ``size`` bytes."""
        # A new buffer: a bytearray with live views cannot be resized.
        buffer = bytearray(size)
        used = self._end - self._start
        buffer[:used] = self._view[self._start : self._end]
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._start, self._end = 0, used


def _unpack(body: "memoryview") -> "list[Any]":
    try:
        frame = _unpackb(body, strict_map_key=False)
    except Exception as error:  # msgpack raises ValueError and several kinds of its own
        raise FrameError(f"the peer sent bytes that are no frame: {type(error).__name__}") from None
    if type(frame) is not list or not frame or _LENGTHS.get(_kind(frame)) != len(frame):
        raise FrameError("the peer sent a frame of no known kind")
    if frame[0] < EVENT and type(frame[1]) is not int:
        raise FrameError("the peer sent a frame whose id is no integer")
    return frame


def _kind(frame: "list[Any]") -> int:
    kind = frame[0]
    return kind if type(kind) is int else -1
